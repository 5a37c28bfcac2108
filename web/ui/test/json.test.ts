import { describe, expect, it } from "vitest";
import { parseExact } from "../src/json";

describe("JSON from the server", () => {
  it("keeps every digit of an integer that a double can't hold", () => {
    expect(parseExact("[9007199254740993, -18446744073709551615]")).toEqual([{ number: "9007199254740993" }, { number: "-18446744073709551615" }]);
  });
  it("leaves ordinary numbers numbers", () => {
    expect(parseExact('{"a":9007199254740991,"b":0.5,"c":-3,"d":1e3}')).toEqual({ a: 9007199254740991, b: 0.5, c: -3, d: 1000 });
  });
  it("never touches digits inside a string", () => {
    const text = '"id 9007199254740993, \\"9007199254740993\\" and \\\\"';
    expect(parseExact(`[${text}]`)).toEqual([JSON.parse(text)]);
  });
});
