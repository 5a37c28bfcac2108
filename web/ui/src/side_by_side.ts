// Two answers beside each other: rows on the same line, moved rows and differing cells marked.
import type { Answer, Example } from "./api";
import { h, type Child } from "./dom";
import { cellLiteral, cellText, count, plural } from "./format";
import type { Cell } from "./json";
import { differingPieces, layRows, type Piece, type Placed, type RowPair } from "./rows";

const shown_pairs = 200;
const spelled_cells = 8; // differing cells that are also written out in full

export function sideBySide(example: Example): HTMLElement {
  const { source, target } = example;
  const pairs = source.rows && target.rows ? layRows(source.rows, target.rows) : null;
  if (!pairs) return h("div", { class: "sides" }, panel("Source", source, answerFacts(source)), panel("Target", target, answerFacts(target)));
  const shown = pairs.slice(0, shown_pairs);
  const left = panel("Source", source, table(source, shown, "source"));
  const right = panel("Target", target, table(target, shown, "target"));
  scrollTogether(left, right);
  requestAnimationFrame(() => showFirstDifference(left));
  return h("div", {}, h("div", { class: "sides" }, left, right),
    pairs.length > shown.length && h("p", { class: "dim" }, `${count(pairs.length - shown.length)} more lines are not shown.`),
    spelledOut(example, pairs));
}

function panel(title: string, answer: Answer, body: Child): HTMLElement {
  return h("section", { class: `side side-${title.toLowerCase()}`, "aria-label": `${title}'s answer` },
    h("h4", {}, title, h("span", { class: "dim" }, ` ${summary(answer)}`)), h("div", { class: "side-body", tabindex: "0", role: "region", "aria-label": `${title}'s rows` }, body));
}

function summary(answer: Answer): string {
  if (answer.too_long_to_keep) return `an answer of ${count(answer.bytes ?? 0)} bytes, too long to keep`;
  if (answer.error) return `error ${answer.error.code}`;
  if (answer.rows) {
    const all = answer.row_count ?? answer.rows.length;
    return all > answer.rows.length ? `the first ${count(answer.rows.length)} of ${plural(all, "row")}` : plural(all, "row");
  }
  return answer.outcome ?? "";
}

// An answer without rows to lay out: an error, an OK, or digests alone.
function answerFacts(answer: Answer): HTMLElement {
  const facts: [string, string][] = [];
  if (answer.error) facts.push(["error", `${answer.error.code} (${answer.error.sqlstate})`], ["message", answer.error.message]);
  if (answer.why) facts.push(["why", answer.why]);
  if (answer.row_count !== undefined) facts.push(["rows", count(answer.row_count)]);
  if (answer.digest) facts.push(["digest", answer.digest]);
  if (answer.affected_rows !== undefined) facts.push(["affected rows", String(answer.affected_rows)]);
  if (answer.last_insert_id !== undefined) facts.push(["last insert id", cellText(answer.last_insert_id)]);
  if (answer.warnings) facts.push(["warnings", String(answer.warnings)]);
  if (facts.length === 0) return h("p", { class: "dim nothing" }, "nothing was kept of this answer");
  return h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function table(answer: Answer, pairs: RowPair[], side: "source" | "target"): HTMLElement {
  const columns = answer.columns ?? [];
  const first = pairs.find((pair) => pair[side])?.[side];
  return h("table", { class: "rows" },
    h("thead", {}, h("tr", {}, h("th", { class: "row-number", scope: "col" }, "#"), columns.map((name, c) => h("th", { scope: "col", title: name, class: cellClass(first?.row[c] ?? null) === "cell-number" && "cell-number" }, name)))),
    h("tbody", {}, pairs.map((pair) => line(pair, pair[side], columns.length, side))),
    pairs.length === 0 && h("caption", {}, "no rows"));
}

function line(pair: RowPair, placed: Placed | null, width: number, side: "source" | "target"): HTMLElement {
  if (!placed) return h("tr", { class: "row-absent" }, h("td", { class: "row-number" }), h("td", { colspan: Math.max(width, 1) }, "not in this answer"));
  const alone = pair.kind === "only_source" || pair.kind === "only_target";
  const kind = alone ? "row-alone" : `row-${pair.kind}`;
  const title = pair.kind === "moved" ? "in another place on the other side" : alone ? `only in the ${side}'s answer` : undefined;
  return h("tr", { class: kind, title }, h("td", { class: "row-number" }, placed.at + 1),
    placed.row.map((value, c) => h("td", { class: `${cellClass(value)}${pair.differing[c] ? " cell-differs" : ""}`, title: cellLiteral(value) }, shownCell(value))));
}

function cellClass(value: Cell): string {
  if (value === null) return "cell-null";
  if (typeof value === "number" || (typeof value === "object" && "number" in value)) return "cell-number";
  return value === "" ? "cell-null" : "cell-text";
}

function shownCell(value: Cell): string {
  return value === "" ? "''" : cellText(value);
}

// The cells that differ, in full, with the part that differs marked: a case, a blank at the end, NULL against ''.
function spelledOut(example: Example, pairs: RowPair[]): HTMLElement | null {
  const columns = example.source.columns ?? [];
  const cells = pairs.flatMap((pair) => (pair.kind !== "changed" ? [] : pair.differing.flatMap((differs, c) => (differs ? [{ pair, c }] : []))));
  if (cells.length === 0) return null;
  return h("div", { class: "spelled" }, h("h4", {}, "Differing cells", h("span", { class: "dim" }, ` ${count(cells.length)}`)),
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "row"), h("th", { scope: "col" }, "column"), h("th", { scope: "col" }, "source"), h("th", { scope: "col" }, "target"))),
      h("tbody", {}, cells.slice(0, spelled_cells).map(({ pair, c }) => {
        const [left, right] = differingPieces(cellLiteral(pair.source?.row[c] ?? null), cellLiteral(pair.target?.row[c] ?? null));
        const value = (parts: Piece[]) => h("td", { class: "mono" }, parts.map((part) => (part.differs ? h("mark", {}, part.text.replace(/ /g, "␣")) : part.text)));
        return h("tr", {}, h("td", {}, (pair.source?.at ?? 0) + 1), h("td", {}, columns[c] ?? c + 1), value(left), value(right));
      }))),
    cells.length > spelled_cells && h("p", { class: "dim" }, `and ${count(cells.length - spelled_cells)} more`));
}

// In a wide answer the first cell that differs may stand to the right of what is seen.
function showFirstDifference(side: HTMLElement): void {
  const body = side.querySelector<HTMLElement>(".side-body");
  const cell = side.querySelector<HTMLElement>("td.cell-differs");
  if (!body || !cell) return;
  if (cell.offsetLeft + cell.offsetWidth > body.clientWidth) body.scrollLeft = cell.offsetLeft - 40;
}

function scrollTogether(left: HTMLElement, right: HTMLElement): void {
  const [a, b] = [left.querySelector(".side-body"), right.querySelector(".side-body")];
  if (!a || !b) return;
  const follow = (from: Element, to: Element) => from.addEventListener("scroll", () => {
    if (to.scrollLeft !== from.scrollLeft) to.scrollLeft = from.scrollLeft;
    if (to.scrollTop !== from.scrollTop) to.scrollTop = from.scrollTop;
  }, { passive: true });
  follow(a, b);
  follow(b, a);
}
