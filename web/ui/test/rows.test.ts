import { describe, expect, it } from "vitest";
import { differingPieces, layRows } from "../src/rows";

const kinds = (pairs: ReturnType<typeof layRows>) => pairs.map((pair) => `${pair.kind}:${pair.source?.at ?? "-"}/${pair.target?.at ?? "-"}`);

describe("two answers beside each other", () => {
  it("marks the rows of a permutation that stand elsewhere, each on its own line", () => {
    expect(kinds(layRows([[1], [2], [3]], [[1], [3], [2]]))).toEqual(["same:0/0", "moved:1/1", "moved:2/2"]);
  });
  it("leaves a gap where a row is missing", () => {
    expect(kinds(layRows([[1], [2], [3]], [[1], [3]]))).toEqual(["same:0/0", "only_source:1/-", "same:2/1"]);
    expect(kinds(layRows([], [[7]]))).toEqual(["only_target:-/0"]);
  });
  it("pairs a row with the one that shares its first column, and marks the cells that differ", () => {
    const pairs = layRows([[1, "a", "x"], [2, "b", "y"]], [[2, "B", "y"], [1, "a", "X"]]);
    expect(kinds(pairs)).toEqual(["changed:0/1", "changed:1/0"]);
    expect(pairs[0]!.differing).toEqual([false, false, true]);
    expect(pairs[1]!.differing).toEqual([false, true, false]);
  });
  it("doesn't take two rows for one because they share a city", () => {
    const pairs = layRows([[12, "Farid", "Aarhus"], [24, "Ann", "Aarhus"]], [[192, "Jan", "Aarhus"], [24, "Ann", "Aarhus"]]);
    expect(kinds(pairs)).toEqual(["changed:0/0", "same:1/1"]); // alone between two equal rows: it can only be the other one
    expect(kinds(layRows([[12, "Farid", "Aarhus"], [36, "Eva", "Aarhus"]], [[192, "Jan", "Aarhus"], [204, "Bo", "Aarhus"]]))).toEqual(
      ["only_source:0/-", "only_source:1/-", "only_target:-/0", "only_target:-/1"]);
  });
  it("tells NULL from the empty string and 5 from '5'", () => {
    expect(layRows([[1, null, 5]], [[1, "", "5"]])[0]!.differing).toEqual([false, true, true]);
  });
  it("pairs two single rows even where nothing is the same", () => {
    expect(kinds(layRows([[812]], [[811]]))).toEqual(["changed:0/0"]);
  });
  it("shows every row of both sides exactly once, whatever they are", () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
    for (let round = 0; round < 300; ++round) {
      const rows = () => Array.from({ length: random(8) }, () => [random(3), random(3)]);
      const [a, b] = [rows(), rows()];
      const pairs = layRows(a, b);
      const places = (side: "source" | "target") => pairs.flatMap((pair) => (pair[side] ? [pair[side].at] : [])).sort((x, y) => x - y);
      expect(places("source")).toEqual(a.map((_, i) => i));
      expect(places("target")).toEqual(b.map((_, i) => i));
    }
  });
  it("answers at once for two long answers", () => {
    const rows = Array.from({ length: 5000 }, (_, i) => [i]);
    const other = rows.map(([i]) => [i! + 1]);
    const begun = Date.now();
    expect(layRows(rows, other).length).toBeGreaterThanOrEqual(5000);
    expect(Date.now() - begun).toBeLessThan(2000);
  });
});

describe("two texts", () => {
  const marked = (a: string, b: string) => differingPieces(a, b).map((pieces) => pieces.map((p) => (p.differs ? `[${p.text}]` : p.text)).join(""));
  it("of one length differ character by character", () => expect(marked("'Ann O'", "'ann o'")).toEqual(["'[A]nn [O]'", "'[a]nn [o]'"]));
  it("differ by a blank at the end", () => expect(marked("'x'", "'x '")).toEqual(["'x'", "'x[ ]'"]));
  it("of several code units stay whole", () => expect(marked("a😀c", "a😁c")).toEqual(["a[😀]c", "a[😁]c"]));
  it("repeat a part without overlap", () => expect(marked("aa", "aaa")).toEqual(["aa", "aa[a]"]));
});
