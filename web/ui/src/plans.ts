// EXPLAIN's answers of both sides, made ready to lie beside each other: what differs is marked, what is empty on both is left
// out, and a plan that is one text (a tree, JSON) is shown as a text. Pure.
import { cellText } from "./format";
import type { Cell, Json } from "./json";

export type Plan =
  | { kind: "table"; columns: string[]; rows: { cells: string[]; differing: boolean[] }[] }
  | { kind: "text"; text: string }
  | { kind: "error"; message: string };

export interface Plans {
  sql: string;
  reference: Plan | null; // null: it was not asked
  target: Plan | null;
}

type Fields = { [key: string]: Json };
const isObject = (value: Json | undefined): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

export function layPlans(explain: Json | undefined): Plans | null {
  if (!isObject(explain) || typeof explain.sql !== "string") return null;
  const [reference, target] = [rowsOf(explain.reference), rowsOf(explain.target)];
  return { sql: explain.sql, reference: plan(explain.reference, reference, target), target: plan(explain.target, target, reference) };
}

function rowsOf(side: Json | undefined): Fields[] {
  return Array.isArray(side) ? side.filter(isObject) : [];
}

function plan(side: Json | undefined, rows: Fields[], others: Fields[]): Plan | null {
  if (isObject(side) && typeof side.error === "string") return { kind: "error", message: side.error };
  if (!Array.isArray(side)) return null;
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 1) return { kind: "text", text: rows.map((row) => pretty(row[names[0]!])).join("\n") };
  // Columns that neither side fills say nothing: partitions, most often.
  const columns = names.filter((name) => [...rows, ...others].some((row) => (row[name] ?? null) !== null));
  // Of a plan that the other product shows in another way nothing is marked.
  const comparable = others.length > 0 && columns.every((name) => others.some((row) => name in row));
  return {
    kind: "table",
    columns,
    rows: rows.map((row, r) => ({
      cells: columns.map((name) => shown(row[name])),
      differing: columns.map((name) => comparable && shown(row[name]) !== shown(others[r]?.[name])),
    })),
  };
}

function shown(value: Json | undefined): string {
  return value === null || value === undefined ? "" : isObject(value) && !("number" in value) && !("hex" in value) ? JSON.stringify(value) : cellText(value as Cell);
}

function pretty(value: Json | undefined): string {
  if (typeof value !== "string") return shown(value);
  try {
    return /^\s*[[{]/.test(value) ? JSON.stringify(JSON.parse(value), null, 2) : value;
  } catch {
    return value;
  }
}
