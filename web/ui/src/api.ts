// What the server answers (web/include/web/triage_api.h), as types; and the requests for it.
import { parseExact, type Cell, type Json } from "./json";

export type Status = "open" | "accepted" | "fixed" | "ignored";
export const statuses: readonly Status[] = ["open", "accepted", "fixed", "ignored"];

export interface RunInfo {
  id: number;
  mode: string;
  pace: string;
  order: string;
  started: string;
  finished: string | null;
  flushed: string;
  source: string | null;
  target: string | null;
  reference: string | null;
  target_follows: string;
  build: string;
  questions: Record<string, { n: number; time_us: number }>;
  round_trips: { capture: { tap_to_server_us: number | null; tap_to_client_us: number | null; handshakes: number; acknowledgements: number } | null; target_us: number | null };
}

export interface LatencyRow {
  fingerprint: string;
  side: string;
  vantage: string;
  n: number;
  p50_us: number;
  p95_us: number;
  p99_us: number;
  p999_us: number;
  max_us: number;
}

export interface Delays {
  n: number;
  p50_us: number;
  p95_us: number;
  p99_us: number;
  max_us: number;
}

export interface StalenessRow {
  table: string;
  cause: string;
  n: number;
  measured_from: "write_ok" | "source_answer";
  age: Delays | null;
  stale_for_at_least: Delays | null;
  agreed_within: Delays | null;
  bins: { up_to_us: number | null; age: number; stale_for_at_least: number; agreed_within: number }[];
}

export interface FindingHead {
  id: string;
  fingerprint: string;
  normalized: string;
  difference: string;
  cause: string;
  level: string;
  events: number;
  executions: number;
  examined: number;
  first_time: string;
  last_time: string;
  status: Status;
  counts: boolean;
  note: string;
}

export interface Facets {
  cause: Record<string, number>;
  difference: Record<string, number>;
  status: Record<string, number>;
}

export interface Run {
  run: RunInfo;
  ledger: Record<string, number>;
  ledger_reasons: Record<string, Record<string, number>>;
  coverage: { exchanges: number; compared: number; fingerprints: number; fingerprints_compared: number; server_questions: number | null };
  latency: LatencyRow[];
  staleness: StalenessRow[];
  findings_total: number;
  findings_matching: number;
  findings_counting: number;
  facets: Facets;
  findings: FindingHead[];
}

export interface Answer {
  outcome?: string;
  why?: string;
  error?: { code: number; sqlstate: string; message: string };
  columns?: string[];
  rows?: Cell[][];
  row_count?: number;
  rows_shown?: number;
  digest?: string;
  affected_rows?: number;
  last_insert_id?: number | { number: string };
  warnings?: number;
  too_long_to_keep?: boolean;
  bytes?: number;
}

export type Evidence = { [key: string]: Json };

export interface Example {
  session: number;
  seq: number;
  time: string;
  sql: string;
  params: Cell[];
  source: Answer;
  target: Answer;
  evidence: Evidence;
  provenance: { file: string; packet: number };
  session_strip?: { seq: number; sql: string; class: string; write: boolean }[];
  explain?: Json;
}

export interface HistoryLine {
  time: string;
  author: string;
  before: Status;
  after: Status;
  note: string;
}

export interface Finding extends FindingHead {
  author: string;
  evidence: Evidence;
  examples: Example[];
  latency: LatencyRow[];
  history: HistoryLine[];
}

export interface Triage {
  id: string;
  status: Status;
  note: string;
  author: string;
  history: HistoryLine[];
}

export interface Filters {
  cause: string;
  difference: string;
  status: string;
  q: string;
}

// The server's own line, or why there is none.
export class ApiError extends Error {
  constructor(readonly status: number, line: string) {
    super(line);
  }
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new ApiError(0, "darktap doesn't answer: is it still running?");
  }
  const text = await response.text();
  if (response.ok) return parseExact(text) as T;
  let line = text.trim();
  try {
    line = (JSON.parse(text) as { error: string }).error;
  } catch {
    // A refusal by the guard is plain text.
  }
  throw new ApiError(response.status, line);
}

export const listRuns = () => ask<{ runs: RunInfo[] }>("/api/runs");

export function getRun(id: number, filters: Filters, limit: number): Promise<Run> {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
  return ask<Run>(`/api/runs/${id}?${query}`);
}

export const getFinding = (run: number, id: string) => ask<Finding>(`/api/runs/${run}/findings/${encodeURIComponent(id)}`);

export function changeTriage(id: string, change: { status: Status; note: string; author: string }): Promise<Triage> {
  return ask<Triage>(`/api/findings/${encodeURIComponent(id)}/triage`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(change),
  });
}
