// One finding: what differs, why, the evidence, the examples side by side, latency, and the decision.
import type { Example, Finding, LatencyRow, Triage } from "./api";
import { h, fill, svg, type Child } from "./dom";
import { planSection, sessionStrip } from "./example_context";
import { explain, type Block, type Rung } from "./evidence";
import { cellLiteral, count, duration, plural, share, time } from "./format";
import { sideBySide } from "./side_by_side";
import { sqlBlock } from "./sql_view";
import { TriageForm } from "./triage";
import { cause_words, difference_words, level_words, titleOf } from "./words";

export class Detail {
  private shown: Finding | null = null;
  private form: TriageForm | null = null;
  private example = 0;
  private readonly body = h("div", { class: "detail-body" });

  constructor(private readonly parent: HTMLElement, private readonly changed: (triage: Triage) => void) {}

  get id(): string | null {
    return this.shown?.id ?? null;
  }

  message(title: string, line: string): void {
    this.shown = null;
    this.form = null;
    fill(this.parent, h("div", { class: "blank" }, h("h2", {}, title), h("p", {}, line)));
  }

  show(finding: Finding): void {
    const same = this.shown?.id === finding.id;
    const unchanged = same && JSON.stringify(this.shown) === JSON.stringify(finding);
    this.shown = finding;
    if (unchanged) return;
    if (same && this.form) {
      this.form.refresh(finding);
      fill(this.body, this.content(finding));
      return;
    }
    this.example = 0;
    this.form = new TriageForm(finding, this.changed);
    fill(this.body, this.content(finding));
    fill(this.parent, this.form.element, this.body);
    this.parent.scrollTop = 0;
  }

  save(status: Finding["status"]): void {
    void this.form?.save(status);
  }

  showExample(step: number): void {
    if (!this.shown) return;
    const n = this.shown.examples.length;
    if (n === 0) return;
    this.example = (this.example + step + n) % n;
    fill(this.body, this.content(this.shown));
  }

  private content(finding: Finding): Child[] {
    const words = cause_words[finding.cause];
    const example = finding.examples[Math.min(this.example, finding.examples.length - 1)];
    return [
      h("header", { class: "detail-head" },
        h("h2", {}, h("span", { class: `badge cause-${finding.cause}` }, titleOf(finding.cause)), " ", difference_words[finding.difference] ?? finding.difference),
        h("p", { class: "means" }, words?.means, " ", h("span", { class: "dim" }, words?.advice)),
        h("ul", { class: "facts-line" },
          h("li", {}, h("strong", {}, count(finding.events)), ` of ${plural(finding.executions, "compared execution")} differ (${share(finding.events, finding.executions)})`),
          h("li", { title: "events whose questions were asked and answered, or needed none" }, `${count(finding.examined)} examined`),
          h("li", { title: level_words[finding.level] }, finding.level),
          h("li", {}, `${time(finding.first_time)} – ${time(finding.last_time)} UTC`),
          h("li", { class: "mono", title: "the finding's id, and its statement's fingerprint" }, `${finding.id} · ${finding.fingerprint}`))),
      example ? this.exampleSection(finding, example) : withoutExample(finding),
      latency(finding.latency),
      example && h("section", {}, h("h3", {}, "Normalized"), sqlBlock(finding.normalized, "Normalized statement")),
    ];
  }

  private exampleSection(finding: Finding, example: Example): HTMLElement {
    const tabs = finding.examples.length > 1 && h("div", { class: "tabs", role: "group", "aria-label": "Examples" }, finding.examples.map((_, i) =>
      h("button", { type: "button", "aria-pressed": String(i === this.example), onclick: () => { this.example = i; this.showExample(0); } }, i + 1)));
    return h("section", { "aria-label": "Example" },
      h("h3", {}, `Example ${this.example + 1} of ${finding.examples.length}`, tabs),
      sqlBlock(example.sql, "Statement, verbatim"),
      example.params.length > 0 && h("p", { class: "params" }, h("span", { class: "dim" }, "with "), h("span", { class: "mono" }, example.params.map(cellLiteral).join(", "))),
      h("p", { class: "provenance dim" }, `session ${example.session}, statement ${example.seq} · ${time(example.time, 6)} UTC · ${example.provenance.file || "live"}, packet ${count(example.provenance.packet)}`),
      h("div", { class: "why" }, h("h4", {}, "Why"), evidence(explain(example.evidence))),
      sideBySide(example),
      sessionStrip(example),
      planSection(example));
  }
}

// A finding of many executions together, such as a latency regression.
function withoutExample(finding: Finding): HTMLElement {
  return h("section", {}, h("h3", {}, "Statement"), sqlBlock(finding.normalized, "Statement"),
    h("div", { class: "why" }, h("h4", {}, "Why"), evidence(explain(finding.evidence))));
}

function evidence(blocks: Block[]): Child[] {
  if (blocks.length === 0) return [h("p", { class: "dim" }, "The two answers are all the evidence there is.")];
  return blocks.map((block) => {
    switch (block.kind) {
      case "text": return h("p", {}, block.text);
      case "advice": return h("p", { class: "advice" }, block.text);
      case "sql": return h("figure", {}, h("figcaption", {}, block.caption), sqlBlock(block.sql, block.caption));
      case "table": return h("table", { class: "evidence-table" }, h("caption", {}, block.caption), h("thead", {}, h("tr", {}, block.head.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, block.rows.map((row) => h("tr", {}, row.map((cell) => h("td", { class: "mono" }, cell))))));
      case "ladder": return ladder(block.rungs);
      case "rest": return h("details", {}, h("summary", {}, "Further evidence"), h("dl", { class: "facts" }, block.entries.map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", { class: "mono" }, value)])));
    }
  });
}

// The re-reads on one line of time: hollow where the answer still differed, filled where it agreed.
function ladder(rungs: Rung[]): HTMLElement {
  const sides = [...new Set(rungs.map((rung) => rung.side))];
  const last = Math.max(1, ...rungs.map((rung) => rung.at_us));
  const [width, left, right, line] = [560, 74, 56, 26];
  const x = (us: number) => left + ((width - left - right) * Math.sqrt(us)) / Math.sqrt(last);
  const agreed = rungs.find((rung) => rung.agrees && rung.side === "target");
  const words = agreed ? `Asked again; the target agreed after ${duration(agreed.at_us)}.` : `Asked again for ${duration(last)}; the target never agreed.`;
  const height = sides.length * line + 20;
  return h("figure", { class: "ladder" }, h("figcaption", {}, words),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": rungs.map((rung) => `${duration(rung.at_us)}: ${rung.side} ${rung.agrees ? "agrees" : "differs"}`).join("; ") },
      ...sides.flatMap((side, i) => [
        svg("text", { x: 0, y: i * line + 20, class: "ladder-label" }, side),
        svg("line", { x1: left, x2: width - right, y1: i * line + 16, y2: i * line + 16, class: "ladder-line" }),
        ...rungs.filter((rung) => rung.side === side).map((rung) => svg("circle", { cx: x(rung.at_us), cy: i * line + 16, r: 5, class: rung.agrees ? "rung-agrees" : "rung-differs" },
          svg("title", {}, `${duration(rung.at_us)}: ${rung.side} ${rung.agrees ? "agrees" : "differs"}, digest ${rung.digest}`))),
      ]),
      svg("text", { x: left, y: height - 2, class: "ladder-scale" }, "0"),
      svg("text", { x: width - right, y: height - 2, class: "ladder-scale", "text-anchor": "middle" }, duration(last))));
}

function latency(rows: LatencyRow[]): Child {
  if (rows.length === 0) return null;
  const apart = new Set(rows.map((row) => row.vantage)).size > 1;
  return h("section", {}, h("h3", {}, "Latency"),
    h("table", { class: "figures" }, h("thead", {}, h("tr", {}, ["side", "measured at", "n", "p50", "p95", "p99", "p99.9", "max"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.side), h("td", {}, row.vantage), h("td", {}, count(row.n)),
        [row.p50_us, row.p95_us, row.p99_us, row.p999_us, row.max_us].map((us) => h("td", {}, duration(us))))))),
    apart && h("p", { class: "dim" }, "A tap measures beside the server, a client over its own connection: not the same thing."));
}
