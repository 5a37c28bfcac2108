"""Each snippet here compiles as it stands, and must not with -DFORBIDDEN, for the reason that its first line names.

Usage: must_not_compile.py COMPILE_COMMANDS SNIPPET.cpp
"""

import pathlib
import re
import subprocess
import sys

from forbidden_rooms import flags_of


def main(compile_commands, snippet):
    snippet = pathlib.Path(snippet).resolve()
    root = snippet.parents[2]
    first = snippet.read_text().splitlines()[0]
    room, reason = re.fullmatch(r"// room: (\w+); forbidden: (.+)", first).groups()
    command, folder = flags_of(compile_commands, root, room)
    compile = [*command, "-fsyntax-only", str(snippet)]
    allowed = subprocess.run(compile, cwd=folder, capture_output=True, text=True)
    if allowed.returncode != 0:
        print(f"{snippet.name} does not even compile without -DFORBIDDEN:\n{allowed.stderr}")
        return 1
    forbidden = subprocess.run([*compile, "-DFORBIDDEN"], cwd=folder, capture_output=True, text=True)
    if forbidden.returncode == 0:
        print(f"{snippet.name} compiles with -DFORBIDDEN: {reason}")
        return 1
    if not re.search(r"error: .*(no match for|cannot convert|could not convert|invalid operands|no viable|no known|no matching|deleted)",
                     forbidden.stderr):
        print(f"{snippet.name} fails for another reason:\n{forbidden.stderr}")
        return 1
    print(f"refused, as it should be: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
