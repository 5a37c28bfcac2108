// Where the write's OK bore a GTID, the target itself tells whether it has applied that write: it had not when it answered stale,
// it has when it agrees.
#include "heard_rows.h"
#include "investigator.h"

namespace darktap::compare {

namespace {

// What the target agrees with is there; its list of GTIDs follows the rows by moments.
constexpr std::chrono::seconds wait_when_agreed{1};

std::optional<bool> told(const Heard& heard) {
  auto table = rows_heard(heard);
  if (!table || table->rows.size() != 1 || table->rows[0].size() != 1 || table->rows[0][0].is_null) return std::nullopt;
  return table->rows[0][0].text == "1";
}

}  // namespace

// MariaDB's wait of 0 s returns at once, MySQL's would be for ever.
std::optional<Investigator::GtidQuestion> Investigator::gtid_question(const SeenWrite& write, std::chrono::seconds wait) const {
  const std::string& gtid = write.gtid;
  if (world_.options.gtids == ComparerOptions::Gtids::not_asked || gtid.empty()) return std::nullopt;
  if (gtid.size() >= 1000 || gtid.find_first_not_of("0123456789abcdefABCDEF-:,\n ") != std::string::npos) return std::nullopt;
  bool of_mysql = gtid.find(':') != std::string::npos;
  GtidQuestion question;
  question.gtid = gtid;
  question.command.code = mysql::CommandCode::query;
  question.command.text_state = mysql::Command::Text::known;
  std::string seconds = std::to_string(wait.count());
  if (!of_mysql) question.command.text = "SELECT MASTER_GTID_WAIT('" + gtid + "', " + seconds + ") = 0";
  else if (wait.count() == 0) question.command.text = "SELECT GTID_SUBSET('" + gtid + "', @@GLOBAL.gtid_executed)";
  else question.command.text = "SELECT WAIT_FOR_EXECUTED_GTID_SET('" + gtid + "', " + seconds + ") = 0";
  return question;
}

// Asked without waiting; where the target can't tell, nothing is known.
Task<bool> Investigator::ask_gtid() {
  auto write = cause_of_staleness();
  if (!write || write->uncommitted) co_return false;
  auto question = gtid_question(*write->write, std::chrono::seconds(0));
  if (!question) co_return false;
  std::vector<Ask> asks;
  asks.push_back({Side::target, std::move(question->command)});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), file_.opened);
  auto there = told(heard[0]);
  if (!there) co_return false;
  gtid_ = question->gtid;
  gtid_write_ = write->write;
  gtid_at_first_ = *there;
  gtid_asked_ = heard[0].answered;
  co_return true;
}

// The target agrees: does it hold the write by now?
Task<bool> Investigator::ask_gtid_again() {
  if (gtid_.empty() || gtid_at_first_ || gtid_when_agreed_) co_return gtid_when_agreed_.value_or(false);
  auto write = cause_of_staleness();
  if (!write || write->write->gtid != gtid_) co_return false;
  auto question = gtid_question(*write->write, wait_when_agreed);
  if (!question) co_return false;
  std::vector<Ask> asks;
  asks.push_back({Side::target, std::move(question->command)});
  std::vector<Heard> heard = co_await interview_.ask(std::move(asks), file_.opened);
  gtid_when_agreed_ = told(heard[0]);
  co_return gtid_when_agreed_.value_or(false);
}

void Investigator::write_gtid(JsonWriter& json, const SeenWrite* write) const {
  if (gtid_.empty() || (write != nullptr && write->gtid != gtid_)) return;
  json.key("gtid").begin_object().member("gtid", gtid_).member("on_target_at_first", gtid_at_first_);
  if (gtid_when_agreed_) json.member("on_target_when_agreed", *gtid_when_agreed_);
  json.end_object();
}

}  // namespace darktap::compare
