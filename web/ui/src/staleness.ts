// How far behind reads were, table by table: what the application's owners have to live with, or to mend.
import type { Delays, StalenessRow } from "./api";
import { fill, h } from "./dom";
import { count, duration, plural } from "./format";

export interface Bar {
  label: string;
  n: number;
  share: number; // of the highest bar
}

// The reads by how long it took until the target agreed; where it was never seen to agree, by how long it was stale at least.
export function bars(row: StalenessRow): Bar[] {
  const series = row.agreed_within ? "agreed_within" : "stale_for_at_least";
  const most = Math.max(1, ...row.bins.map((bin) => bin[series]));
  return row.bins.map((bin) => ({ label: bin.up_to_us === null ? "more" : duration(bin.up_to_us), n: bin[series], share: bin[series] / most }));
}

export function summary(rows: StalenessRow[]): string {
  const reads = rows.reduce((sum, row) => sum + row.n, 0);
  const tables = new Set(rows.map((row) => row.table)).size;
  const seen = rows.filter((row) => row.cause === "read_after_write").reduce((sum, row) => sum + row.n, 0);
  return `${plural(reads, "stale read")} of ${plural(tables, "table")}: ${count(seen)} after a write that was seen, ${count(reads - seen)} without one`;
}

const two = (delays: Delays | null) => (delays ? `${duration(delays.p50_us)} · ${duration(delays.p95_us)}` : "–");

function chart(row: StalenessRow): HTMLElement {
  const shown = bars(row);
  return h("span", { class: "delays", role: "img", "aria-label": shown.map((bar) => `up to ${bar.label}: ${count(bar.n)}`).join(", ") },
    shown.map((bar) => {
      const part = h("span", { class: bar.n > 0 ? "delay" : "delay delay-none", title: `up to ${bar.label}: ${count(bar.n)} of ${count(row.n)}` });
      part.style.height = `${Math.max(bar.n > 0 ? 2 : 1, Math.round(bar.share * 18))}px`;
      return part;
    }),
    h("span", { class: "delay-ends dim" }, `≤ ${shown[0]?.label ?? ""} … ${shown[shown.length - 1]?.label ?? ""}`));
}

export class StalenessPanel {
  private readonly line = h("summary");
  private readonly body = h("tbody");
  private readonly panel: HTMLDetailsElement;

  constructor(parent: Element) {
    const head = ["table", "stale reads", "read after its write", "behind for at least", "agreed within", "until it agreed"];
    this.panel = h("details", { class: "staleness", hidden: true }, this.line,
      h("table", {}, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))), this.body),
      h("p", { class: "dim" }, "p50 · p95. Counted from the write's OK; where no write was seen, from the source's answer."));
    fill(parent, this.panel);
  }

  show(rows: StalenessRow[]): void {
    this.panel.hidden = rows.length === 0;
    fill(this.line, summary(rows));
    fill(this.body, rows.map((row) => h("tr", {},
      h("th", { scope: "row" }, row.table, row.cause === "stale_read" && h("span", { class: "dim" }, " no write seen")),
      h("td", {}, count(row.n)), h("td", {}, two(row.age)), h("td", {}, two(row.stale_for_at_least)), h("td", {}, two(row.agreed_within)), h("td", {}, chart(row)))));
  }
}
