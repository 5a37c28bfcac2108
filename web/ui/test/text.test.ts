import { describe, expect, it } from "vitest";
import { ago, cellLiteral, cellText, duration, microsecondsBetween, share, shortTime, time } from "../src/format";
import { parseRoute, printRoute } from "../src/route";
import { tokens } from "../src/sql";
import { cause_order, difference_order } from "../src/words";

describe("numbers and times", () => {
  it("never shows nearly all as all, nor something as nothing", () => {
    expect(share(99_999, 100_000)).toBe("> 99.9 %");
    expect(share(1, 100_000)).toBe("< 0.1 %");
    expect(share(5, 5)).toBe("100.0 %");
    expect(share(0, 0)).toBe("–");
  });
  it("gives durations three digits and a unit", () => {
    expect([7, 999, 1840, 51_840, 101_900, 5_000_000, 61_000_000].map(duration)).toEqual(["7 µs", "999 µs", "1.84 ms", "51.8 ms", "102 ms", "5.00 s", "1 min 1 s"]);
  });
  it("reads the contract's times", () => {
    expect(time("2026-11-21T03:05:52.123456789Z")).toBe("2026-11-21 03:05:52");
    expect(time("2026-11-21T03:05:52.123456789Z", 6)).toBe("2026-11-21 03:05:52.123456");
    expect(shortTime("2026-11-21T03:05:52Z", "2026-11-21T09:00:00Z")).toBe("03:05:52");
    expect(shortTime("2026-11-20T03:05:52Z", "2026-11-21T09:00:00Z")).toBe("2026-11-20 03:05:52");
    expect(microsecondsBetween("2026-11-21T03:00:00.000000000Z", "2026-11-21T03:00:01.500000000Z")).toBe(1_500_000);
    expect([0, 30, 600, 90_000].map(ago)).toEqual(["just now", "30 s ago", "10 min ago", "25 h ago"]);
  });
});

describe("cells", () => {
  it("are told apart when written as SQL", () => {
    expect([null, "NULL", 5, "5", "it's", { hex: "00ff" }, { number: "9007199254740993" }, [1, "a"]].map((cell) => cellLiteral(cell))).toEqual(
      ["NULL", "'NULL'", "5", "'5'", "'it''s'", "0x00ff", "9007199254740993", "[1, 'a']"]);
    expect(cellText("it's")).toBe("it's");
  });
});

describe("SQL tokens", () => {
  it("give the text back as it was", () => {
    for (const sql of ["SELECT a, 'it''s' FROM `t` WHERE b = ? -- end", "/* open", "'open", "SELECT 1e5 # x\n+ 0xFF", "é 漢字 \\ ;", ""]) {
      expect(tokens(sql).map((token) => token.text).join("")).toBe(sql);
    }
  });
  it("know a keyword from a name, a string and a comment", () => {
    const kinds = tokens("SELECT name FROM t /* FROM */ WHERE x = 'FROM'").filter((token) => token.kind !== "other").map((token) => `${token.kind} ${token.text}`);
    expect(kinds).toEqual(["keyword SELECT", "name name", "keyword FROM", "name t", "comment /* FROM */", "keyword WHERE", "name x", "string 'FROM'"]);
  });
});

describe("the address", () => {
  it("says what is shown and is read back", () => {
    const route = { run: 3, finding: "00ff", filters: { cause: "defect", difference: "", status: "open", q: "a & b" } };
    expect(parseRoute(printRoute(route))).toEqual(route);
    expect(parseRoute("#run=x&run=")).toEqual({ run: null, finding: null, filters: { cause: "", difference: "", status: "", q: "" } });
  });
});

describe("words", () => {
  it("exist for every cause and difference of the contract", () => {
    expect([...cause_order].sort()).toEqual(["data_moved", "defect", "nondeterministic", "normalization", "order_undefined", "order_violated", "read_after_write",
      "replay_artifact", "skipped_write", "stale_read", "unexamined", "unsupported"]);
    expect(difference_order).toHaveLength(14);
  });
});
