// The target came to agree later: it was behind. Which write should it have shown, and is that all that it got wrong?
#include <algorithm>

#include "error_class.h"
#include "investigator.h"
#include "text.h"

namespace darktap::compare {

// The target came to agree: it was behind. Which write should it have shown?
Conclusion Investigator::behind(CaptureTime agreed, bool known_to_be_older) {
  Evidence evidence;
  JsonWriter& json = evidence.json();
  if (environmental_error() && first_.difference == Difference::error_only_target) {
    json.member("reason", "an error of the target's circumstances, gone when it was asked again");
    return verdict(Cause::nondeterministic, Level::confirmed, std::move(evidence));
  }
  auto write = cause_of_staleness();
  if (!write && hangs_on_order()) return unexamined("the target came to agree, no write was seen, and its answer hangs on an order that nothing promised");
  if (!write) {
    if (auto racing = world_.writes.racing(file_.scope)) {
      json.member("racing_write", racing->write->sql);
      json.member("note", "this write was in flight while the source answered: the read could not expect it");
    }
    json.member("behind_for_at_least_us", since(file_.exchange.response_last, last_stale_));
    json.member("agreed_after_us", since(file_.exchange.response_last, agreed));
    return verdict(Cause::stale_read, known_to_be_older ? Level::confirmed : Level::assumed, std::move(evidence));
  }
  if (auto column = healed_column()) {
    json.member("healed_column", *column).member("healed_by", write->write->sql);
    json.member("note", "the write does not touch this column: a wrong row that it brought into order, or another writer");
    return verdict(Cause::stale_read, Level::confirmed, std::move(evidence));
  }
  if (write->write->replayed == Replayed::not_sent && world_.target_follows == Follows::unknown) world_.target_follows = Follows::yes;
  write_attribution(json, *write);
  CaptureTime visible = !write->uncommitted && write->write->committed ? *write->write->committed : write->write->ok;
  json.key("staleness_us").begin_array().number(since(visible, last_stale_)).number(since(visible, agreed)).end_array();
  if (!gtid_.empty()) json.key("gtid").begin_object().member("gtid", gtid_).member("on_target_at_first", gtid_at_first_).end_object();
  return verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
}

// A row that differs in a column which no write touched was wrong before: replication by full row images mends it.
std::optional<std::string> Investigator::healed_column() const {
  if (!first_.a || !first_.b || first_.match.only_a.size() != first_.match.only_b.size() || plan_.has_limit) return std::nullopt;
  const Table &a = *first_.a, &b = *first_.b;
  for (std::size_t row_a : first_.match.only_a) {
    // The row with most cells in common, if it is surely the same one.
    std::optional<std::size_t> partner;
    for (std::size_t row_b : first_.match.only_b) {
      bool same_first = !a.rows[row_a].empty() && (a.rows[row_a][0] == b.rows[row_b][0] || a.rows.size() == 1);
      if (same_first) partner = partner ? std::optional<std::size_t>() : row_b;
    }
    if (!partner) continue;
    for (std::size_t c = 0; c < a.columns.size(); ++c) {
      const mysql::Column& column = a.columns[c];
      TypeFamily family = family_of(column);
      bool bare = !plan_.columns[c].item || !plan_.shape.items[*plan_.columns[c].item].column.empty();
      bool plain = bare && !column.org_name.empty() && !column.org_table.empty() && family != TypeFamily::datetime;  // ON UPDATE CURRENT_TIMESTAMP
      if (!plain || compare_cells(a.rows[row_a][c], column, b.rows[*partner][c], b.columns[c], plan_.columns[c]).match != CellMatch::different) continue;
      if (!world_.writes.touches_column(file_.scope, lower(column.org_name))) return column.name;
    }
  }
  return std::nullopt;
}

// Has the target applied the write that would explain it? Asked without waiting; where it can't tell, nothing is known.
Task<bool> Investigator::ask_gtid() {
  auto write = cause_of_staleness();
  if (!write || write->write->gtid.empty() || write->uncommitted) co_return false;
  const std::string& gtid = write->write->gtid;
  bool safe = gtid.size() < 1000 && gtid.find_first_not_of("0123456789abcdefABCDEF-:,\n ") == std::string::npos;
  if (!safe) co_return false;
  bool mysql = gtid.find(':') != std::string::npos;
  mysql::Command question;
  question.code = mysql::CommandCode::query;
  question.text = mysql ? "SELECT GTID_SUBSET('" + gtid + "', @@GLOBAL.gtid_executed)" : "SELECT MASTER_GTID_WAIT('" + gtid + "', 0) = 0";
  question.text_state = mysql::Command::Text::known;
  std::vector<Ask> asks;
  asks.push_back({Side::target, std::move(question)});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), file_.opened);
  const mysql::ResultSet* rows = heard[0].answer() != nullptr ? heard[0].answer()->first_rows() : nullptr;
  auto table = rows != nullptr ? table_of(*rows) : std::nullopt;
  if (!table || table->rows.size() != 1 || table->rows[0].size() != 1 || table->rows[0][0].is_null) co_return false;
  gtid_ = gtid;
  gtid_at_first_ = table->rows[0][0].text == "1";
  co_return true;
}

// Target and reference agree on a third answer. Was the first one older than the source's, or newer?
Conclusion Investigator::both_moved(CaptureTime agreed) {
  bool was_newer = std::any_of(references_.begin(), references_.end(), [&](const mysql::Answer& r) { return examine(r, *target_, plan_).agrees(); });
  bool nothing_newer = !world_.writes.written_since(file_.scope, file_.exchange.request_first);
  bool source_held = !references_.empty() && examine(*source_, references_.front(), plan_).agrees();
  // Under a LIMIT a later write may move the window so that both agree by chance: the target never showed the source's answer.
  bool later_write = world_.writes.written_since(file_.scope, file_.exchange.request_first);
  if (plan_.has_limit && later_write && source_held) return unexamined("the window moved on before the target showed the source's rows");
  if (!was_newer && (source_held || nothing_newer || cause_of_staleness())) return behind(agreed, source_held || nothing_newer);
  Evidence evidence;
  evidence.json().member("reason", "the reference left the source's answer too");
  return verdict(Cause::data_moved, Level::confirmed, std::move(evidence));
}

// The reading session's own open transaction: the others can't see what it wrote until it commits.
Conclusion Investigator::uncommitted(const Attribution& write) const {
  Evidence evidence;
  write_attribution(evidence.json(), write);
  evidence.json().key("staleness_us").begin_array().number(since(write.write->ok, last_stale_)).null().end_array();
  evidence.json().member("reason", "the reference does not show this uncommitted write either");
  return verdict(Cause::read_after_write, Level::confirmed, std::move(evidence));
}

}  // namespace darktap::compare
