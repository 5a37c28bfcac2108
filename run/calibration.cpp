#include "calibration.h"

#include <algorithm>
#include <memory>

#include "compare/match.h"
#include "session/understanding.h"

namespace darktap::run {

void Calibration::note(const session::Exchange& exchange, const sql::Meaning& meaning) {
  if (taken_ >= reads_ || waiting_.size() >= max_waiting) return;
  if (meaning.statement_class != sql::StatementClass::read || exchange.command.text_state != mysql::Command::Text::known || exchange.command.text.size() > max_statement_bytes) return;
  if (!session::carries_statement(exchange.command.code) || exchange.command.code == mysql::CommandCode::stmt_prepare || exchange.command.bulk_rows > 0) return;
  if (std::size_t& taken = of_statement_[meaning.fingerprint]; ++taken > max_of_a_statement) return;
  ++taken_;
  waiting_.push_back({meaning.fingerprint, exchange.schema, exchange.collation, exchange.command});
}

void Calibration::turn(CaptureTime now) {
  if (waiting_.empty() || under_way_ || !reference_) return;
  if (!comparer_.spend_questions(waiting_.front().fingerprint, 2, now)) return;
  auto read = std::make_shared<const Read>(std::move(waiting_.front()));
  waiting_.pop_front();
  under_way_ = true;
  first_.reset();
  for (int i = 0; i < 2; ++i)
    reference_->ask(read->schema, read->collation, read->command, [this, read](Expected<client::Reply, std::string>&& reply) { heard(*read, std::move(reply)); });
}

void Calibration::heard(const Read& read, Expected<client::Reply, std::string>&& reply) {
  ++count_.n;
  if (!reply) {
    under_way_ = false;
    return;
  }
  count_.time_us += static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(reply->last_byte - reply->sent)));
  if (!first_) {
    first_ = std::move(reply->answer);
    return;
  }
  under_way_ = false;
  ++asked_;
  if (!compare::same_answer(*first_, reply->answer) && noisy_.insert(read.fingerprint).second) comparer_.note_noisy(read.fingerprint);
}

}  // namespace darktap::run
