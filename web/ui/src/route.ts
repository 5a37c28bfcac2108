// What the page shows, as its address: a reload or a link shows the same. Pure.
import type { Filters } from "./api";

export interface Route {
  run: number | null; // null: the newest
  finding: string | null;
  filters: Filters;
}

export const no_filters: Filters = { cause: "", difference: "", status: "", q: "" };

export function parseRoute(hash: string): Route {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const run = Number(query.get("run"));
  const text = (name: keyof Filters) => query.get(name) ?? "";
  return {
    run: Number.isInteger(run) && run > 0 ? run : null,
    finding: query.get("finding") || null,
    filters: { cause: text("cause"), difference: text("difference"), status: text("status"), q: text("q") },
  };
}

export function printRoute(route: Route): string {
  const query = new URLSearchParams();
  if (route.run !== null) query.set("run", String(route.run));
  for (const [name, value] of Object.entries(route.filters)) if (value) query.set(name, value);
  if (route.finding) query.set("finding", route.finding);
  return `#${query}`;
}
