// The top of the page: which run, is it alive, where did every exchange go, how much was covered, how fast both sides are.
import type { Run, RunInfo } from "./api";
import { h, fill } from "./dom";
import { ago, count, duration, microsecondsBetween, plural, share, time } from "./format";
import { bin_order, bin_words } from "./words";

export type Liveness = "live" | "finished" | "interrupted";
const silent_after_s = 15; // a writer flushes each second

export function liveness(run: RunInfo, now: number): Liveness {
  if (run.finished) return "finished";
  return now - Date.parse(run.flushed) < silent_after_s * 1000 ? "live" : "interrupted";
}

export function runLabel(run: RunInfo): string {
  return `Run ${run.id} · ${run.mode} · ${time(run.started).slice(0, 16)}`;
}

export function showStatus(parent: Element, run: RunInfo, now: number): void {
  const state = liveness(run, now);
  const words = {
    live: `live, ${ago((now - Date.parse(run.flushed)) / 1000)}`,
    finished: `finished after ${duration(microsecondsBetween(run.started, run.finished ?? run.started))}`,
    interrupted: `interrupted; last written ${time(run.flushed)} UTC`,
  }[state];
  fill(parent, h("span", { class: `state state-${state}` }, h("span", { class: "dot", "aria-hidden": "true" }), words));
}

export function showSides(parent: Element, run: RunInfo): void {
  fill(parent, h("span", { title: "source: production, as captured" }, run.source ?? "source"), h("span", { class: "dim" }, " → "),
    h("span", { title: "target: the new stack" }, run.target ?? "target"), run.reference && h("span", { class: "dim", title: "asked again where the two disagree" }, `, reference ${run.reference}`));
}

export function showLedger(parent: Element, run: Run): void {
  const total = run.coverage.exchanges;
  const bins = bin_order.filter((bin) => (run.ledger[bin] ?? 0) > 0);
  const bar = h("div", { class: "ledger-bar", role: "img", "aria-label": `Of ${count(total)} exchanges: ${bins.map((bin) => `${count(run.ledger[bin] ?? 0)} ${bin}`).join(", ")}` },
    bins.map((bin) => {
      const part = h("span", { class: `bin bin-${bin}`, title: `${bin}: ${count(run.ledger[bin] ?? 0)} of ${count(total)}` });
      part.style.flexGrow = String(run.ledger[bin] ?? 0);
      return part;
    }));
  const legend = h("div", { class: "ledger-legend" }, h("strong", {}, plural(total, "exchange")), h("span", { class: "dim" }, " = "),
    bins.map((bin, i) => [
      i > 0 && h("span", { class: "dim" }, " + "),
      h("span", { class: "legend-item", title: reasonsOf(run, bin) }, h("span", { class: `swatch bin-${bin}`, "aria-hidden": "true" }), `${count(run.ledger[bin] ?? 0)} ${bin.replace("_", " ")}`),
    ]));
  fill(parent, bar, legend);
}

function reasonsOf(run: Run, bin: string): string {
  const reasons = Object.entries(run.ledger_reasons[bin] ?? {}).sort((a, b) => b[1] - a[1]).map(([reason, n]) => `${reason}: ${count(n)}`);
  return [bin_words[bin] ?? bin, ...reasons].join("\n");
}

export function showFigures(parent: Element, run: Run): void {
  const c = run.coverage;
  const figures = [
    figure(share(c.compared, c.exchanges), "of exchanges compared", `${count(c.compared)} of ${count(c.exchanges)}`),
    figure(`${count(c.fingerprints_compared)} of ${count(c.fingerprints)}`, "distinct statements", share(c.fingerprints_compared, c.fingerprints)),
    c.server_questions !== null && figure(count(c.server_questions), "counted by the source itself", `tapped: ${count(c.exchanges)}`),
    ...run.latency.map((row) => figure(`${duration(row.p50_us)} · ${duration(row.p99_us)}`, `${row.side} p50 · p99`, `at the ${row.vantage}, n = ${count(row.n)}`)),
  ];
  const trips = run.run.round_trips;
  const known = (us: number | null | undefined) => (us === null || us === undefined ? "unknown" : duration(us));
  if (trips?.capture || typeof trips?.target_us === "number")
    figures.push(figure(`${known(trips.capture?.tap_to_server_us)} · ${known(trips.target_us)}`, "round trip: tap to server · darktap to target",
      trips.capture ? `tap to client ${known(trips.capture.tap_to_client_us)}, ${plural(trips.capture.handshakes, "handshake")}` : "the capture's is unknown"));
  fill(parent, figures);
}

function figure(value: string, what: string, detail: string): HTMLElement {
  return h("div", { class: "figure" }, h("div", { class: "figure-value" }, value), h("div", { class: "figure-what" }, what), h("div", { class: "figure-detail" }, detail));
}
