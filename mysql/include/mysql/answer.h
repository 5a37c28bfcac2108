// A server's whole response to one command, decoded; the same shape for what production answered and what the target did.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mysql/row.h"

namespace darktap::mysql {

struct Ok {
  std::uint64_t affected_rows = 0, last_insert_id = 0;
  std::uint16_t status = 0, warnings = 0;
  std::string info;  // "Rows matched: 1  Changed: 1  Warnings: 0"
  std::string gtid;  // from session tracking, where the server tells
};

struct ServerError {
  std::uint16_t code = 0;
  std::string sqlstate;  // five characters; empty before authentication in old servers
  std::string message;
};

// `rows` holds the first of them, at most the decoder's kept_rows and kept_bytes. From the first that is not kept on, digests
// stream over all; as long as all are kept, the rows themselves tell more, and digests are made where somebody asks for them.
struct ResultSet {
  Columns columns;
  RowFormat format = RowFormat::text;
  RowBatch rows;
  std::optional<RowDigests> streamed;  // over every row, where not all are kept, or what is kept is sealed
  std::uint16_t status = 0, warnings = 0;
  // Sealed: rows and digests are keyed digests of the server's, which can be compared with a key, and not read.
  enum class Content : std::uint8_t { readable, sealed } content = Content::readable;

  enum class Keep : std::uint8_t { yes, no };
  // Behind one that was not kept, none is.
  void add(Bytes row, Keep keep = Keep::yes);
  std::uint64_t row_count() const { return streamed ? streamed->rows : rows.size(); }
  bool all_rows_kept() const { return rows.size() == row_count(); }
  RowDigests digests() const;  // over every row
  // The same payloads in the same order.
  bool has_same_rows(const ResultSet& other) const;
};

// A response is one result, or several (multi-statements, CALL); an error ends it.
using Result = std::variant<ResultSet, Ok, ServerError>;

enum class AnswerKind : std::uint8_t { rows, ok, error, unobserved, none };
std::string_view to_string(AnswerKind kind);  // the contract's `outcome`

struct Answer {
  std::vector<Result> results;
  // What PREPARE answered; zero for the others.
  std::uint32_t statement_id = 0;
  std::uint16_t parameter_count = 0, column_count = 0;

  enum class State : std::uint8_t { complete, unobserved, none } state = State::complete;  // none: the command gets no answer
  std::string why_unobserved;  // one phrase, where state is unobserved

  AnswerKind kind() const;
  const ServerError* error() const;      // the last result, where it is one
  const ResultSet* first_rows() const;   // the first result set, where there is one
  const Ok* last_ok() const;             // the last OK, where there is one
  std::uint64_t row_count() const;       // over all result sets
  std::uint32_t warnings() const;        // of the last result
  std::optional<std::uint16_t> last_status() const;  // the server's status flags; none after an error, nor after a PREPARE, whose answer has none
};

}  // namespace darktap::mysql
