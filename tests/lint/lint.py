"""House rules that no compiler checks, as one list of findings: file:line: rule."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("base", "capture", "mysql", "sql", "session", "client", "replay", "compare", "run", "store", "report", "web", "cli")
SKIPPED_FOLDERS = {"build", ".git", "node_modules", "dist", "__pycache__"}
SOURCES = {".cpp", ".h", ".c", ".py", ".ts", ".sh", ".cmake", ".txt", ".sql", ".css", ".html", ".json", ".md", ""}
CODE = {".cpp", ".h", ".c"}
BEAST_FILES = 2
LINES_A_SOURCE = 450
# Spelled in halves, so that this file does not find itself.
UNFINISHED = r"\b(TO" r"DO|FIX" r"ME|XX" r"X|not imple" r"mented)\b"
MACHINE_PATHS = r"(?<![\w./-])/(wo" r"rk|ro" r"ot|home/\w+)/"
REGISTRIES = r"(deb\.deb" r"ian\.org|registry\.npm" r"js|pypi\.o" r"rg|repo1?\.mav" r"en|crates\.i" r"o|proxy\.gol" r"ang)"

LINE_RULES = (
    ("an include that climbs out of its room", CODE, re.compile(r'#\s*include\s*"\.\./')),
    ("unfinished by its own words", SOURCES, re.compile(UNFINISHED)),
    ("a path of one machine", SOURCES, re.compile(MACHINE_PATHS)),
    ("a package registry's host", SOURCES - {".md"}, re.compile(REGISTRIES)),
    ("a tab", CODE | {".py", ".ts"}, re.compile("\t")),
    ("white space at the end of a line", SOURCES - {".md"}, re.compile(r"[ \t]+$")),
    ("a C-style header where C++ has its own", {".h", ".cpp"}, re.compile(r"#\s*include\s*<(string|std(io|lib|int|def)|errno|time)\.h>")),
)


def files():
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        if SKIPPED_FOLDERS.isdisjoint(relative.parts) and path.is_file() and path.suffix in SOURCES:
            if path.suffix == "" and not path.read_bytes()[:2] == b"#!":
                continue
            yield relative


def lint():
    beast = []
    for relative in files():
        try:
            text = (ROOT / relative).read_text()
        except UnicodeDecodeError:
            yield f"{relative}:1: not UTF-8"
            continue
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            for rule, suffixes, pattern in LINE_RULES:
                if relative.suffix in suffixes and pattern.search(line):
                    yield f"{relative}:{number}: {rule}: {line.strip()[:100]}"
        if relative.suffix in CODE:
            if re.search(r"#\s*include\s*<boost/(beast|asio)", text):
                beast.append(str(relative))
            if relative.suffix == ".cpp" and relative.parts[0] in ROOMS and len(lines) > LINES_A_SOURCE:
                yield f"{relative}:{LINES_A_SOURCE}: more than {LINES_A_SOURCE} lines: this file may hold more than one idea"
        if relative.suffix == ".h" and "#pragma once" not in text:
            yield f"{relative}:1: a header without #pragma once"
    if len(beast) > BEAST_FILES:
        yield f"{beast[0]}:1: Beast and Asio are confined to {BEAST_FILES} files, found in {', '.join(beast)}"


if __name__ == "__main__":
    findings = list(lint())
    print("\n".join(findings) or "nothing to say")
    sys.exit(1 if findings else 0)
