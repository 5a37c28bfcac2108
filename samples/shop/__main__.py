"""python3 -m shop --port PORT: the visitors alone, against any server that has the shop's tables (see tests/lab)."""

import argparse
import json
import os

from . import workload

parser = argparse.ArgumentParser(prog="shop", description=__doc__)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--user", default="app")
parser.add_argument("--pages", type=int, default=100, help="pages a worker opens (default 100, about 15 s)")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--prepared-client", help="the built shop_prepared_client; without it that worker stays at home")
options = parser.parse_args()
seen = workload.run(options.host, options.port, options.user, os.environ.get("SHOP_PASSWORD", ""), seed=options.seed,
                    pages=options.pages, prepared_client=options.prepared_client)
print(json.dumps({"planted": seen}))
