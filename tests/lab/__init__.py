"""The lab: real MariaDB servers on loopback, private to one folder, for the demo and the end-to-end tests.

    from lab import Stack
    with Stack(folder) as stack:          # legacy, its replica, and a Spider head over two shards
        stack.legacy.query("SELECT 1")
        print(stack.legacy.port)

    from lab import Server
    with Server(folder / "one") as server: ...

`python3 -m lab FOLDER` (in tests/) starts the whole stack with the shop's data and keeps it until Ctrl-C.

Nothing that is installed is touched: every server gets --no-defaults, a data folder and a free port of its own on
127.0.0.1, and is ended by its process id, also when the program that started it dies.
"""

from .server import LabError, Server, end_with_parent, free_port, plugin_folder
from .stack import Stack

__all__ = ["LabError", "Server", "Stack", "end_with_parent", "free_port", "plugin_folder"]
