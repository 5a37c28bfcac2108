// How numbers, times and cells read. Pure.
import type { Cell } from "./json";

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

export function plural(n: number, thing: string): string {
  return `${count(n)} ${thing}${n === 1 ? "" : "s"}`;
}

// Nearly all is never shown as all, and something never as nothing.
export function share(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = (100 * part) / whole;
  if (part < whole && percent > 99.9) return "> 99.9 %";
  if (part > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent.toFixed(1)} %`;
}

export function duration(us: number): string {
  if (us < 1000) return `${count(us)} µs`;
  const ms = us / 1000;
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

// "2026-11-21 03:05:52" of an RFC 3339 time; with the milliseconds where asked.
export function time(rfc3339: string, digits = 0): string {
  const [date = "", clock = ""] = rfc3339.replace("Z", "").split("T");
  return `${date} ${clock.slice(0, digits > 0 ? 9 + digits : 8)}`;
}

// The clock alone where it is the same day as the other time.
export function shortTime(rfc3339: string, near: string): string {
  return rfc3339.slice(0, 10) === near.slice(0, 10) ? time(rfc3339).slice(11) : time(rfc3339);
}

export function microsecondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) * 1000;
}

export function ago(seconds: number): string {
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${Math.round(seconds)} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

// A cell as plain text, without a mark of its kind.
export function cellText(cell: Cell): string {
  if (cell === null) return "NULL";
  if (Array.isArray(cell)) return `[${cell.map(cellLiteral).join(", ")}]`;
  if (typeof cell === "object") return "hex" in cell ? `0x${cell.hex}` : cell.number;
  return String(cell);
}

// A cell as SQL would write it: tells NULL from 'NULL' and 5 from '5'.
export function cellLiteral(cell: Cell): string {
  return typeof cell === "string" ? `'${cell.replaceAll("'", "''")}'` : cellText(cell);
}
