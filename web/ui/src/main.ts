// The page: state is the address (route.ts) plus what the server last said; every change asks the server and draws again.
import { ApiError, getFinding, getRun, listRuns, type Filters, type Run, type RunInfo, type Triage } from "./api";
import { Detail } from "./detail";
import { fill, h } from "./dom";
import { count } from "./format";
import { FacetPanel, FindingList } from "./list";
import { liveness, runLabel, showFigures, showLedger, showSides, showStatus } from "./overview";
import { StalenessPanel } from "./staleness";
import { no_filters, parseRoute, printRoute, type Route } from "./route";

const live_ms = 2_000; // between two looks at a run that goes on
const still_ms = 15_000; // at one that ended: colleagues decide, new runs begin
const page_size = 500;

class Page {
  private route: Route = parseRoute(location.hash);
  private runs: RunInfo[] = [];
  private run: Run | null = null;
  private limit = page_size;
  private asked = 0; // answers to older questions are dropped
  private timer = 0;

  private readonly selector = h("select", { id: "run", "aria-label": "Run", onchange: () => this.go({ run: Number(this.selector.value), finding: null }) });
  private readonly status = h("span", { id: "status", role: "status" });
  private readonly sides = h("span", { class: "servers" });
  private readonly ledger = h("div", { class: "ledger" });
  private readonly figures = h("div", { class: "figures-line" });
  private readonly delays = h("div");
  private readonly facets = h("nav", { class: "facets", "aria-label": "Filters" });
  private readonly search = h("input", { type: "search", id: "search", placeholder: "Search  ( / )", "aria-label": "Search statements", oninput: () => this.onSearch() });
  private readonly matching = h("div", { class: "matching", role: "status" });
  private readonly list = h("div", { class: "list", role: "listbox", tabindex: "0", "aria-label": "Findings" });
  private readonly more = h("button", { type: "button", class: "plain more", onclick: () => { this.limit = 5000; void this.refresh(); } }, "Show all");
  private readonly detail_pane = h("main", { class: "detail", tabindex: "-1" });
  private readonly trouble = h("div", { class: "trouble", role: "alert", hidden: true });

  private readonly staleness_panel = new StalenessPanel(this.delays);
  private readonly facet_panel = new FacetPanel(this.facets, (name, value) => this.filter(name, value));
  private readonly finding_list = new FindingList(this.list, (id) => this.select(id, "leave"));
  private readonly detail = new Detail(this.detail_pane, (triage) => this.onTriage(triage));

  constructor(root: HTMLElement) {
    this.more.hidden = true;
    fill(root,
      h("header", { class: "top" },
        h("div", { class: "top-line" }, h("h1", {}, "darktap"), this.selector, this.status, this.sides,
          h("span", { class: "keys dim", "aria-label": "Keys" }, ["j", "k"].map((key) => h("kbd", {}, key)), " next, previous ", h("kbd", {}, "["), h("kbd", {}, "]"), " example ", ["a", "f", "i", "o"].map((key) => h("kbd", {}, key)), " decide")),
        this.ledger, this.figures, this.delays, this.trouble),
      h("div", { class: "panes" }, this.facets, h("div", { class: "queue" }, h("div", { class: "queue-head" }, this.search, this.matching), this.list, this.more), this.detail_pane));
    this.search.value = this.route.filters.q;
    this.detail.message("Loading", "Asking darktap for its runs …");
    window.addEventListener("hashchange", () => this.onAddress());
    document.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("visibilitychange", () => { if (!document.hidden) void this.refresh(); });
    void this.refresh();
  }

  private go(change: Partial<Route>): void {
    this.route = { ...this.route, ...change };
    history.replaceState(null, "", location.pathname + printRoute(this.route));
    void this.refresh();
  }

  private filter(name: keyof Filters, value: string): void {
    this.limit = page_size;
    this.go({ filters: { ...this.route.filters, [name]: value } });
  }

  private onSearch(): void {
    this.filter("q", this.search.value.trim());
  }

  private onAddress(): void {
    this.route = parseRoute(location.hash);
    this.search.value = this.route.filters.q;
    void this.refresh();
  }

  private select(id: string, scroll: "into_view" | "leave"): void {
    this.finding_list.mark(id, scroll);
    this.route = { ...this.route, finding: id };
    history.replaceState(null, "", location.pathname + printRoute(this.route));
    void this.lookAt(id);
  }

  // A selection alone asks for the finding only, so that stepping through the queue is quick.
  private async lookAt(id: string): Promise<void> {
    if (!this.run) return;
    const asked = ++this.asked;
    window.clearTimeout(this.timer);
    try {
      await this.drawFinding(asked, this.run.run.id, id);
    } catch (error) {
      if (asked === this.asked) this.onTrouble(error as Error);
    } finally {
      if (asked === this.asked) this.later();
    }
  }

  private onTriage(triage: Triage): void {
    if (this.detail.id === triage.id) void this.refresh();
  }

  // One look at the server: runs, the run, the finding. The last one asked for wins.
  private async refresh(): Promise<void> {
    const asked = ++this.asked;
    window.clearTimeout(this.timer);
    try {
      const { runs } = await listRuns();
      if (asked !== this.asked) return;
      this.runs = runs;
      const id = this.route.run ?? runs[0]?.id;
      if (id === undefined) return this.nothingYet();
      const run = await getRun(id, this.route.filters, this.limit);
      if (asked !== this.asked) return;
      this.run = run;
      const selected = this.route.finding ?? run.findings[0]?.id ?? null;
      this.drawRun(run, selected);
      await this.drawFinding(asked, id, selected);
      this.trouble.hidden = true;
    } catch (error) {
      if (asked === this.asked) this.onTrouble(error as Error);
    } finally {
      if (asked === this.asked) this.later();
    }
  }

  private later(): void {
    const live = this.run === null || liveness(this.run.run, Date.now()) === "live";
    this.timer = window.setTimeout(() => { if (!document.hidden) void this.refresh(); }, live ? live_ms : still_ms);
  }

  private async drawFinding(asked: number, run: number, id: string | null): Promise<void> {
    if (!id) {
      const filtered = Object.values(this.route.filters).some(Boolean);
      this.detail.message(filtered ? "No finding matches" : "No findings", filtered ? "Other filters may show some." : "Whatever was compared gave the same answer on both sides.");
      return;
    }
    try {
      const finding = await getFinding(run, id);
      if (asked === this.asked) this.detail.show(finding);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      if (asked === this.asked) this.detail.message("Not in this run", error.message);
    }
  }

  private drawRun(run: Run, selected: string | null): void {
    this.drawSelector(run.run);
    document.title = `${run.findings_counting > 0 ? `(${run.findings_counting}) ` : ""}darktap · run ${run.run.id}`;
    showStatus(this.status, run.run, Date.now());
    showSides(this.sides, run.run);
    showLedger(this.ledger, run);
    showFigures(this.figures, run);
    this.staleness_panel.show(run.staleness);
    this.facet_panel.show(run, this.route.filters);
    this.finding_list.update(run.findings);
    this.finding_list.mark(selected, "leave");
    const rest = run.findings_matching - run.findings.length;
    this.more.hidden = rest <= 0;
    fill(this.matching, `${count(run.findings_matching)} of ${count(run.findings_total)} findings`, run.findings_counting > 0 && h("span", { class: "counting" }, `${count(run.findings_counting)} that ${run.findings_counting === 1 ? "counts" : "count"}`));
  }

  private drawSelector(run: RunInfo): void {
    const print = JSON.stringify(this.runs.map(runLabel));
    if (this.selector.dataset.print !== print) {
      this.selector.dataset.print = print;
      fill(this.selector, this.runs.map((one) => h("option", { value: one.id }, runLabel(one))));
    }
    this.selector.value = String(run.id);
  }

  private nothingYet(): void {
    this.detail.message("No run yet", "This store is empty: darktap replay or shadow fills it, and this page follows.");
  }

  private onTrouble(error: Error): void {
    if (!(error instanceof ApiError)) console.error(error);
    this.trouble.hidden = false;
    fill(this.trouble, error.message);
    if (!this.run) this.detail.message("Nothing to show", error.message);
  }

  private onKey(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (typing && event.key === "Escape") return (event.target as HTMLElement).blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const on_list = event.target === this.list;
    const actions: Record<string, () => void> = {
      j: () => this.step(1),
      k: () => this.step(-1),
      ...(on_list ? { ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1) } : {}),
      "/": () => this.search.focus(),
      "[": () => this.detail.showExample(-1),
      "]": () => this.detail.showExample(1),
      a: () => this.detail.save("accepted"),
      f: () => this.detail.save("fixed"),
      i: () => this.detail.save("ignored"),
      o: () => this.detail.save("open"),
      Escape: () => { this.search.value = ""; this.go({ filters: no_filters }); },
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private step(by: number): void {
    const findings = this.run?.findings ?? [];
    const at = findings.findIndex((finding) => finding.id === (this.route.finding ?? this.detail.id));
    const next = findings[at < 0 ? 0 : Math.min(Math.max(at + by, 0), findings.length - 1)];
    if (next) this.select(next.id, "into_view");
  }
}

// The token has become a cookie; the address bar and the history need not hold it.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);
new Page(document.getElementById("app")!);
