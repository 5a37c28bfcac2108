import { describe, expect, it } from "vitest";
import { explain, type Block } from "../src/evidence";

const said = (blocks: Block[]) => blocks.flatMap((block) => (block.kind === "text" ? [block.text] : [])).join(" ");

describe("evidence in words", () => {
  it("names the write, its age and when the target agreed", () => {
    const blocks = explain({
      write: { session: 12, seq: 40, sql: "INSERT INTO orders VALUES (1)", table: "shop.orders", key: 4711, age_us: 1840 },
      staleness_us: [51840, 101900],
      ladder: [{ at_us: 0, side: "target", digest: "b", agrees: false }, { at_us: 50000, side: "target", digest: "a", agrees: true }],
    });
    expect(said(blocks)).toContain("a write to shop.orders, key 4711, 1.84 ms before this read (session 12, statement 40).");
    expect(said(blocks)).toContain("still stale after 51.8 ms and agreed after 102 ms");
    expect(blocks).toContainEqual({ kind: "sql", caption: "The write", sql: "INSERT INTO orders VALUES (1)" });
    expect(blocks.find((block) => block.kind === "ladder")).toMatchObject({ rungs: [{ agrees: false }, { agrees: true }] });
    expect(blocks.some((block) => block.kind === "rest")).toBe(false);
  });
  it("says who tied and who moved", () => {
    const blocks = explain({ rule: "ties", keys: [{ key: "price", descending: true }], tie_groups: [{ keys: ["12.00", null], first_row: 1, last_row: 3 }], rows: 6, moved_rows: 2, moves: [] });
    expect(said(blocks)).toContain("ORDER BY price DESC.");
    expect(said(blocks)).toContain("The same 6 rows on both sides, 2 of them in another place.");
    expect(blocks).toContainEqual({ kind: "table", caption: "Groups that tie", head: ["keys", "rows"], rows: [["('12.00', NULL)", "2 – 4"]] });
  });
  it("names functions and the columns they fill", () => {
    expect(said(explain({ functions: ["now", "rand"], columns: ["a", "b"] }))).toBe("NOW(), RAND() answer anew each time. Only a, b differ; every other cell is the same.");
  });
  it("shows a slower statement's quantiles, what was allowed and why", () => {
    const blocks = explain({
      vantage: { source: "tap", target: "client" }, control: "COM_PING", round_trip_us: 90, budget_round_trips: 1, budget_us: 2000, windows: 12, window_seconds: 1,
      quantiles: [{ quantile: 0.5, source_us: 200, target_us: 25400, control_us: 120, slower_by_us: 25080, interval_us: [24900, 25300], allowed_us: 2000, p_value: 0, regression: true }],
    });
    expect(blocks.find((block) => block.kind === "table")).toMatchObject({ rows: [["p50", "200 µs", "25.4 ms", "120 µs", "25.1 ms", "24.9 ms … 25.3 ms", "2.00 ms", "slower"]] });
    expect(said(blocks)).toContain("The budget is 1 round trip to the target (one takes 90 µs)");
    expect(said(blocks)).toContain("12 windows of 1 second hold executions on both sides.");
  });
  it("hides nothing that it doesn't know", () => {
    expect(explain({ moon: "full", deep: { a: [1] } })).toEqual([{ kind: "rest", entries: [["moon", "full"], ["deep", '{"a":[1]}']] }]);
  });
  it("survives evidence of any shape", () => {
    const odd = [null, 1, "x", [], {}, [null], [[1]], { number: "9007199254740993" }];
    const names = ["rule", "write", "staleness_us", "ladder", "keys", "tie_groups", "functions", "columns", "first_difference", "first_violation", "spellings", "re_queries", "reason", "only_source_rows", "target_error"];
    for (const name of names) for (const value of odd) expect(() => explain({ [name]: value as never })).not.toThrow();
  });
});
