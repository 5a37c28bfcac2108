"""The demo's own judgement: it must notice what differs from the plan."""

import copy
import unittest

from demo import check
from shop.data import PLANTED

BINS = ("observed", "compared", "skipped", "shed", "unobserved", "opaque", "undecodable", "target_failed", "pending")


READS = {plant["name"]: 1 for plant in PLANTED}


def finding(cause, sql, params=None):
    return {"id": cause, "fingerprint": "0" * 16, "normalized": sql, "difference": "row_values", "cause": cause, "events": 1,
            "examples": [{"sql": sql, "params": params}]}


AS_PLANNED = {
    "ledger": {**dict.fromkeys(BINS, 0), "compared": 90, "skipped": 10},
    "ledger_reasons": {},
    "coverage": {"exchanges": 100},
    "findings": [
        finding("order_undefined", "SELECT id FROM products WHERE category = 'tea'"),
        finding("read_after_write", "SELECT id FROM orders WHERE id = 1601 AND customer_id = 950"),
        finding("nondeterministic", "SELECT RAND() AS draw"),
        finding("defect", "SELECT id, name, category, price, weight, added FROM products WHERE id = ?", [45]),
        finding("defect", "SELECT name, email, city FROM customers WHERE id = 131"),
        finding("defect", "SELECT id, status, total, placed FROM orders WHERE customer_id = 378 ORDER BY placed DESC LIMIT 10"),
        finding("defect", "SELECT id, stars, author, body FROM reviews WHERE product_id = 205 ORDER BY id"),
    ],
}


class Check(unittest.TestCase):
    def problems(self, change=lambda report: None, legacy_count=100):
        report = copy.deepcopy(AS_PLANNED)
        change(report)
        return check.problems(report, PLANTED, READS, legacy_count)

    def test_a_run_as_planned_has_no_problems(self):
        self.assertEqual(self.problems(), [])

    def test_a_missing_cause_and_an_unexpected_one_are_told(self):
        self.assertIn("no finding with cause order_undefined", self.problems(lambda report: report["findings"].pop(0)))
        told = self.problems(lambda report: report["findings"].append(finding("data_moved", "SELECT 1")))
        self.assertEqual(len(told), 1)
        self.assertIn("unexpected cause data_moved", told[0])

    def test_a_defect_that_was_not_planted_is_told(self):
        told = self.problems(lambda report: report["findings"].append(finding("defect", "SELECT price FROM products WHERE id = 456")))
        self.assertIn("not planted", told[0])
        self.assertEqual(told[1:], ["planted rows were read 4 times, the defects have 5 events"])

    def test_a_planted_row_that_was_not_found_is_told(self):
        self.assertEqual(self.problems(lambda report: report["findings"].pop()),
                         ["planted but not found: NULL for the empty review 2",
                          "planted rows were read 4 times, the defects have 3 events"])

    def test_a_ledger_that_does_not_add_up_to_what_legacy_counted_is_told(self):
        self.assertEqual(self.problems(legacy_count=101), ["the ledger holds 100 exchanges, legacy counted 101 commands"])
