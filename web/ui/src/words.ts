// The contract's names in plain words: what a cause means, what to do about it. Pure.

export interface CauseWords {
  title: string;
  means: string;
  advice: string;
}

export const cause_words: Record<string, CauseWords> = {
  defect: {
    title: "Defect",
    means: "The new stack answered differently, and nothing that darktap knows explains it.",
    advice: "Look at this first.",
  },
  order_violated: {
    title: "Order violated",
    means: "ORDER BY demanded one order, judged by the source column's collation, and the new stack gave another.",
    advice: "Compare collations and the plan of the statement on both sides.",
  },
  stale_read: {
    title: "Stale read",
    means: "The new stack gave an older version and caught up later, but no write that the tap saw explains it.",
    advice: "Look for what writes past the tap, or for a lagging replica.",
  },
  unsupported: {
    title: "Unsupported",
    means: "The new stack refuses the syntax or the plan of this statement.",
    advice: "The application has to change the statement before the cutover.",
  },
  unexamined: {
    title: "Unexamined",
    means: "The answers differ, and the questions that would say why were not asked or not answered.",
    advice: "Neither excuse nor defect: run it again with a larger question budget or a reference.",
  },
  read_after_write: {
    title: "Read after write",
    means: "An older version was read shortly after a write that the tap saw; the new stack caught up by itself.",
    advice: "Harmless where a few milliseconds of lag are; otherwise read from the primary after a write.",
  },
  order_undefined: {
    title: "Order undefined",
    means: "The statement never promised which of equals comes first, or at all: both answers are right.",
    advice: "If the application relies on the order, add a unique last key to ORDER BY.",
  },
  nondeterministic: {
    title: "Nondeterministic",
    means: "A function answers anew each time, or the server differs even from itself.",
    advice: "Nothing to do.",
  },
  data_moved: {
    title: "Data moved",
    means: "The source's data changed between the capture and the replay: the reference now agrees with the new stack.",
    advice: "Nothing to do.",
  },
  skipped_write: {
    title: "Skipped write",
    means: "This run left out a write that the statement reads.",
    advice: "Nothing to do for a run of reads; replay writes to see it compared.",
  },
  normalization: {
    title: "Normalization",
    means: "Equal under a named rule: another type, another way to print the same value.",
    advice: "Accept the rule by its name if the application can't tell the difference.",
  },
  replay_artifact: {
    title: "Replay artifact",
    means: "darktap's own doing, named in the evidence.",
    advice: "Nothing to do.",
  },
};

// What to look at first; the rest in the order of the contract.
export const cause_order = Object.keys(cause_words);

export const difference_words: Record<string, string> = {
  row_order: "rows in another order",
  row_values: "other values in rows",
  missing_rows: "rows missing on the target",
  extra_rows: "rows too many on the target",
  row_count: "another number of rows",
  column_metadata: "another column description",
  error_only_target: "error on the target only",
  error_only_source: "error on the source only",
  error_differs: "another error",
  warnings: "other warnings",
  affected_rows: "another number of affected rows",
  last_insert_id: "another generated id",
  latency_regression: "slower on the target",
  timeout: "no answer in time",
};
export const difference_order = Object.keys(difference_words);

export const level_words: Record<string, string> = {
  proved: "proved: follows from the two answers alone",
  confirmed: "confirmed: rests on questions that were asked",
  assumed: "assumed: not confirmed by a question",
};

export const bin_words: Record<string, string> = {
  compared: "sent to the target, both answers laid side by side",
  skipped: "left out on purpose: writes, transaction control, what is not safe to send",
  shed: "left out under load",
  unobserved: "the source's answer was not seen whole",
  opaque: "encrypted",
  undecodable: "not understood",
  target_failed: "the target gave no answer",
  pending: "not reached yet",
  observed: "seen only",
};
export const bin_order = Object.keys(bin_words);

export function titleOf(cause: string): string {
  return cause_words[cause]?.title ?? cause;
}
