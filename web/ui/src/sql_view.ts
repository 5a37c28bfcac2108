// SQL as coloured text.
import { h, type Child } from "./dom";
import { tokens } from "./sql";

const coloured_limit = 20_000; // characters; longer statements stay plain

export function sqlText(sql: string): Child[] {
  if (sql.length > coloured_limit) return [sql];
  return tokens(sql).map((token) => (token.kind === "other" || token.kind === "name" ? token.text : h("span", { class: `sql-${token.kind}` }, token.text)));
}

export function sqlBlock(sql: string, label: string): HTMLElement {
  return h("pre", { class: "sql", tabindex: "0", "aria-label": label }, h("code", {}, sqlText(sql)));
}
