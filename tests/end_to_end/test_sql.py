"""The contract of `darktap sql`: a line in, an object out, whatever stands in the line."""

import json
import subprocess

from workplace import DARKTAP, Case

KEYS = {"class": str, "effects": list, "fingerprint": str, "normalized": str, "tables": dict, "order": dict, "nondeterministic": list, "understood": bool}


def run(text, *options):
    return subprocess.run([DARKTAP, "sql", "-", *options], input=text, capture_output=True, timeout=120)


def answers(text, *options):
    done = run(text, *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


class Sql(Case):
    def test_each_line_gets_one_object_with_the_keys_of_the_contract(self):
        lines = (b"SELECT a, RAND() FROM s.t ORDER BY a DESC, b LIMIT 3\n"
                 b'"SELECT 1 -- x\\n FROM t"\r\n'
                 b"\n"
                 b"  -- a comment alone\n"
                 b"DELETE FROM t\r\n"
                 b"nonsense\n"
                 b"SELECT SLEEP(1), GET_LOCK('a', 1), SLEEP(2)\n"
                 b"SELECT 'a\0b'\n"
                 b"SELECT '\xff\xfe'\n"
                 b"SELECT 1 LIMIT ?")
        found = answers(lines)
        self.assertEqual([answer["class"] for answer in found],
                         ["read", "read", "other", "other", "write", "unsafe", "unsafe", "read", "read", "read"])
        for answer in found:
            for key, kind in KEYS.items():
                self.assertIsInstance(answer[key], kind, key)
            self.assertRegex(answer["fingerprint"], "^[0-9a-f]{16}$")
            self.assertEqual(set(answer["tables"]), {"read", "written"})
            self.assertLessEqual({"guarantee", "keys", "limit"}, set(answer["order"]))
            self.assertIn(answer["order"]["guarantee"], ("total", "partial", "none", "unknown"))
        first = found[0]
        self.assertEqual((first["tables"], first["nondeterministic"]), ({"read": ["s.t"], "written": []}, ["rand"]))
        self.assertEqual((first["order"]["guarantee"], first["order"]["keys"], first["order"]["limit"]), ("partial", ["a desc", "b"], 3))
        self.assertEqual(found[4]["tables"], {"read": [], "written": ["t"]})
        self.assertEqual(found[6]["effects"], ["sleep", "user_lock"])
        self.assertFalse(found[5]["understood"])
        self.assertEqual(found[9]["order"]["limit"], "?")

    def test_a_line_that_begins_like_a_json_string_and_is_none_says_so(self):
        for line in (b'"SELECT 1', b'"SELECT 1" trailing', b'"SELECT \\x"', b'"\xff"', b'"'):
            answer, = answers(line)
            self.assertEqual((answer["class"], answer["understood"]), ("unsafe", False))
            self.assertIn("JSON string", answer["why"])

    def test_long_lines_are_answered_and_too_long_ones_are_not_understood(self):
        values = ", ".join(["123456789"] * 400_000)
        answer, longer = answers(f"SELECT * FROM t WHERE a IN ({values})\nSELECT '{'x' * (16 << 20)}'\n".encode())
        self.assertEqual((answer["class"], answer["normalized"]), ("read", "select * from t where a in (?+)"))
        self.assertEqual((longer["class"], longer["understood"]), ("unsafe", False))

    def test_the_dialect_is_chosen_by_options(self):
        quoted = b'SELECT "a\\" FROM t FOR UPDATE -- "'
        self.assertEqual(answers(quoted)[0]["class"], "read")
        self.assertEqual(answers(quoted, "--sql-mode", "ANSI_QUOTES")[0]["class"], "locking_read")
        versioned = b"SELECT a FROM t /*!80000 FOR UPDATE */"
        self.assertEqual([answers(versioned, "--server", server)[0]["class"] for server in ("mysql57", "mysql80", "mysql8.0.34", "mariadb1011")],
                         ["read", "locking_read", "locking_read", "read"])
        self.assertEqual(answers(versioned)[0]["class"], "unsafe")
        self.assertEqual(answers(b"SELECT '\xbf\\', SLEEP(1) -- '", "--charset", "gbk")[0]["class"], "unsafe")
        self.assertEqual(answers(b"SELECT a FROM t_0042", "--table-digits", "folded")[0]["normalized"], "select a from t_#")

    def test_a_server_that_is_none_is_refused_with_the_choices(self):
        for name in ("oracle", "mysql", "mysql1011", "mysql80x", "mariadb80", "8.0"):
            done = run(b"SELECT 1", "--server", name)
            self.assertEqual(done.returncode, 0 if name == "mysql" else 2, name)
            if done.returncode == 2:
                self.assertIn(b"mysql80", done.stderr)
                self.assertIn(b"mariadb1011", done.stderr)

    def test_text_has_a_caret_under_the_word_that_decided(self):
        shown = run("SELECT 'é', id FROM t WHERE SLEEP(1)\nSELECT a FROM WHERE b\n".encode(), "--format", "text").stdout.decode().splitlines()
        self.assertEqual(shown[1].index("^"), shown[0].index("SLEEP"))
        self.assertTrue(shown[1].strip().startswith("^^^^^ "))
        self.assertEqual(shown[4].index("^"), shown[3].index("WHERE"))
        self.assertTrue(shown[2].strip().startswith("unsafe"))
