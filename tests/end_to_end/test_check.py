"""darktap check: what a CI job sees."""

import json
import os
import shutil
import stat
import xml.etree.ElementTree as xml

from shop.schema import SCHEMA
from test_replay import PASSWORDS, USER, record, two_servers
from workplace import Case, darktap, need_root, workplace

PLANTED = "UPDATE products SET weight = weight + 1 WHERE id = 45"


class Check(Case):
    def check(self, *arguments, target, source=None):
        reference = ["--reference", source.url(USER[0], SCHEMA)] if source else []
        return darktap("check", *arguments, "--target", target.url(USER[0], SCHEMA), *reference, "--pace", "max", passwords=PASSWORDS)

    def test_a_job_fails_for_what_counts_until_it_is_accepted(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source)
            second = place / "second.dtap"
            shutil.copy(recording, second)
            junit, markdown = place / "out.xml", place / "out.md"

            done = self.check(recording, second, "--junit", junit, "--markdown", markdown, target=target, source=source)
            self.assertEqual(done.status, 0, done.err)
            self.assertIn("2 of 2 recordings without findings that count", done.out)
            self.assertEqual([suite.get("name") for suite in xml.parse(junit).getroot()], [str(recording), str(second)])

            target.run([f"USE {SCHEMA}", PLANTED])
            store = place / "check.db"
            done = self.check(recording, "--junit", junit, "--markdown", markdown, "--store", store, target=target, source=source)
            self.assertEqual(done.status, 1, done.err)
            self.assertEqual(xml.parse(junit).getroot().get("failures"), "1")
            self.assertIn("1 finding to look at", markdown.read_text())
            for file in (junit, markdown):
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600, "it holds production's rows")
            self.assertEqual(sorted(place.glob("*.part")), [])

            report = darktap("report", store, "--format", "json")
            accepted = place / "accepted.json"
            accepted.write_text(report.out)
            done = self.check(recording, "--accept", accepted, "--junit", junit, "--markdown", markdown, target=target, source=source)
            self.assertEqual(done.status, 0, done.err)
            root = xml.parse(junit).getroot()
            self.assertEqual((root.get("failures"), root.get("skipped")), ("0", "1"))
            self.assertIn("accepted: ", junit.read_text())
            self.assertIn("\\(accepted\\)", markdown.read_text())

            # By ids, with one that doesn't come; and as JSON.
            id = report.json()["findings"][0]["id"]
            accepted.write_text(json.dumps({"accepted": [{"id": id, "reason": "known"}, "00000000000000aa"]}))
            done = self.check(recording, "--accept", accepted, "--format", "json", target=target, source=source)
            self.assertEqual(done.status, 0, done.err)
            self.assertEqual(done.json()["accepted_unseen"], ["00000000000000aa"])
            self.assertEqual([(one["file"], one["status"]) for one in done.json()["recordings"]], [(str(recording), 0)])
            self.assertEqual(done.json()["recordings"][0]["report"]["findings"][0]["id"], id)
            self.assertEqual(done.json()["recordings"][0]["report"]["run"]["mode"], "check")
            self.assertIn("00000000000000aa", done.err)

            # Another wrong row is not what was accepted.
            target.run([f"USE {SCHEMA}", "UPDATE orders SET total = total + 1 WHERE customer_id = 44"])
            done = self.check(recording, "--accept", accepted, target=target, source=source)
            self.assertEqual(done.status, 1, done.err)

    def test_a_recording_that_cant_be_read_is_an_error_in_the_files_and_the_others_are_checked(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages=3)
            broken = place / "broken.dtap"
            broken.write_bytes(b"this is no recording")
            junit = place / "out.xml"
            done = self.check(broken, recording, "--junit", junit, target=target)
            self.assertEqual(done.status, 3, done.err)
            suites = list(xml.parse(junit).getroot())
            self.assertEqual([suite.get("errors") for suite in suites], ["1", "0"])
            self.assertIn("broken.dtap", suites[0].find("testcase/error").get("message"))

    def test_a_guard_rail_ends_the_job_with_4(self):
        need_root("taps lo")
        with workplace() as place, two_servers(place) as (source, target):
            recording = record(place, source, pages=3)
            junit = place / "out.xml"
            done = self.check(recording, recording, "--junit", junit, target=source)
            self.assertEqual(done.status, 4, done.err)
            self.assertEqual(xml.parse(junit).getroot().get("errors"), "1")

    def test_nothing_is_left_behind_where_no_store_was_asked_for(self):
        with workplace() as place:
            done = darktap("check", place / "no.dtap", "--target", "mysql://u@127.0.0.1:1/s", "--junit", place / "out.xml")
            self.assert_refused(done, 3, "no.dtap", "check its name")
            self.assertEqual(list(place.iterdir()), [])

    def test_a_wrong_accept_file_is_a_usage_error_that_names_it(self):
        with workplace() as place:
            recording, accepted = place / "some.dtap", place / "accepted.json"
            recording.write_bytes(b"")
            for text, words in (("{", "is not JSON"), ("{}", "holds no list"), ('{"accepted": [7]}', "entry 1"), ('["abc"]', "entry 1"),
                                ('{"findings": [{"cause": "defect"}]}', "no id of 16 hex digits")):
                with self.subTest(text):
                    accepted.write_text(text)
                    self.assert_refused(darktap("check", recording, "--target", "mysql://u@127.0.0.1:1/s", "--accept", accepted), 2, accepted, words)
            accepted.unlink()
            self.assert_refused(darktap("check", recording, "--target", "mysql://u@127.0.0.1:1/s", "--accept", accepted), 2, accepted, "can't be read")

    def test_an_output_that_cant_be_written_is_told_before_the_run(self):
        with workplace() as place:
            recording = place / "some.dtap"
            recording.write_bytes(b"")
            for output, status in ((place / "nowhere" / "out.xml", 3), (place, 2), ("/dev/null", 2)):
                with self.subTest(output):
                    self.assert_refused(darktap("check", recording, "--target", "mysql://u@127.0.0.1:1/s", "--junit", output), status, output)
            self.assertTrue(os.path.exists("/dev/null"))
