#include "mysql/answer.h"

namespace darktap::mysql {

void ResultSet::add(Bytes row, Keep keep) {
  if (!streamed && keep == Keep::yes) return rows.add(row);
  if (!streamed) streamed = digests();
  streamed->add(row);
}

RowDigests ResultSet::digests() const {
  if (streamed) return *streamed;
  RowDigests all;
  for (std::size_t i = 0; i < rows.size(); ++i) all.add(rows.row(i));
  return all;
}

bool ResultSet::has_same_rows(const ResultSet& other) const {
  if (!streamed && !other.streamed) return rows == other.rows;
  return row_count() == other.row_count() && digests().same_order(other.digests());
}

std::string_view to_string(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::rows: return "rows";
    case AnswerKind::ok: return "ok";
    case AnswerKind::error: return "error";
    case AnswerKind::unobserved: return "unobserved";
    case AnswerKind::none: return "none";
  }
  return "unobserved";
}

AnswerKind Answer::kind() const {
  if (state == State::none) return AnswerKind::none;
  if (state == State::unobserved || results.empty()) return AnswerKind::unobserved;
  if (error() != nullptr) return AnswerKind::error;
  return first_rows() != nullptr ? AnswerKind::rows : AnswerKind::ok;
}

const ServerError* Answer::error() const { return results.empty() ? nullptr : std::get_if<ServerError>(&results.back()); }

const ResultSet* Answer::first_rows() const {
  for (const Result& result : results)
    if (const auto* rows = std::get_if<ResultSet>(&result)) return rows;
  return nullptr;
}

std::optional<std::uint16_t> Answer::last_status() const {
  if (results.empty() || statement_id != 0) return std::nullopt;
  if (const auto* ok = std::get_if<Ok>(&results.back())) return ok->status;
  if (const auto* rows = std::get_if<ResultSet>(&results.back())) return rows->status;
  return std::nullopt;
}

const Ok* Answer::last_ok() const {
  for (auto result = results.rbegin(); result != results.rend(); ++result)
    if (const auto* ok = std::get_if<Ok>(&*result)) return ok;
  return nullptr;
}

std::uint64_t Answer::row_count() const {
  std::uint64_t count = 0;
  for (const Result& result : results)
    if (const auto* rows = std::get_if<ResultSet>(&result)) count += rows->row_count();
  return count;
}

std::uint32_t Answer::warnings() const {
  if (results.empty()) return 0;
  if (const auto* ok = std::get_if<Ok>(&results.back())) return ok->warnings;
  if (const auto* rows = std::get_if<ResultSet>(&results.back())) return rows->warnings;
  return 0;
}

}  // namespace darktap::mysql
