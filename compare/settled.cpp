#include "settled.h"

#include "evidence.h"
#include "ladder.h"

namespace darktap::compare {

namespace {

void add_answer(std::string& key, const mysql::Answer& answer) {
  for (const mysql::Result& result : answer.results) {
    if (const auto* rows = std::get_if<mysql::ResultSet>(&result))
      key += to_hex(rows->digests.ordered_high) + to_hex(rows->digests.ordered_low) + std::to_string(rows->digests.rows);
    else key += digest_of(answer);
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
  add_answer(key, exchange.answer);
  add_answer(key, file.target.answer);
  return key;
}

void SettledCases::remember(const std::string& key, const CaseFile& file, const Conclusion& conclusion, CaptureTime now) {
  if (!conclusion.verdict || conclusion.verdict->level != Level::confirmed) return;
  Cause cause = conclusion.verdict->cause;
  if (cause != Cause::defect && cause != Cause::order_violated && cause != Cause::order_undefined) return;
  auto [entry, fresh] = entries_.insert_or_assign(key, Entry{*conclusion.verdict, file.exchange.id, file.exchange.request_first, now});
  if (fresh) order_.push_back(key);
  while (order_.size() > max_settled) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<Conclusion> SettledCases::find(const std::string& key, const CaseFile& file, const WriteIndex& writes, CaptureTime now) const {
  auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.concluded + settled_for < now) return std::nullopt;
  const Entry& earlier = entry->second;
  if (writes.written_since(file.scope, std::min(earlier.read, file.exchange.request_first))) return std::nullopt;
  Evidence evidence;
  evidence.json().key("settled_by").begin_object().member("session", earlier.settled_by.session.value).member("seq", earlier.settled_by.seq).end_object();
  const std::string& members = earlier.verdict.evidence;
  evidence.append(std::string_view(members).substr(1, members.size() - 2));
  Conclusion conclusion;
  conclusion.verdict = earlier.verdict;
  conclusion.verdict->evidence = object_of(evidence.take_members());
  return conclusion;
}

}  // namespace darktap::compare
