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
  // What the response showed of the EOF's form, where that was unknown.
  enum class EofForm : std::uint8_t { unknown, classic, deprecated };

  // `prepared_columns`: what PREPARE announced, needed for COM_STMT_FETCH, and where MariaDB's cached metadata leaves
  // definitions out.
  ResponseDecoder(CommandCode command, Capabilities capabilities, const ResponseLimits& limits,
                  Columns prepared_columns = {}, Dialect dialect = Dialect::negotiated);
  // One that waits for its restart().
  ResponseDecoder() = default;
  // Begins anew, with the storage it has.
  void restart(CommandCode command, Capabilities capabilities, const ResponseLimits& limits, Columns prepared_columns = {},
               Dialect dialect = Dialect::negotiated);
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
  // The same, taken away into an empty one.
  void take_answer(Answer& empty);
  // An answer that nobody needs any more: its storage serves the next one. It is left empty.
  void recycle(Answer& answer);

  // Shortcuts for who has the bytes of many messages at hand; they do what feed() does, message by message.
  //
  // What a result's header (number of columns, definitions, EOF) told, once it is whole and before the first row.
  struct Header {
    Columns columns;
    std::uint16_t status = 0, warnings = 0;
    std::uint32_t definition_bytes = 0;
    EofForm eof_form = EofForm::unknown;
  };
  // What the meaning of a header's bytes depends on.
  struct HeaderKind {
    Dialect dialect{};
    RowFormat format{};
    Capabilities capabilities = 0;
    bool operator==(const HeaderKind&) const = default;
  };
  HeaderKind header_kind() const;
  // The response's first header is being read, with definitions in it: a first message was fed, and no row yet.
  bool in_first_header() const {
    const bool reads = state_ == State::columns || (state_ == State::columns_eof && definition_bytes_ > 0);
    return reads && answer_.results.empty() && command_ != CommandCode::field_list;
  }
  // Whole, and the next message is its first row or their end.
  std::optional<Header> first_header() const;
  // Takes the first header as read; false where it does not suit, and nothing was taken.
  bool take_header(const Header& header);
  // A header whose definitions MariaDB left out, since its client has them from the PREPARE, at the front of frames whose first has
  // the number `sequence`; how many bytes it took, 0 where it is not of that kind.
  std::size_t take_cached_header(Bytes frames, std::uint8_t sequence);
  bool in_rows() const { return state_ == State::rows; }
  // Rows from the front of whole frames shorter than `longest`, as long as they surely are rows and their numbers go on from
  // `sequence`; how many bytes were rows, and the number behind the last.
  struct RowRun {
    std::size_t bytes = 0;
    std::uint8_t next_sequence = 0;
  };
  RowRun take_rows(Bytes frames, std::uint8_t sequence, std::size_t longest);
  // Column definitions that PREPARE announced (valid after the `done` of a COM_STMT_PREPARE).
  const Columns& prepared_columns() const { return prepared_columns_; }
  const SessionChanges& changes() const { return changes_; }
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
  void definitions_end();
  void start_rows();
  void add_row(Bytes message);
  bool eof_is_unknown() const { return dialect_ == Dialect::by_shape; }
  bool has(Capabilities flag) const { return (capabilities_ & flag) != 0; }
  bool is_binary() const;
  bool definitions_may_be_left_out() const;
  std::optional<Column> parse_definition(Bytes message);

  CommandCode command_{};
  Capabilities capabilities_ = 0;
  ResponseLimits limits_;
  Dialect dialect_ = Dialect::negotiated;
  State state_ = State::first;
  std::uint64_t definitions_left_ = 0;
  std::size_t definition_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  Columns prepared_columns_;
  std::vector<Column> definitions_;  // those in progress
  ResultSet* rows_ = nullptr;  // the result set in progress: the last of answer_.results
  Columns pending_columns_;    // until the rows begin
  Answer answer_;
  SessionChanges changes_;
  EofForm eof_form_ = EofForm::unknown;
  std::string problem_;
  std::vector<Result> spare_results_;  // empty, or one result set
};

}  // namespace darktap::mysql
