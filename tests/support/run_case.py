"""Runs one test method for ctest, or lists them.

    run_case.py --list MODULE.py…           one line a case: MODULE.CLASS.METHOD LOCK FACT
    run_case.py FOLDER MODULE.CLASS.METHOD  runs it; a skip prints "SKIPPED: reason"

The list comes from the source alone, so that it needs none of the modules that the tests import. A class may name a ctest
RESOURCE_LOCK by an attribute LOCK = "name"; the fact is the method's name with blanks.
"""

import ast
import pathlib
import sys
import unittest


def list_cases(modules):
    for module in modules:
        path = pathlib.Path(module)
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef):
                continue
            lock = "-"
            for item in node.body:
                if isinstance(item, ast.Assign) and getattr(item.targets[0], "id", "") == "LOCK":
                    lock = item.value.value
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
                    fact = item.name[len("test_"):].replace("_", " ")
                    print(f"{path.stem}.{node.name}.{item.name} {lock} {path.stem[len('test_'):]}: {fact}")


def run_case(folder, case):
    tests = pathlib.Path(__file__).resolve().parents[1]
    sys.path[:0] = [folder, str(tests), str(tests.parent / "samples")]
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(unittest.defaultTestLoader.loadTestsFromName(case))
    skipped = [reason for _, reason in result.skipped]
    if result.wasSuccessful() and skipped:
        print(f"SKIPPED: {skipped[0]}")
    return 0 if result.wasSuccessful() and result.testsRun + len(skipped) > 0 else 1


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        list_cases(sys.argv[2:])
    else:
        sys.exit(run_case(*sys.argv[1:]))
