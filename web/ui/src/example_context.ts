// What stands around an example: the statements that its session sent before it, and how both servers run it.
import type { Example } from "./api";
import { h, type Child } from "./dom";
import { count, plural } from "./format";
import { layPlans, type Plan } from "./plans";
import { sqlText } from "./sql_view";

export function sessionStrip(example: Example): Child {
  const before = example.session_strip ?? [];
  if (before.length === 0) return null;
  const writes = before.filter((statement) => statement.write).length;
  const summary = `Before it, in session ${example.session}: ${plural(before.length, "statement")}${writes > 0 ? `, ${plural(writes, "write")}` : ", no write"}`;
  return h("details", { class: "strip", open: writes > 0 }, h("summary", {}, summary),
    h("ol", {}, before.map((statement) => h("li", { class: statement.write && "strip-write" },
      h("span", { class: "strip-seq dim" }, count(statement.seq)),
      h("span", { class: "strip-class" }, statement.class.replaceAll("_", " ")),
      h("code", { class: "strip-sql", title: statement.sql }, sqlText(statement.sql))))));
}

export function planSection(example: Example): Child {
  const plans = layPlans(example.explain);
  if (!plans) return null;
  const same = plans.reference && JSON.stringify(plans.reference) === JSON.stringify(plans.target);
  return h("section", { class: "plans", "aria-label": "Plans" },
    h("h4", {}, "How both servers run it", h("span", { class: "dim" }, same ? " the same plan" : "")),
    plans.sql !== example.sql && h("p", { class: "dim plan-of", title: plans.sql }, "asked of: ", h("code", {}, plans.sql)),
    h("div", { class: "sides" }, panel("Reference", plans.reference), panel("Target", plans.target)));
}

function panel(title: string, plan: Plan | null): HTMLElement {
  return h("div", { class: `side plan-${title.toLowerCase()}` }, h("h4", {}, title), h("div", { class: "side-body", tabindex: "0", role: "region", "aria-label": `${title}'s plan` }, body(plan)));
}

function body(plan: Plan | null): Child {
  if (!plan) return h("p", { class: "dim nothing" }, "not asked: it is the source itself, or there is none");
  switch (plan.kind) {
    case "error": return h("p", { class: "nothing" }, plan.message);
    case "text": return h("pre", { class: "plan-text" }, plan.text);
    case "table":
      return h("table", { class: "rows" }, h("thead", {}, h("tr", {}, plan.columns.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, plan.rows.map((row) => h("tr", {}, row.cells.map((cell, c) => h("td", { class: row.differing[c] && "cell-differs" }, cell))))));
  }
}
