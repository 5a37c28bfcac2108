// JSON whose integers keep all their digits: JavaScript's numbers would make two different BIGINTs look the same.

export type Exact = { number: string };
export type Cell = null | boolean | number | string | { hex: string } | Exact | Cell[];
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

// Numbers that a double can't hold become {number: "their digits"}.
export function parseExact(text: string): unknown {
  return JSON.parse(text.replace(token, (part) => (isExact(part) ? part : `{"number":"${part}"}`)));
}

function isExact(part: string): boolean {
  if (part.startsWith('"') || part.length < 16) return true;
  return /^-?\d+$/.test(part) ? Number.isSafeInteger(Number(part)) : String(Number(part)) === part;
}
