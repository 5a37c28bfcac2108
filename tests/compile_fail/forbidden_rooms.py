"""A room must not be able to include a header of a room that it has no arrow to.

Usage: forbidden_rooms.py COMPILE_COMMANDS ROOM. Takes the flags with which the room's own sources are compiled and looks
for one header of every other room: it must be found exactly where the architecture has an arrow.
"""

import json
import pathlib
import shlex
import subprocess
import sys

# docs/architecture.md: room -> rooms whose headers it may see, by its own arrows and those of what it stands on.
DIRECT = {
    "base": (), "capture": ("base",), "mysql": ("base",), "sql": ("base",), "session": ("base", "mysql", "sql"),
    "client": ("base", "mysql"), "replay": ("base", "session", "sql", "client"), "compare": ("base", "session", "sql"),
    "store": ("base", "session", "compare"), "report": ("base", "store"),
    "run": ("base", "capture", "replay", "compare", "client", "store"), "web": ("base", "store", "report"),
}


def reachable(room):
    rooms = {room}
    for arrow in DIRECT[room]:
        rooms |= reachable(arrow)
    return rooms


def flags_of(compile_commands, root, room):
    """The compiler and its flags, from the compile command of any of the room's own sources."""
    for entry in json.loads(pathlib.Path(compile_commands).read_text()):
        source = pathlib.Path(entry["file"])
        if source.parent == root / room or source.name == f"{room}_empty.cpp":
            words = shlex.split(entry["command"])
            if "-o" not in words:
                continue
            words = words[:words.index("-o")]
            return [word for word in words if not word.endswith("ccache")], entry["directory"]
    raise SystemExit(f"no source of room {room} in {compile_commands}")


def main(compile_commands, room):
    root = pathlib.Path(__file__).resolve().parents[2]
    command, folder = flags_of(compile_commands, root, room)
    headers = {other: header.relative_to(root / other / "include").as_posix()
               for other in DIRECT for header in sorted((root / other / "include" / other).glob("*.h"))[:1]}
    # The preprocessor alone tells what is in reach; asking it for all at once takes milliseconds.
    question = "".join(f'#if __has_include("{header}")\nreaches {other}\n#endif\n' for other, header in headers.items())
    done = subprocess.run([*command, "-E", "-P", "-x", "c++", "-"], cwd=folder, input=question, capture_output=True, text=True,
                          check=True)
    reached = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("reaches ")}
    wrong = [f"room {room} can include {headers[other]}, to which it has no arrow" for other in sorted(reached - reachable(room))]
    wrong += [f"room {room} can't include {headers[other]}, to which it has an arrow"
              for other in sorted(set(headers) & reachable(room) - reached)]
    print("\n".join(wrong) or f"room {room} reaches {', '.join(sorted(reached))} and none of the other {len(headers) - len(reached)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
