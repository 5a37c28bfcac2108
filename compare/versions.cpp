#include "versions.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "session/row_seal.h"

namespace darktap::compare {

namespace {

std::uint64_t statement_of(const session::Exchange& read) {
  const mysql::Command& command = read.command;
  std::uint64_t hash = XXH3_64bits_withSeed(command.text.data(), command.text.size(), XXH3_64bits(read.schema.data(), read.schema.size()));
  for (const mysql::Parameter& parameter : command.parameters) {
    std::uint64_t kind = static_cast<std::uint64_t>(parameter.presence) << 8 | static_cast<std::uint64_t>(parameter.type);
    hash = XXH3_64bits_withSeed(parameter.bytes.data(), parameter.bytes.size(), hash ^ kind);
  }
  return hash;
}

const mysql::ResultSet* only_rows(const mysql::Answer& answer) { return answer.results.size() == 1 && !session::is_sealed(answer) ? answer.first_rows() : nullptr; }

bool is_of(const SeenVersion& version, const mysql::RowDigests& rows) {
  return version.high == rows.ordered_high && version.low == rows.ordered_low && version.rows == rows.rows;
}

}  // namespace

void SeenVersions::observe(const session::Exchange& read) {
  const mysql::ResultSet* rows = only_rows(read.answer);
  if (rows == nullptr) return;
  std::uint64_t statement = statement_of(read);
  const mysql::RowDigests digests = rows->digests();
  auto [entry, fresh] = statements_.try_emplace(statement);
  if (fresh) order_.push_back(statement);
  std::deque<SeenVersion>& versions = entry->second;
  if (!versions.empty() && is_of(versions.back(), digests)) {
    versions.back().to = std::max(versions.back().to, read.request_first);
    versions.back().read = read.id;
    return;
  }
  versions.push_back({digests.ordered_high, digests.ordered_low, digests.rows, read.id, read.request_first, read.request_first});
  ++versions_;
  if (versions.size() > max_versions_of_read) {
    versions.pop_front();
    --versions_;
  }
  while (versions_ > max_seen_versions && order_.size() > 1) {
    auto oldest = statements_.find(order_.front());
    order_.pop_front();
    versions_ -= oldest->second.size();
    statements_.erase(oldest);
  }
}

std::optional<SeenVersion> SeenVersions::older(const session::Exchange& read, const mysql::Answer& answer) const {
  const mysql::ResultSet* rows = only_rows(answer);
  auto entry = rows != nullptr ? statements_.find(statement_of(read)) : statements_.end();
  if (entry == statements_.end()) return std::nullopt;
  const mysql::RowDigests digests = rows->digests();
  for (auto version = entry->second.rbegin(); version != entry->second.rend(); ++version)
    if (version->to < read.request_first && is_of(*version, digests)) return *version;
  return std::nullopt;
}

std::optional<SeenVersion> SeenVersions::newer(const session::Exchange& read, const mysql::Answer& answer) const {
  const mysql::ResultSet* rows = only_rows(answer);
  auto entry = rows != nullptr ? statements_.find(statement_of(read)) : statements_.end();
  if (entry == statements_.end()) return std::nullopt;
  const mysql::RowDigests digests = rows->digests();
  for (const SeenVersion& version : entry->second)
    if (version.from > read.request_first && is_of(version, digests)) return version;
  return std::nullopt;
}

}  // namespace darktap::compare
