"""python3 -m lab FOLDER (run in tests/): the whole stack with the shop's data, until Ctrl-C."""

import argparse
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "samples"))

from shop import data  # noqa: E402
from shop.schema import SCHEMA, TABLES  # noqa: E402

from . import LabError, Stack  # noqa: E402
from .stack import APP, DARKTAP  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("folder", help="where the servers' data folders go; removed at the end")
    parser.add_argument("--delay", type=int, default=1, help="seconds by which the new stack follows legacy (default 1)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Stack(options.folder, SCHEMA, TABLES, delay=options.delay) as stack:
        data.fill_stack(stack)
        for name, server in (("legacy", stack.legacy), ("reference", stack.reference), ("new stack", stack.head)):
            print(f"{name:10} 127.0.0.1:{server.port}  root over {server.folder}/s.sock")
        print(f"accounts: {APP[0]} / {APP[1]} on legacy, {DARKTAP[0]} / {DARKTAP[1]} on all three; Ctrl-C ends it", flush=True)
        signal.pause()


try:
    main()
except KeyboardInterrupt:
    pass
except LabError as error:
    sys.exit(f"lab: {error}")
