"""What is made once and shared by the servers of many tests, which may need it for the first time side by side."""

import fcntl
import pathlib
import tempfile


def made_once(folder, make):
    """`folder`, whole. The first who needs it makes it, by make(unfinished); who comes meanwhile waits, also in another process.

    `unfinished` doesn't exist yet, and lies in a temporary folder of its own that make() may use too.
    """
    folder = pathlib.Path(folder)
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as temporary:
                unfinished = pathlib.Path(temporary) / "unfinished"
                make(unfinished)
                unfinished.rename(folder)
    return folder
