// What people decide about a finding: by signature, so it holds in every run, with a line of who, when and why.
#include "opening.h"
#include "store/store.h"

namespace darktap::store {

namespace {

void check_length(const char* what, const std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  throw Failure(FailureKind::usage, std::string("the ") + what + " has " + std::to_string(text.size()) + " bytes; at most " +
                                        std::to_string(limit) + " are kept");
}

}  // namespace

void apply(const std::string& path, const TriageChange& change, CaptureTime when) {
  check_length("note", change.note, note_limit);
  check_length("author", change.author, author_limit);
  Database database = open_for_change(path);
  Transaction transaction(database);
  Statement known = database.prepare("SELECT 1 FROM findings WHERE id = ? LIMIT 1");
  if (!known.bind(change.finding).step()) {
    throw Failure(FailureKind::usage, "store " + database.name() + " has no finding " + change.finding + " in any of its runs");
  }
  Statement current = database.prepare("SELECT status FROM triage WHERE finding = ?");
  std::string before = current.bind(change.finding).step() ? current.text(0) : std::string(to_string(TriageStatus::open));
  std::int64_t time = when.time_since_epoch().count();
  database.prepare("INSERT OR REPLACE INTO triage (finding, status, note, author, changed) VALUES (?, ?, ?, ?, ?)")
      .run(change.finding, to_string(change.status), change.note, change.author, time);
  database.prepare("INSERT INTO audit (time, author, finding, before, after, note) VALUES (?, ?, ?, ?, ?, ?)")
      .run(time, change.author, change.finding, before, to_string(change.status), change.note);
  transaction.commit();
}

}  // namespace darktap::store
