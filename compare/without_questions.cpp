// What can't be asked again is judged by the two answers and what the run left out: a write, a statement that is no plain read.
#include <algorithm>
#include <array>

#include "error_class.h"
#include "foreign_keys.h"
#include "investigator.h"
#include "sql/lexer.h"

namespace darktap::compare {

// Other rows explain an error only where rows can bring it about: a key that is taken, a parent that is missing, a value that
// grew out of its range.
bool Investigator::depends_on_rows() const {
  auto is_about_rows = [](const mysql::ServerError* error) {
    constexpr std::array<std::uint16_t, 13> codes{1022, 1062, 1169, 1216, 1217, 1242, 1264, 1451, 1452, 1586, 1690, 3819, 4025};
    return error == nullptr || std::find(codes.begin(), codes.end(), error->code) != codes.end();
  };
  return is_about_rows(source_->error()) && is_about_rows(target_->error());
}

bool Investigator::lacks_a_name() const {
  const mysql::ServerError* error = target_->error();
  auto what = error == nullptr || source_->error() != nullptr ? ErrorClass::unknown : classify(*error);
  return what == ErrorClass::no_such_table || what == ErrorClass::no_such_column || what == ErrorClass::no_such_schema;
}

// The session's schema, or the one that it goes to, is one that the run did not make.
std::optional<Attribution> Investigator::left_out_schema() const {
  const mysql::ServerError* error = target_->error();
  if (error == nullptr || source_->error() != nullptr || classify(*error) != ErrorClass::no_such_schema) return std::nullopt;
  const session::Exchange& exchange = file_.exchange;
  if (exchange.command.code == mysql::CommandCode::init_db) return world_.writes.left_out_schema(exchange.command.text, exchange.response_last);
  for (const sql::Effect& effect : file_.meaning.effects)
    if (effect.kind == sql::EffectKind::default_schema) {
      const sql::Lexed lexed = sql::lex(effect.value, plan_.dialect);
      if (auto made = world_.writes.left_out_schema(sql::name_of(effect.value, lexed.tokens.front()), exchange.response_last)) return made;
    }
  return world_.writes.left_out_schema(exchange.schema, exchange.response_last);
}

// What can't be asked again is judged by the two answers.
Conclusion Investigator::without_questions() const {
  if (world_.target.follows() != Follows::yes && depends_on_rows()) {
    if (auto write = left_out()) return skipped(*write, Level::assumed);
    ReadScope other_end = scope_of_foreign_key({source_->error(), target_->error()}, file_.scope);
    if (auto write = world_.writes.skipped(other_end, nullptr, nullptr, nullptr, nullptr)) return skipped(*write, Level::assumed);
  }
  if (depends_on_rows()) {
    ExplainedRows rows(plan_, world_.catalogue, nullptr, nullptr, first_.match);
    if (auto other = world_.writes.own(file_.scope, file_.target, CaptureTime::max(), rows).apart) {
      Evidence evidence;
      write_attribution(evidence.json(), *other);
      evidence.json().member("unexamined_because", "the run itself sent this other write to the target at another place before or behind than the source had it, and a write is not asked again");
      return verdict(Cause::unexamined, Level::assumed, std::move(evidence));
    }
  }
  if (auto change = lacks_a_name() ? world_.writes.skipped_schema_change(file_.scope) : std::nullopt) return skipped(*change, Level::proved);
  if (auto drawn = drawn_values(file_.meaning); !drawn.empty() && first_.difference == Difference::affected_rows) {
    Evidence evidence;
    evidence.json().member("reason", "which rows it meets is drawn by each server for itself").key("functions").begin_array();
    for (const std::string& name : drawn) evidence.json().string(name);
    evidence.json().end_array();
    return verdict(Cause::nondeterministic, Level::assumed, std::move(evidence));
  }
  bool about_rows = first_.a != nullptr || first_.relation == Relation::open;
  if (about_rows || first_.cause == Cause::unexamined) return unexamined("the statement is no plain read: it is not asked again");
  return verdict(first_.cause, first_.cause == Cause::replay_artifact ? Level::assumed : Level::proved);
}

}  // namespace darktap::compare
