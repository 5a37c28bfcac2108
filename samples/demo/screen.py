"""One screen of what a run found: the ledger, the findings by cause with a sample each, and both sides' latency."""

import shutil

ORDER = ("defect", "order_violated", "stale_read", "unsupported", "read_after_write", "order_undefined", "nondeterministic")
MEANING = {
    "defect": "nothing excuses it: look at this first",
    "read_after_write": "a row read back before it had reached the new stack",
    "order_undefined": "no ORDER BY (or ties) promised what legacy happened to give",
    "nondeterministic": "RAND(), NOW() and their like",
}


def milliseconds(microseconds):
    return f"{microseconds / 1000:.1f} ms"


def ledger(report):
    filled = {bin: count for bin, count in report["ledger"].items() if count}
    yield f"Ledger   {sum(filled.values())} exchanges = " + " + ".join(f"{n} {bin}" for bin, n in filled.items())
    for bin in sorted(report["ledger_reasons"]):
        reasons = ", ".join(f"{n} {why}" for why, n in sorted(report["ledger_reasons"][bin].items()) if n)
        if reasons:
            yield f"         {bin}: {reasons}"


def findings(report, width):
    by_cause = {}
    for finding in report["findings"]:
        by_cause.setdefault(finding["cause"], []).append(finding)
    for cause in sorted(by_cause, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
        group = by_cause[cause]
        events = sum(finding["events"] for finding in group)
        yield f"{cause:17} {len(group):3} findings, {events:4} events   {MEANING.get(cause, '')}"
        sample = max(group, key=lambda finding: (finding["events"], finding["id"]))
        yield clip(f"    e.g. {sample['difference']} ({sample['level']}): {sample['normalized']}", width)


def latency(report, width, most=4):
    sides = {}
    for row in report["latency"]:
        sides.setdefault(row["fingerprint"], {})[row["side"]] = row
    both = [pair for pair in sides.values() if "source" in pair and "target" in pair]
    texts = {finding["fingerprint"]: finding["normalized"] for finding in report["findings"]}
    both.sort(key=lambda pair: (pair["source"]["fingerprint"] not in texts, -pair["source"]["n"]))
    for pair in both[:most]:
        source, target = pair["source"], pair["target"]
        name = texts.get(source["fingerprint"], source["fingerprint"])
        yield clip(f"  legacy p50 {milliseconds(source['p50_us']):>8} p95 {milliseconds(source['p95_us']):>8} "
                   f"({source['vantage']}) | new p50 {milliseconds(target['p50_us']):>8} p95 {milliseconds(target['p95_us']):>8} "
                   f"({target['vantage']}) | n={source['n']:<4} {name}", width)


def clip(text, width):
    text = " ".join(text.split()) if "  " not in text[:8] else text
    return text if len(text) <= width else text[:width - 1] + "…"


def show(report, legacy_text):
    width = max(80, shutil.get_terminal_size((140, 24)).columns)
    print()
    for line in ledger(report):
        print(clip(line, width))
    print(clip(f"Legacy   counted {legacy_text}", width * 3))
    print()
    for line in findings(report, width):
        print(line)
    print("\nLatency of both sides, where they were measured in brackets:")
    for line in latency(report, width):
        print(line)
