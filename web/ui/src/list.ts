// The queue: filters with their counts on the left, findings in the middle.
import type { Filters, FindingHead, Run, Status } from "./api";
import { statuses } from "./api";
import { h, fill, KeyedList } from "./dom";
import { count, plural, shortTime } from "./format";
import { cause_order, cause_words, difference_order, difference_words, level_words, titleOf } from "./words";
import { sqlText } from "./sql_view";

export class FacetPanel {
  constructor(private readonly parent: Element, private readonly choose: (name: keyof Filters, value: string) => void) {}

  show(run: Run, filters: Filters): void {
    const focused = document.activeElement?.getAttribute("data-facet");
    fill(this.parent,
      this.facet("Status", "status", statuses as readonly string[], run.facets.status, filters, (value) => value),
      this.facet("Cause", "cause", cause_order, run.facets.cause, filters, titleOf),
      this.facet("Difference", "difference", difference_order, run.facets.difference, filters, (value) => value.replaceAll("_", " ")));
    if (focused) this.parent.querySelector<HTMLElement>(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
  }

  private facet(title: string, name: keyof Filters, order: readonly string[], counts: Record<string, number>, filters: Filters, words: (value: string) => string): HTMLElement {
    const chosen = filters[name];
    const values = order.filter((value) => (counts[value] ?? 0) > 0 || value === chosen);
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    const button = (value: string, label: string, n: number) =>
      h("button", {
        type: "button", class: "facet-value", "aria-pressed": String(chosen === value), "data-facet": `${name}:${value}`,
        title: name === "cause" ? cause_words[value]?.means : name === "difference" ? difference_words[value] : undefined,
        onclick: () => this.choose(name, chosen === value ? "" : value),
      }, h("span", { class: "facet-label" }, name === "cause" && value ? h("span", { class: `mark cause-${value}`, "aria-hidden": "true" }) : null, label), h("span", { class: "facet-count" }, count(n)));
    return h("section", { class: "facet", "aria-label": `Filter by ${title.toLowerCase()}` }, h("h2", {}, title), button("", "All", total), values.map((value) => button(value, words(value), counts[value] ?? 0)));
  }
}

const status_marks: Record<Status, string> = { open: "", accepted: "accepted", fixed: "fixed", ignored: "ignored" };

export class FindingList {
  private readonly list: KeyedList<FindingHead>;
  private selected: string | null = null;

  constructor(private readonly parent: HTMLElement, private readonly select: (id: string) => void) {
    this.list = new KeyedList<FindingHead>(parent, (finding) => finding.id, (finding) => this.item(finding));
  }

  update(findings: FindingHead[]): void {
    this.list.update(findings);
    this.mark(this.selected, "leave");
  }

  mark(id: string | null, scroll: "into_view" | "leave"): void {
    if (this.selected && this.selected !== id) this.list.element(this.selected)?.setAttribute("aria-selected", "false");
    this.selected = id;
    const element = id ? this.list.element(id) : undefined;
    element?.setAttribute("aria-selected", "true");
    if (element) this.parent.setAttribute("aria-activedescendant", element.id);
    else this.parent.removeAttribute("aria-activedescendant");
    if (scroll === "into_view") element?.scrollIntoView({ block: "nearest" });
  }

  private item(finding: FindingHead): HTMLElement {
    const part = finding.executions > 0 ? Math.min(1, finding.events / finding.executions) : 0;
    const meter = h("span", { class: "meter", "aria-hidden": "true" }, h("span", { class: "meter-part" }));
    (meter.firstElementChild as HTMLElement).style.width = `${Math.max(part * 100, 2)}%`;
    return h("div", {
      role: "option", id: `finding-${finding.id}`, class: `item${finding.counts ? " item-counts" : ""}${finding.status === "open" ? "" : " item-done"}`,
      "aria-selected": String(finding.id === this.selected), onclick: () => this.select(finding.id),
    },
      h("div", { class: "item-head" },
        h("span", { class: `badge cause-${finding.cause}`, title: cause_words[finding.cause]?.means }, titleOf(finding.cause)),
        h("span", { class: "item-difference" }, finding.difference.replaceAll("_", " ")),
        h("span", { class: "item-level", title: level_words[finding.level] }, finding.level),
        status_marks[finding.status] && h("span", { class: `status status-${finding.status}` }, status_marks[finding.status])),
      h("div", { class: "item-sql" }, sqlText(finding.normalized)),
      h("div", { class: "item-foot" }, meter, h("span", {}, `${count(finding.events)} of ${plural(finding.executions, "execution")}`),
        h("span", { class: "item-time", title: `first ${finding.first_time}, last ${finding.last_time}` }, `last ${shortTime(finding.last_time, new Date().toISOString())}`)));
  }
}
