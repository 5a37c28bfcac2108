// Lays two answers' rows beside each other: which are the same, which moved, which cells differ. Pure.
import type { Cell } from "./json";

export interface Placed {
  row: Cell[];
  at: number; // from 0, its place in its own answer
}

export interface RowPair {
  kind: "same" | "moved" | "changed" | "only_source" | "only_target";
  source: Placed | null;
  target: Placed | null;
  differing: boolean[]; // by column; only for changed
}

const aligned_limit = 250; // rows a side up to which the longest common run is looked for
const paired_limit = 40_000; // pairs of leftover rows up to which the most alike are looked for; above, by place

export function sameCell(a: Cell | undefined, b: Cell | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function layRows(source: Cell[][], target: Cell[][]): RowPair[] {
  const left = source.map((row, at) => ({ row, at, print: JSON.stringify(row) }));
  const right = target.map((row, at) => ({ row, at, print: JSON.stringify(row) }));
  if (isPermutation(left.map((r) => r.print), right.map((r) => r.print))) {
    return left.map((a, i) => {
      const b = right[i]!;
      return pair(a.print === b.print ? "same" : "moved", a, b);
    });
  }
  const pairs: RowPair[] = [];
  let i = 0;
  let j = 0;
  for (const [a, b] of [...commonRun(left.map((r) => r.print), right.map((r) => r.print)), [left.length, right.length] as const]) {
    pairs.push(...pairLeftovers(left.slice(i, a), right.slice(j, b)));
    if (a < left.length) pairs.push(pair("same", left[a]!, right[b]!));
    i = a + 1;
    j = b + 1;
  }
  return pairs;
}

function pair(kind: RowPair["kind"], source: Placed | null, target: Placed | null): RowPair {
  const width = Math.max(source?.row.length ?? 0, target?.row.length ?? 0);
  const differing = Array.from({ length: width }, (_, c) => kind === "changed" && !sameCell(source?.row[c], target?.row[c]));
  const place = (placed: Placed | null) => placed && { row: placed.row, at: placed.at };
  return { kind, source: place(source), target: place(target), differing };
}

function isPermutation(a: string[], b: string[]): boolean {
  if (a.length !== b.length) return false;
  const sorted = [...b].sort();
  return [...a].sort().every((print, i) => print === sorted[i]);
}

// Places of a longest common subsequence; of long answers, just what stands in the same place.
function commonRun(a: string[], b: string[]): [number, number][] {
  if (a.length > aligned_limit || b.length > aligned_limit) {
    return a.flatMap((print, i) => (print === b[i] ? [[i, i] as [number, number]] : []));
  }
  const length = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; --i) {
    for (let j = b.length - 1; j >= 0; --j) {
      length[i]![j] = a[i] === b[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
    }
  }
  const places: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) places.push([i++, j++]);
    else if (length[i + 1]![j]! >= length[i]![j + 1]!) ++i;
    else ++j;
  }
  return places;
}

// Between two equal rows: rows that share their first column, or half of their cells, are one row that changed; the rest
// stand on one side only.
function pairLeftovers(left: Placed[], right: Placed[]): RowPair[] {
  if (left.length * right.length > paired_limit) {
    return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
      const [a, b] = [left[i], right[i]];
      return a && b ? pair("changed", a, b) : a ? pair("only_source", a, null) : pair("only_target", null, b!);
    });
  }
  const taken = new Set<Placed>();
  const pairs: RowPair[] = [];
  for (const a of left) {
    const b = nearest(a, right.filter((candidate) => !taken.has(candidate)), left.length === 1 && right.length === 1);
    if (b) taken.add(b);
    pairs.push(b ? pair("changed", a, b) : pair("only_source", a, null));
  }
  for (const b of right) if (!taken.has(b)) pairs.push(pair("only_target", null, b));
  return pairs;
}

function nearest(a: Placed, candidates: Placed[], alone: boolean): Placed | null {
  let best: Placed | null = null;
  let most = -1;
  for (const b of candidates) {
    const first = sameCell(a.row[0], b.row[0]);
    const shared = a.row.filter((cell, c) => sameCell(cell, b.row[c])).length;
    const likeness = shared + (first ? a.row.length : 0);
    if (likeness <= most || !(alone || first || 2 * shared >= a.row.length)) continue;
    best = b;
    most = likeness;
  }
  return best;
}

export interface Piece {
  text: string;
  differs: boolean;
}

// Two texts cut where they differ: character by character where they are equally long, else from the first difference to
// the last.
export function differingPieces(a: string, b: string): [Piece[], Piece[]] {
  const left = [...a];
  const right = [...b];
  if (left.length === right.length) {
    return [pieces(left.map((c, i) => ({ text: c, differs: c !== right[i] }))), pieces(right.map((c, i) => ({ text: c, differs: c !== left[i] })))];
  }
  let front = 0;
  while (front < left.length && front < right.length && left[front] === right[front]) ++front;
  let back = 0;
  while (back < left.length - front && back < right.length - front && left[left.length - 1 - back] === right[right.length - 1 - back]) ++back;
  const cut = (of: string[]) => pieces(of.map((text, i) => ({ text, differs: i >= front && i < of.length - back })));
  return [cut(left), cut(right)];
}

function pieces(characters: Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const { text, differs } of characters) {
    const last = joined[joined.length - 1];
    if (last?.differs === differs) last.text += text;
    else joined.push({ text, differs });
  }
  return joined;
}
