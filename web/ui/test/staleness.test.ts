import { expect, test } from "vitest";
import type { StalenessRow } from "../src/api";
import { bars, summary } from "../src/staleness";

const delays = { n: 3, p50_us: 40_000, p95_us: 90_000, p99_us: 90_000, max_us: 90_000 };
const row: StalenessRow = {
  table: "shop.people", cause: "read_after_write", n: 4, measured_from: "write_ok", age: delays, stale_for_at_least: delays, agreed_within: delays,
  bins: [{ up_to_us: 50_000, age: 2, stale_for_at_least: 1, agreed_within: 2 }, { up_to_us: null, age: 0, stale_for_at_least: 3, agreed_within: 1 }],
};

test("bars show until when the target agreed, of the highest one", () => {
  expect(bars(row)).toEqual([{ label: "50.0 ms", n: 2, share: 1 }, { label: "more", n: 1, share: 0.5 }]);
});

test("where it was never seen to agree, they show how long it was stale at least", () => {
  expect(bars({ ...row, agreed_within: null }).map((bar) => bar.n)).toEqual([1, 3]);
});

test("reads with no write seen are counted apart, tables once", () => {
  expect(summary([row, { ...row, cause: "stale_read", n: 1 }])).toBe("5 stale reads of 1 table: 4 after a write that was seen, 1 without one");
});
