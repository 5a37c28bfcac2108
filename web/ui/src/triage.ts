// The decision about a finding: status, note, name. What is being typed survives every refresh.
import { changeTriage, statuses, type Finding, type Status, type Triage } from "./api";
import { fill, h } from "./dom";
import { time } from "./format";

const author_key = "darktap.author";
const status_words: Record<Status, string> = { open: "Open", accepted: "Accept", fixed: "Fixed", ignored: "Ignore" };
const status_titles: Record<Status, string> = {
  open: "still to be looked at",
  accepted: "a real difference that the team can live with",
  fixed: "the cause was removed; should not come back",
  ignored: "not worth a decision",
};

export class TriageForm {
  readonly element: HTMLElement;
  private readonly note = h("textarea", { id: "note", rows: 1, maxlength: 8000, placeholder: "Why? A ticket, a reason" });
  private readonly author = h("input", { id: "author", type: "text", maxlength: 80, autocomplete: "name", placeholder: "your name" });
  private readonly buttons = new Map<Status, HTMLButtonElement>();
  private readonly message = h("div", { class: "triage-message", role: "status", "aria-live": "polite" });
  private readonly history = h("ol", { class: "history" });
  private status: Status;
  private saved_note: string;

  constructor(private readonly finding: Finding, private readonly changed: (triage: Triage) => void) {
    this.status = finding.status;
    this.saved_note = finding.note;
    this.note.value = finding.note;
    this.author.value = remembered();
    const group = h("div", { class: "triage-buttons", role: "group", "aria-label": "Status" }, statuses.map((status) => {
      const button = h("button", { type: "button", "data-status": status, title: status_titles[status], onclick: () => void this.save(status) }, status_words[status]);
      this.buttons.set(status, button);
      return button;
    }));
    const save = h("button", { type: "button", class: "plain", onclick: () => void this.save(this.status) }, "Save");
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.save(this.status);
    });
    this.element = h("section", { class: "triage", "aria-label": "Triage" }, group,
      h("div", { class: "triage-fields" }, h("label", { for: "note", class: "hidden" }, "Note"), this.note,
        h("label", { for: "author", class: "hidden" }, "Your name"), this.author, save),
      this.message, this.history);
    this.show({ ...finding });
  }

  // What others decided meanwhile; a note that is being typed stays.
  refresh(finding: Finding): void {
    if (this.note.value === this.saved_note) this.note.value = finding.note;
    this.saved_note = finding.note;
    this.show({ ...finding });
  }

  save(status: Status): Promise<void> {
    const author = this.author.value.trim();
    remember(author);
    this.say("Saving …", "");
    return changeTriage(this.finding.id, { status, note: this.note.value.trim(), author }).then(
      (triage) => {
        this.saved_note = triage.note;
        this.note.value = triage.note;
        this.show(triage);
        this.say("Saved.", "good");
        this.changed(triage);
      },
      (error: Error) => this.say(`Not saved: ${error.message}`, "bad"),
    );
  }

  private show(triage: Triage): void {
    this.status = triage.status;
    for (const [status, button] of this.buttons) button.setAttribute("aria-pressed", String(status === triage.status));
    fill(this.history, [...triage.history].reverse().slice(0, 20).map((line) =>
      h("li", {}, h("time", { datetime: line.time }, time(line.time)), ` ${line.author || "someone"}: `,
        line.before === line.after ? "note" : `${line.before} → ${line.after}`, line.note && h("span", { class: "dim" }, ` “${line.note}”`))));
  }

  private say(words: string, kind: string): void {
    this.message.className = `triage-message ${kind}`;
    fill(this.message, words);
  }
}

function remembered(): string {
  try {
    return localStorage.getItem(author_key) ?? "";
  } catch {
    return "";
  }
}

function remember(author: string): void {
  try {
    localStorage.setItem(author_key, author);
  } catch {
    // A browser without storage asks again.
  }
}
