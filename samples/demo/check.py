"""Did the run find exactly what was planted? Works on `darktap report --format json` alone."""

import json
import re

EXPECTED_CAUSES = {"order_undefined", "read_after_write", "nondeterministic", "defect"}
# Nothing of the demo's traffic may end here: it is plain, complete, and the new stack is up.
EMPTY_BINS = ("shed", "unobserved", "opaque", "undecodable", "target_failed", "pending")


def reads_planted(example, planted):
    """Does the example's statement read the row that this plant made wrong? Parameters stand behind the text."""
    text = f"{example['sql']} {json.dumps(example.get('params') or [])}"
    return re.search(planted["read_by"], text) is not None


def problems(report, planted, reads, legacy_count):
    """What differs from the expectation, one sentence each; empty when all is as planted. `reads` tells how often the shop
    read each planted row."""
    found = []
    # How fast the machine of the demo is, is none of its facts; what is slower is shown all the same.
    findings = [finding for finding in report["findings"] if finding["difference"] != "latency_regression"]
    causes = {finding["cause"] for finding in findings}
    for cause in sorted(EXPECTED_CAUSES - causes):
        found.append(f"no finding with cause {cause}")
    for finding in findings:
        if finding["cause"] not in EXPECTED_CAUSES:
            found.append(f"unexpected cause {finding['cause']} ({finding['difference']}, {finding['events']} times): "
                         f"{finding['normalized']}")
    defects = [finding for finding in findings if finding["cause"] == "defect"]
    for finding in defects:
        for example in finding["examples"]:
            if not any(reads_planted(example, plant) for plant in planted):
                found.append(f"a defect that was not planted ({finding['difference']}): {example['sql']} "
                             f"{example.get('params') or ''}")
    for plant in planted:
        if not any(reads_planted(example, plant) for finding in defects for example in finding["examples"]):
            found.append(f"planted but not found: {plant['name']}")
    events = sum(finding["events"] for finding in defects)
    if events != sum(reads.values()):
        found.append(f"planted rows were read {sum(reads.values())} times, the defects have {events} events")
    ledger = report["ledger"]
    for bin in EMPTY_BINS:
        if ledger[bin]:
            found.append(f"{ledger[bin]} exchanges in bin {bin}: {report['ledger_reasons'].get(bin, '')}")
    total = sum(ledger.values())
    if total != report["coverage"]["exchanges"]:
        found.append(f"the ledger's bins sum to {total}, coverage says {report['coverage']['exchanges']} exchanges")
    if total != legacy_count:
        found.append(f"the ledger holds {total} exchanges, legacy counted {legacy_count} commands")
    return found
