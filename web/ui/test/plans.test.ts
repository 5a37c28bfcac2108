import { describe, expect, it } from "vitest";
import { layPlans } from "../src/plans";

describe("two plans beside each other", () => {
  it("marks the cells that differ, and leaves out columns that are empty on both sides", () => {
    const plans = layPlans({ sql: "SELECT 1", reference: [{ id: 1, type: "const", key: "PRIMARY", partitions: null }], target: [{ id: 1, type: "ALL", key: null, partitions: null }] })!;
    expect(plans.target).toEqual({ kind: "table", columns: ["id", "type", "key"], rows: [{ cells: ["1", "ALL", ""], differing: [false, true, true] }] });
    expect(plans.reference).toEqual({ kind: "table", columns: ["id", "type", "key"], rows: [{ cells: ["1", "const", "PRIMARY"], differing: [false, true, true] }] });
  });
  it("marks nothing where the other side shows its plan in another way", () => {
    const plans = layPlans({ sql: "SELECT 1", reference: [{ id: 1, type: "const" }], target: [{ JSON: '{"OperatorType":"Route"}' }] })!;
    expect(plans.target).toEqual({ kind: "text", text: '{\n  "OperatorType": "Route"\n}' });
    expect(plans.reference).toMatchObject({ rows: [{ differing: [false, false] }] });
  });
  it("keeps a tree as it is, an error as its words, and says who was not asked", () => {
    const plans = layPlans({ sql: "SELECT 1", reference: null, target: { error: "no such command" } })!;
    expect(plans.reference).toBeNull();
    expect(plans.target).toEqual({ kind: "error", message: "no such command" });
    expect(layPlans({ sql: "x", reference: [{ EXPLAIN: "-> Limit\n    -> Sort" }], target: null })!.reference).toEqual({ kind: "text", text: "-> Limit\n    -> Sort" });
    expect(layPlans(null)).toBeNull();
  });
});
