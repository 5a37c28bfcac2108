#include "settled.h"

#include "evidence.h"
#include "ladder.h"

namespace darktap::compare {

namespace {

void add_answer(std::string& key, const mysql::Answer& answer) {
  for (const mysql::Result& result : answer.results) {
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result)) {
      const mysql::RowDigests digests = rows->digests();
      key += to_hex(digests.ordered_high) + to_hex(digests.ordered_low) + std::to_string(digests.rows);
    } else {
      key += digest_of(answer);
    }
    key += '|';
  }
  key += '\n';
}

}  // namespace

std::string SettledCases::key_of(const CaseFile& file) {
  const session::Exchange& exchange = file.exchange;
  std::string key = exchange.schema + '\n' + std::to_string(exchange.collation) + '\n' + exchange.command.text + '\n';
  for (const mysql::Parameter& parameter : exchange.command.parameters) {
    key += std::to_string(static_cast<int>(parameter.presence)) + ':' + std::to_string(static_cast<int>(parameter.type)) + ':';
    key += std::to_string(parameter.bytes.size()) + ':';
    key += as_text(parameter.bytes);
  }
  key += '\n';
  if (file.settings == CaseFile::Settings::unknown) key += "settings unknown\n";
  for (const auto& [name, value] : file.variables.known) key += name + '=' + value + '\n';
  add_answer(key, exchange.answer);
  add_answer(key, file.target.answer);
  return key;
}

void SettledCases::remember(const std::string& key, const CaseFile& file, const Conclusion& conclusion) {
  if (!conclusion.verdict || conclusion.verdict->level != Level::confirmed) return;
  Cause cause = conclusion.verdict->cause;
  if (cause != Cause::defect && cause != Cause::order_violated && cause != Cause::order_undefined) return;
  auto [entry, fresh] = entries_.insert_or_assign(key, Entry{*conclusion.verdict, file.exchange.request_first});
  if (fresh) order_.push_back(key);
  while (order_.size() > max_settled) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<Conclusion> SettledCases::find(const std::string& key, const CaseFile& file, const WriteIndex& writes) const {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) return std::nullopt;
  const Entry& earlier = entry->second;
  // By production's clock, so that a busy machine examines no more cases than an idle one.
  auto apart = file.exchange.request_first > earlier.read ? file.exchange.request_first - earlier.read : earlier.read - file.exchange.request_first;
  if (apart > settled_for) return std::nullopt;
  if (writes.written_since(file.scope, std::min(earlier.read, file.exchange.request_first))) return std::nullopt;
  // The same evidence, word for word: which of the two was examined hangs on which came first, and says nothing.
  return Conclusion{earlier.verdict, {}};
}

}  // namespace darktap::compare
