// Evidence in words: each part of the evidence object that a person should read becomes a sentence, a table, a statement
// or a ladder; what is left is shown as it stands, so nothing is hidden. Pure.
import type { Evidence } from "./api";
import { cellLiteral, cellText, count, duration, plural } from "./format";
import type { Cell, Json } from "./json";

export interface Rung {
  at_us: number;
  side: string;
  digest: string;
  agrees: boolean;
}

export type Block =
  | { kind: "text"; text: string }
  | { kind: "advice"; text: string }
  | { kind: "table"; caption: string; head: string[]; rows: string[][] }
  | { kind: "sql"; caption: string; sql: string }
  | { kind: "ladder"; rungs: Rung[] }
  | { kind: "rest"; entries: [string, string][] };

type Fields = { [key: string]: Json };

const rule_words: Record<string, string> = {
  no_order_by: "The statement has no ORDER BY, so neither server promised an order.",
  ties: "All rows that moved lie within groups that tie on the ORDER BY keys: among equals neither server promised an order.",
  order_by_nondeterministic_function: "The statement orders by a function that answers anew each time.",
  representative_of_a_group: "The column shows one row of a group, and nothing says which one: both servers chose from the same group.",
  list_built_over_unordered_rows: "The value is a list built over rows without an order of their own; both lists hold the same members.",
};

const attribution_words: Record<string, string> = {
  own_session: "It came from the same session: the application read its own write.",
  same_request: "It came from the same request of the application, over another connection.",
  same_host: "It came from another session of the same client host.",
  other_session: "It came from another session.",
};

const isObject = (value: Json | undefined): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is Json[] => Array.isArray(value);
const number = (value: Json | undefined): number | null =>
  typeof value === "number" ? value : isObject(value) && typeof value.number === "string" ? Number(value.number) : null;
const text = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);
const strings = (value: Json | undefined): string[] => (isList(value) ? value.map((v) => cellText(v as Cell)) : []);
const row = (value: Json | undefined): string => (isList(value) ? `(${value.map((v) => cellLiteral(v as Cell)).join(", ")})` : "");
const listed = (names: string[]): string => names.join(", ");

// Takes fields out of the object as it explains them; what it leaves is the rest.
class Reader {
  readonly blocks: Block[] = [];
  constructor(private readonly fields: Fields) {}

  take(name: string): Json | undefined {
    const value = this.fields[name];
    delete this.fields[name];
    return value;
  }
  say(sentence: string): void {
    this.blocks.push({ kind: "text", text: sentence });
  }
  rest(): [string, string][] {
    return Object.entries(this.fields).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  }
}

export function explain(evidence: Evidence): Block[] {
  const reader = new Reader({ ...evidence });
  for (const part of [explainRule, explainWrite, explainOrder, explainTies, explainFunctions, explainRules, explainLeftovers, explainErrors,
    explainLadder, explainLatency, explainQuestions, explainNotes]) part(reader);
  const rest = reader.rest();
  if (rest.length > 0) reader.blocks.push({ kind: "rest", entries: rest });
  return reader.blocks;
}

function explainRule(reader: Reader): void {
  for (const name of ["rule", "value_rule"]) {
    const rule = text(reader.take(name));
    if (rule) reader.say(rule_words[rule] ?? `Rule: ${rule.replaceAll("_", " ")}.`);
  }
  const columns = strings(reader.take("list_columns"));
  if (columns.length > 0) reader.say(`In ${columns.length === 1 ? "column" : "columns"} ${listed(columns)}.`);
}

function explainWrite(reader: Reader): void {
  const write = reader.take("write");
  const staleness = reader.take("staleness_us");
  if (isObject(write)) {
    const age = number(write.age_us);
    const key = write.key === null || write.key === undefined ? "" : `, key ${isObject(write.key) || isList(write.key) ? JSON.stringify(write.key) : cellText(write.key as Cell)}`;
    reader.say(
      `The tap saw a write to ${text(write.table) ?? "this table"}${key}` +
        (age === null ? "" : `, ${duration(age)} before this read`) +
        ` (session ${cellText(write.session as Cell)}, statement ${cellText(write.seq as Cell)}).`,
    );
    const sql = text(write.sql);
    if (sql) reader.blocks.push({ kind: "sql", caption: "The write", sql });
  }
  const attribution = text(reader.take("attribution"));
  if (attribution) reader.say(attribution_words[attribution] ?? `Attributed to it by: ${attribution.replaceAll("_", " ")}.`);
  if (isList(staleness)) {
    const [stale, fresh] = staleness.map((value) => number(value));
    if (stale !== null && stale !== undefined && fresh !== null && fresh !== undefined) {
      reader.say(`Counted from the write's OK, the target was still stale after ${duration(stale)} and agreed after ${duration(fresh)}.`);
    }
  }
  if (reader.take("source_shows_what_it_wrote") === true) reader.say("The source's answer shows what this write wrote, the target's first answer does not.");
  explainWitnesses(reader);
}

function explainWitnesses(reader: Reader): void {
  const older = reader.take("older_version");
  if (isObject(older)) {
    const place = `session ${cellText(older.session as Cell)}, statement ${cellText(older.seq as Cell)}, at ${text(older.time) ?? "?"}`;
    const sql = text(older.sql);
    reader.say(older.witness === "read" ? `The target's answer is an older version: production answered the same to an earlier read (${place}).`
      : `The target's answer is an older version: an earlier write had left it in the row (${place}).`);
    if (sql) reader.blocks.push({ kind: "sql", caption: "The earlier write", sql });
  }
  const gtid = reader.take("gtid");
  if (isObject(gtid)) {
    const later = gtid.on_target_when_agreed === true ? " It had it when it agreed." : "";
    reader.say(`The write's GTID is ${text(gtid.gtid) ?? "?"}: ${gtid.on_target_at_first === true ? "the target had applied it when it was first asked" : "the target had not applied it when it was first asked"}.${later}`);
  }
}

function explainLatency(reader: Reader): void {
  const quantiles = reader.take("quantiles");
  if (!isList(quantiles) || quantiles.length === 0) return;
  const took = (value: Json | undefined): string => {
    const us = number(value);
    return us === null ? "" : us < 0 ? `−${duration(-us)}` : duration(us);
  };
  const rows = quantiles.filter(isObject).map((at) => {
    const interval = isList(at.interval_us) ? at.interval_us.map(took).join(" … ") : "";
    return [`p${(number(at.quantile) ?? 0) * 100}`, took(at.source_us), took(at.target_us), took(at.control_us), took(at.slower_by_us), interval, took(at.allowed_us), at.regression === true ? "slower" : "within"];
  });
  reader.blocks.push({ kind: "table", caption: "Latency of both sides, time windows side by side", head: ["", "source", "target", "control", "slower by", "95 % interval", "allowed", ""], rows });
  const control = text(reader.take("control"));
  if (control) reader.say(`Control: ${control}.`);
  const trips = number(reader.take("budget_round_trips"));
  const trip = number(reader.take("round_trip_us"));
  const budget = number(reader.take("budget_us"));
  if (trips !== null && trip !== null && budget !== null) reader.say(`The budget is ${plural(trips, "round trip")} to the target (one takes ${duration(trip)}), at least the floor of what two vantages can tell apart: ${duration(budget)}.`);
  const windows = number(reader.take("windows"));
  const seconds = number(reader.take("window_seconds"));
  if (windows !== null && seconds !== null) reader.say(`${plural(windows, "window")} of ${plural(seconds, "second")} hold executions on both sides.`);
}

function explainLadder(reader: Reader): void {
  const ladder = reader.take("ladder");
  if (!isList(ladder)) return;
  const rungs = ladder.filter(isObject).map((rung) => ({
    at_us: number(rung.at_us) ?? 0,
    side: text(rung.side) ?? "",
    digest: text(rung.digest) ?? "",
    agrees: rung.agrees === true,
  }));
  if (rungs.length > 0) reader.blocks.push({ kind: "ladder", rungs });
}

function explainOrder(reader: Reader): void {
  const keys = reader.take("keys");
  if (isList(keys) && keys.length > 0) {
    const printed = keys.filter(isObject).map((key) => `${cellText(key.key as Cell)}${key.descending === true ? " DESC" : ""}`);
    reader.say(`ORDER BY ${listed(printed)}.`);
  }
  const violation = reader.take("first_violation");
  if (isObject(violation)) {
    reader.say(`At row ${(number(violation.row) ?? 0) + 1} the source's key is ${row(violation.source_keys)}, the target's ${row(violation.target_keys)}: the order parts here.`);
  }
  const rows = number(reader.take("rows"));
  const moved = number(reader.take("moved_rows"));
  if (moved !== null && moved > 0) {
    reader.say(rows === null ? `${plural(moved, "row")} in another place.` : `The same ${plural(rows, "row")} on both sides, ${count(moved)} of them in another place.`);
  }
  reader.take("moves"); // the examples show where each row went
}

function explainTies(reader: Reader): void {
  const groups = reader.take("tie_groups");
  if (!isList(groups) || groups.length === 0) return;
  reader.blocks.push({
    kind: "table",
    caption: "Groups that tie",
    head: ["keys", "rows"],
    rows: groups.filter(isObject).map((group) => {
      const first = (number(group.first_row) ?? 0) + 1;
      const last = (number(group.last_row) ?? 0) + 1;
      return [row(group.keys), first === last ? String(first) : `${first} – ${last}`];
    }),
  });
}

function explainFunctions(reader: Reader): void {
  const functions = strings(reader.take("functions")).map((name) => (name.startsWith("@@") ? name : `${name.toUpperCase()}()`));
  const columns = strings(reader.take("columns"));
  const where = columns.length > 0 ? ` Only ${listed(columns)} ${columns.length === 1 ? "differs" : "differ"}; every other cell is the same.` : "";
  if (functions.length > 0) reader.say(`${listed(functions)} ${functions.length === 1 ? "answers" : "answer"} anew each time.${where}`);
  else if (where) reader.say(where.trim());
}

function explainRules(reader: Reader): void {
  const rules = strings(reader.take("normalization_rules"));
  if (rules.length > 0) reader.say(`Equal under ${rules.length === 1 ? "the rule" : "the rules"} ${listed(rules)}.`);
}

function explainLeftovers(reader: Reader): void {
  const only_source = number(reader.take("only_source_rows"));
  const only_target = number(reader.take("only_target_rows"));
  reader.take("only_source"); // the examples show the rows
  reader.take("only_target");
  if (only_source || only_target) {
    reader.say(`${plural(only_source ?? 0, "row")} only in the source's answer, ${plural(only_target ?? 0, "row")} only in the target's.`);
  }
  const first = reader.take("first_difference");
  if (isObject(first)) {
    reader.say(`First difference, column ${cellText(first.column as Cell)}: ${cellLiteral(first.source as Cell)} at the source, ${cellLiteral(first.target as Cell)} at the target.`);
  }
  const choose = [number(reader.take("reference_rows_to_choose_from")), number(reader.take("target_rows_to_choose_from"))];
  if (choose[0] !== null && choose[1] !== null) {
    reader.say(`The tie at the cut has ${plural(choose[0] ?? 0, "row")} to choose from on the reference, ${count(choose[1] ?? 0)} on the target.`);
  }
  const both = reader.take("every_differing_row_on_both_sides");
  if (both === true) reader.say("Every differing row is there on both sides.");
  for (const [name, words] of [["source_row_not_on_target", "This row of the source is not on the target"], ["target_row_not_on_reference", "This row of the target is not on the reference"]] as const) {
    const found = reader.take(name);
    if (found !== undefined) reader.say(`${words}: ${row(found)}.`);
  }
}

function explainErrors(reader: Reader): void {
  for (const [name, side] of [["source_error", "source"], ["target_error", "target"]] as const) {
    const error = reader.take(name);
    if (isObject(error)) reader.say(`The ${side} answered error ${cellText(error.code as Cell)}${text(error.class) ? ` (${text(error.class)})` : ""}: ${text(error.message) ?? ""}`);
  }
}

function explainQuestions(reader: Reader): void {
  for (const [name, caption] of [["key_question", "Asked for the keys"], ["collation_question", "Asked about the collation"]] as const) {
    const sql = text(reader.take(name));
    if (sql) reader.blocks.push({ kind: "sql", caption, sql });
  }
  const spellings = reader.take("spellings");
  if (isList(spellings)) {
    reader.blocks.push({
      kind: "table",
      caption: "Spellings, as the source's collation compares them",
      head: ["source", "target", "equal"],
      rows: spellings.filter(isObject).map((s) => [cellLiteral(s.source as Cell), cellLiteral(s.target as Cell), s.equal === true ? "yes" : "no"]),
    });
  }
  const queries = reader.take("re_queries");
  if (!isList(queries)) return;
  for (const query of queries) {
    if (typeof query === "string") reader.blocks.push({ kind: "sql", caption: "Asked again, without the cut", sql: query });
    if (!isObject(query)) continue;
    const { sql, ...facts } = query;
    const said = Object.entries(facts).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
    if (typeof sql === "string") reader.blocks.push({ kind: "sql", caption: said.length > 0 ? `Asked again: ${said.join(", ")}` : "Asked again", sql });
  }
}

function explainNotes(reader: Reader): void {
  const settled = reader.take("settled_by");
  if (isObject(settled)) reader.say(`Settled together with session ${cellText(settled.session as Cell)}, statement ${cellText(settled.seq as Cell)}: the same question answers both.`);
  for (const name of ["reason", "note", "why"]) {
    const said = text(reader.take(name));
    if (said) reader.say(`${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? "" : "."}`);
  }
  const advice = text(reader.take("advice"));
  if (advice) reader.blocks.push({ kind: "advice", text: `${advice.charAt(0).toUpperCase()}${advice.slice(1)}.` });
}
