// Decodes one response, message by message: the part that the tap and the client share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mysql/answer.h"
#include "mysql/command.h"

namespace darktap::mysql {

struct ResponseLimits {
  std::size_t kept_rows = 1000;
  std::size_t kept_bytes = 4U << 20;
  std::size_t results = 10'000;                      // result sets and OKs of one response
  std::size_t definition_bytes = std::size_t{16} << 20;  // column definitions of one response
};

// What a response says about the session (session tracking), for whoever follows its state.
struct SessionChanges {
  std::optional<std::string> schema, character_set, collation;
};

// Feed it the server's messages (without frame headers) that follow one command, in order, until it says `done`.
class ResponseDecoder {
 public:
  // Were the capabilities negotiated before our eyes? If not, the dialect is told by each message's shape.
  // `by_shape_with_eof`: so is all but the form of the EOF, which capability::deprecate_eof tells.
  enum class Dialect : std::uint8_t { negotiated, by_shape, by_shape_with_eof };

  // `prepared_columns`: what PREPARE announced, needed for COM_STMT_FETCH, and where MariaDB's cached metadata leaves
  // definitions out.
  ResponseDecoder(CommandCode command, Capabilities capabilities, const ResponseLimits& limits,
                  Columns prepared_columns = {}, Dialect dialect = Dialect::negotiated);
  ResponseDecoder(const ResponseDecoder&) = delete;
  ResponseDecoder& operator=(const ResponseDecoder&) = delete;
  ResponseDecoder(ResponseDecoder&&) = default;
  ResponseDecoder& operator=(ResponseDecoder&&) = default;

  enum class Step : std::uint8_t { more, done, send_file, malformed };  // send_file: LOCAL INFILE was asked for
  Step feed(Bytes message);
  // Why the last step was malformed; one phrase.
  const std::string& problem() const { return problem_; }

  // The answer so far; whole after `done`.
  Answer& answer() { return answer_; }
  // Column definitions that PREPARE announced (valid after the `done` of a COM_STMT_PREPARE).
  const Columns& prepared_columns() const { return prepared_columns_; }
  const SessionChanges& changes() const { return changes_; }
  // What the response showed of the EOF's form, where that was unknown.
  enum class EofForm : std::uint8_t { unknown, classic, deprecated };
  EofForm eof_form() const { return eof_form_; }
  // Nothing more is missing than an EOF that this dialect may not have; if so, what comes next is no part of the response.
  bool may_be_complete() const;
  std::size_t memory() const;

 private:
  enum class State : std::uint8_t { first, columns, columns_eof, rows, prepare_parameters, prepare_parameters_eof,
                                    prepare_columns, prepare_columns_eof, finished };
  Step begin(Bytes message);
  Step begin_rows(Bytes message);
  Step begin_prepared(Bytes message);
  Step column(Bytes message);
  Step row(Bytes message);
  Step end_of_rows(Bytes message);
  Step announced(Bytes message);
  Step announced_eof(Bytes message);
  Step end_result(std::uint16_t status);
  Step take_ok(Bytes message);
  Step take_error(Bytes message);
  Step fail(std::string problem);
  void start_rows();
  bool eof_is_unknown() const { return dialect_ == Dialect::by_shape; }
  bool has(Capabilities flag) const { return (capabilities_ & flag) != 0; }
  bool is_binary() const;
  bool definitions_may_be_left_out() const;
  std::optional<Column> parse_definition(Bytes message);

  CommandCode command_;
  Capabilities capabilities_;
  ResponseLimits limits_;
  Dialect dialect_;
  State state_ = State::first;
  std::uint64_t definitions_left_ = 0;
  std::size_t definition_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  Columns prepared_columns_;
  std::vector<Column> definitions_;  // those in progress
  ResultSet* rows_ = nullptr;  // the result set in progress: the last of answer_.results
  ResultSet pending_;          // until its definitions are whole
  Answer answer_;
  SessionChanges changes_;
  EofForm eof_form_ = EofForm::unknown;
  std::string problem_;
};

}  // namespace darktap::mysql
