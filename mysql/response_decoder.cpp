#include "mysql/response_decoder.h"

#include <utility>

#include "base/header_fields.h"
#include "lenenc.h"
#include "server_messages.h"

namespace darktap::mysql {

namespace {
constexpr std::uint64_t most_columns = 65'535;

std::uint8_t first_byte(Bytes message) { return std::to_integer<std::uint8_t>(message[0]); }

// Commands that are answered by OK, EOF or ERR and never by rows.
bool answers_ok_only(CommandCode command) {
  switch (command) {
    case CommandCode::init_db:
    case CommandCode::create_db:
    case CommandCode::drop_db:
    case CommandCode::refresh:
    case CommandCode::shutdown:
    case CommandCode::process_kill:
    case CommandCode::debug:
    case CommandCode::ping:
    case CommandCode::change_user:
    case CommandCode::stmt_reset:
    case CommandCode::set_option:
    case CommandCode::reset_connection:
    case CommandCode::register_replica: return true;
    case CommandCode::sleep:
    case CommandCode::quit:
    case CommandCode::query:
    case CommandCode::field_list:
    case CommandCode::statistics:
    case CommandCode::process_info:
    case CommandCode::connect:
    case CommandCode::time:
    case CommandCode::delayed_insert:
    case CommandCode::binlog_dump:
    case CommandCode::table_dump:
    case CommandCode::connect_out:
    case CommandCode::stmt_prepare:
    case CommandCode::stmt_execute:
    case CommandCode::stmt_send_long_data:
    case CommandCode::stmt_close:
    case CommandCode::stmt_fetch:
    case CommandCode::daemon:
    case CommandCode::binlog_dump_gtid:
    case CommandCode::clone:
    case CommandCode::subscribe_group_replication:
    case CommandCode::stmt_bulk_execute: return false;
  }
  return false;
}

}  // namespace

ResponseDecoder::ResponseDecoder(CommandCode command, Capabilities capabilities, const ResponseLimits& limits, Columns prepared_columns,
                                 Dialect dialect) {
  restart(command, capabilities, limits, std::move(prepared_columns), dialect);
}

void ResponseDecoder::restart(CommandCode command, Capabilities capabilities, const ResponseLimits& limits, Columns prepared_columns,
                              Dialect dialect) {
  command_ = command;
  capabilities_ = capabilities;
  limits_ = limits;
  dialect_ = dialect;
  state_ = State::first;
  definitions_left_ = 0;
  definition_bytes_ = kept_bytes_ = 0;
  prepared_columns_ = std::move(prepared_columns);
  definitions_.clear();
  rows_ = nullptr;
  pending_columns_ = {};
  recycle(answer_);
  changes_.schema.reset();
  changes_.character_set.reset();
  changes_.collation.reset();
  eof_form_ = EofForm::unknown;
  problem_.clear();
  if (command_ == CommandCode::stmt_fetch) {  // rows of an open cursor, without definitions
    pending_columns_ = prepared_columns_;
    start_rows();
  } else if (command_ == CommandCode::field_list) {
    definitions_left_ = most_columns;  // as many as come before the EOF
    state_ = State::columns;
  }
}

void ResponseDecoder::recycle(Answer& answer) {
  constexpr std::size_t largest_spare = std::size_t{64} << 10;
  if (!answer.results.empty()) {
    auto* set = std::get_if<ResultSet>(&answer.results.front());
    if (set != nullptr && set->rows.capacity() <= largest_spare && spare_results_.empty()) {
      answer.results.resize(1);
      spare_results_.swap(answer.results);
    }
    answer.results.clear();
  }
  answer.statement_id = answer.parameter_count = answer.column_count = 0;
  answer.state = Answer::State::complete;
  answer.why_unobserved.clear();
}

void ResponseDecoder::take_answer(Answer& empty) {
  empty.results.swap(answer_.results);
  empty.statement_id = answer_.statement_id;
  empty.parameter_count = answer_.parameter_count;
  empty.column_count = answer_.column_count;
  empty.state = answer_.state;
}

bool ResponseDecoder::is_binary() const {
  return command_ == CommandCode::stmt_execute || command_ == CommandCode::stmt_fetch || command_ == CommandCode::stmt_bulk_execute;
}

bool ResponseDecoder::definitions_may_be_left_out() const {
  return has(capability::mariadb_cache_metadata) || has(capability::optional_metadata) || dialect_ != Dialect::negotiated;
}

ResponseDecoder::Step ResponseDecoder::feed(Bytes message) {
  if (state_ == State::rows) return row(message);
  if (state_ == State::finished) return fail("a message behind the end of the response");
  if (message.empty()) return fail("an empty message");
  switch (state_) {
    case State::first: return begin(message);
    case State::columns: return column(message);
    case State::columns_eof:
      start_rows();
      if (auto eof = parse_eof(message)) {
        eof_form_ = EofForm::classic;
        rows_->status = eof->status;
        rows_->warnings = eof->warnings;
        // A cursor was opened: its rows come by COM_STMT_FETCH.
        if ((eof->status & status_flag::cursor_exists) != 0 && is_binary()) return end_result(eof->status);
        return Step::more;
      }
      // Nothing announced the rows: the dialect has no EOF here.
      eof_form_ = EofForm::deprecated;
      return row(message);
    case State::prepare_parameters:
    case State::prepare_columns: return announced(message);
    case State::prepare_parameters_eof:
    case State::prepare_columns_eof: return announced_eof(message);
    case State::rows:
    case State::finished: break;
  }
  return fail("an impossible state");
}

ResponseDecoder::Step ResponseDecoder::begin(Bytes message) {
  std::uint8_t first = first_byte(message);
  if (first == error_marker) return take_error(message);
  if (command_ == CommandCode::statistics) {  // one human-readable line, no marker at all
    answer_.results.emplace_back(Ok{.info = std::string(as_text(message))});
    state_ = State::finished;
    return Step::done;
  }
  if (command_ == CommandCode::stmt_prepare) return begin_prepared(message);
  if (command_ == CommandCode::change_user && (first == eof_marker || first == 0x01)) return Step::more;  // another round
  if (first == ok_marker) return take_ok(message);
  if (first == eof_marker && message.size() < 9 && answers_ok_only(command_)) {
    if (auto eof = parse_eof(message)) {
      answer_.results.emplace_back(Ok{.status = eof->status, .warnings = eof->warnings});
      state_ = State::finished;
      return Step::done;
    }
    return take_ok(message);
  }
  if (answers_ok_only(command_)) return fail("neither OK nor an error");
  if (first == infile_marker) return command_ == CommandCode::query ? Step::send_file : fail("a file asked for without LOAD DATA");
  return begin_rows(message);
}

ResponseDecoder::Step ResponseDecoder::begin_rows(Bytes message) {
  ByteReader reader(message);
  std::uint64_t count = read_lenenc(reader);
  if (!reader.ok() || count == 0 || count > most_columns) return fail("an impossible number of columns");
  enum class Definitions { follow, left_out } definitions = Definitions::follow;
  if (!reader.at_end() && definitions_may_be_left_out()) definitions = reader.u8() == 0 ? Definitions::left_out : Definitions::follow;
  if (!reader.at_end()) return fail("bytes behind the number of columns");

  if (definitions == Definitions::follow) {
    definitions_left_ = count;
    state_ = State::columns;
    return Step::more;
  }
  if (is_binary()) {
    if (prepared_columns_.size() != count) return fail("definitions were left out and those of its PREPARE are unknown");
    pending_columns_ = prepared_columns_;
  } else {
    pending_columns_ = std::vector<Column>(count, Column{.type = ColumnType::var_string});
  }
  state_ = State::columns_eof;
  return Step::more;
}

std::optional<Column> ResponseDecoder::parse_definition(Bytes message) {
  definition_bytes_ += message.size();
  if (definition_bytes_ > limits_.definition_bytes) return std::nullopt;
  DefinitionLayout layout = DefinitionLayout::by_shape;
  if (dialect_ == Dialect::negotiated)
    layout = has(capability::mariadb_extended_metadata) ? DefinitionLayout::extended : DefinitionLayout::classic;
  return parse_column(message, layout);
}

ResponseDecoder::Step ResponseDecoder::column(Bytes message) {
  if (first_byte(message) == error_marker) return take_error(message);
  if (command_ == CommandCode::field_list && first_byte(message) == eof_marker && message.size() < shortest_long_row) {
    pending_columns_ = std::exchange(definitions_, {});
    start_rows();
    return end_of_rows(message);
  }
  auto definition = parse_definition(message);
  if (!definition) return fail("not a column definition");
  definitions_.push_back(*std::move(definition));
  if (--definitions_left_ > 0) return Step::more;
  pending_columns_ = std::exchange(definitions_, {});
  definitions_end();
  return Step::more;
}

ResponseDecoder::HeaderKind ResponseDecoder::header_kind() const {
  constexpr Capabilities matters = capability::deprecate_eof | capability::optional_metadata | capability::mariadb_extended_metadata |
                                   capability::mariadb_cache_metadata;
  return {dialect_, is_binary() ? RowFormat::binary : RowFormat::text, capabilities_ & matters};
}

std::optional<ResponseDecoder::Header> ResponseDecoder::first_header() const {
  if (state_ != State::rows || answer_.results.size() != 1 || rows_->row_count() != 0) return std::nullopt;
  return Header{rows_->columns, rows_->status, rows_->warnings, static_cast<std::uint32_t>(definition_bytes_), eof_form_};
}

bool ResponseDecoder::take_header(const Header& header) {
  const bool may_have_rows = command_ == CommandCode::query || command_ == CommandCode::process_info || is_binary();
  if (state_ != State::first || !answer_.results.empty() || !may_have_rows || header.definition_bytes > limits_.definition_bytes) return false;
  definition_bytes_ = header.definition_bytes;
  eof_form_ = header.eof_form;
  pending_columns_ = header.columns;
  if (is_binary() && definitions_may_be_left_out()) prepared_columns_ = header.columns;
  start_rows();
  rows_->status = header.status;
  rows_->warnings = header.warnings;
  return true;
}

std::size_t ResponseDecoder::take_cached_header(Bytes frames, std::uint8_t sequence) {
  constexpr std::size_t bytes = 15, longest_count = 250;  // a number of one byte and "left out", an EOF
  const bool may_be = is_binary() && dialect_ == Dialect::negotiated && has(capability::mariadb_cache_metadata) && !has(capability::deprecate_eof);
  if (!may_be || frames.size() < bytes || state_ != State::first || !answer_.results.empty()) return 0;
  const HeaderFields<bytes> header(frames);
  const std::size_t count = header.u8<4>();
  const bool left_out = header.u24le<0>() == 2 && header.u8<3>() == sequence && header.u8<5>() == 0 && count == prepared_columns_.size();
  const bool ended = header.u24le<6>() == eof_length && header.u8<9>() == static_cast<std::uint8_t>(sequence + 1) && header.u8<10>() == eof_marker;
  const std::uint16_t warnings = header.u16le<11>(), status = header.u16le<13>();
  if (!left_out || !ended || count == 0 || count > longest_count || (status & status_flag::cursor_exists) != 0) return 0;
  return take_header({prepared_columns_, status, warnings, 0, EofForm::classic}) ? bytes : 0;
}

void ResponseDecoder::definitions_end() {
  if (is_binary() && definitions_may_be_left_out()) prepared_columns_ = pending_columns_;
  if (!eof_is_unknown() && has(capability::deprecate_eof)) {
    start_rows();
  } else {
    state_ = State::columns_eof;
  }
}

void ResponseDecoder::start_rows() {
  if (answer_.results.empty() && !spare_results_.empty()) {
    answer_.results.swap(spare_results_);
    rows_ = &std::get<ResultSet>(answer_.results.front());
    rows_->rows.clear();
    rows_->streamed.reset();
    rows_->status = rows_->warnings = 0;
    rows_->content = ResultSet::Content::readable;
  } else {
    rows_ = &std::get<ResultSet>(answer_.results.emplace_back(std::in_place_type<ResultSet>));
  }
  rows_->columns = std::move(pending_columns_);
  rows_->format = is_binary() ? RowFormat::binary : RowFormat::text;
  state_ = State::rows;
}

ResponseDecoder::Step ResponseDecoder::row(Bytes message) {
  if (message.empty()) return fail("an empty message");
  std::uint8_t first = first_byte(message);
  if (first == eof_marker && message.size() < shortest_long_row) return end_of_rows(message);
  if (first == error_marker) return take_error(message);
  if (rows_->format == RowFormat::binary && first != ok_marker) return fail("not a binary row");
  add_row(message);
  return Step::more;
}

void ResponseDecoder::add_row(Bytes message) {
  const bool kept = !rows_->streamed && rows_->rows.size() < limits_.kept_rows && kept_bytes_ + message.size() <= limits_.kept_bytes;
  if (kept) kept_bytes_ += message.size();
  rows_->add(message, kept ? ResultSet::Keep::yes : ResultSet::Keep::no);
}

ResponseDecoder::RowRun ResponseDecoder::take_rows(Bytes frames, std::uint8_t sequence, std::size_t longest) {
  constexpr std::size_t header_bytes = 4;
  RowRun run{.next_sequence = sequence};
  const bool binary = rows_->format == RowFormat::binary;
  while (frames.size() > header_bytes) {
    const HeaderFields<header_bytes> header(frames);
    const std::size_t length = header.u24le<0>();
    if (header.u8<3>() != run.next_sequence || length == 0 || length >= longest || length > frames.size() - header_bytes) break;
    const Bytes message = frames.subspan(header_bytes, length);
    const std::uint8_t first = first_byte(message);
    if (binary ? first != ok_marker : first >= eof_marker) break;
    add_row(message);
    frames = frames.subspan(header_bytes + length);
    run.bytes += header_bytes + length;
    ++run.next_sequence;
  }
  return run;
}

ResponseDecoder::Step ResponseDecoder::end_of_rows(Bytes message) {
  if (auto eof = parse_eof(message)) {
    rows_->status = eof->status;
    rows_->warnings = eof->warnings;
  } else if (auto parsed = parse_ok(message)) {
    rows_->status = parsed->ok.status;
    rows_->warnings = parsed->ok.warnings;
    if (parsed->changes.schema) changes_.schema = parsed->changes.schema;
    if (parsed->changes.character_set) changes_.character_set = parsed->changes.character_set;
    if (parsed->changes.collation) changes_.collation = parsed->changes.collation;
  } else {
    return fail("a row that is none");
  }
  return end_result(rows_->status);
}

ResponseDecoder::Step ResponseDecoder::end_result(std::uint16_t status) {
  rows_ = nullptr;
  if ((status & status_flag::more_results) == 0) {
    state_ = State::finished;
    return Step::done;
  }
  if (answer_.results.size() >= limits_.results) return fail("more results than are followed");
  state_ = State::first;
  return Step::more;
}

ResponseDecoder::Step ResponseDecoder::take_ok(Bytes message) {
  auto parsed = parse_ok(message);
  if (!parsed) return fail("not an OK packet");
  std::uint16_t status = parsed->ok.status;
  if (parsed->changes.schema) changes_.schema = parsed->changes.schema;
  if (parsed->changes.character_set) changes_.character_set = parsed->changes.character_set;
  if (parsed->changes.collation) changes_.collation = parsed->changes.collation;
  answer_.results.emplace_back(std::move(parsed->ok));
  return end_result(status);
}

ResponseDecoder::Step ResponseDecoder::take_error(Bytes message) {
  auto error = parse_error(message);
  if (!error) return fail("not an error packet");
  if (error->code == progress_code && (has(capability::mariadb_progress) || dialect_ != Dialect::negotiated)) return Step::more;
  answer_.results.emplace_back(*std::move(error));
  rows_ = nullptr;
  state_ = State::finished;
  return Step::done;
}

ResponseDecoder::Step ResponseDecoder::begin_prepared(Bytes message) {
  ByteReader reader(message);
  if (reader.u8() != ok_marker || message.size() < 12) return fail("not the answer to a PREPARE");
  answer_.statement_id = reader.u32le();
  answer_.column_count = reader.u16le();
  answer_.parameter_count = reader.u16le();
  reader.skip(1);
  Ok ok{.warnings = reader.u16le()};
  bool definitions_follow = true;
  if (has(capability::optional_metadata) && !reader.at_end()) definitions_follow = reader.u8() != 0;
  answer_.results.emplace_back(std::move(ok));
  prepared_columns_ = {};
  if (definitions_follow && answer_.parameter_count > 0) {
    definitions_left_ = answer_.parameter_count;
    state_ = State::prepare_parameters;
    return Step::more;
  }
  if (definitions_follow && answer_.column_count > 0) {
    definitions_left_ = answer_.column_count;
    state_ = State::prepare_columns;
    return Step::more;
  }
  state_ = State::finished;
  return Step::done;
}

ResponseDecoder::Step ResponseDecoder::announced(Bytes message) {
  auto definition = parse_definition(message);
  if (!definition) return fail("not a column definition");
  if (state_ == State::prepare_columns) definitions_.push_back(*std::move(definition));
  if (--definitions_left_ > 0) return Step::more;
  prepared_columns_ = std::exchange(definitions_, {});
  // With parameters' definitions the form showed itself before the columns' end.
  bool eof_follows = eof_is_unknown() ? eof_form_ != EofForm::deprecated : !has(capability::deprecate_eof);
  if (state_ == State::prepare_parameters) {
    if (eof_follows) { state_ = State::prepare_parameters_eof; return Step::more; }
    if (answer_.column_count == 0) { state_ = State::finished; return Step::done; }
    definitions_left_ = answer_.column_count;
    state_ = State::prepare_columns;
    return Step::more;
  }
  if (eof_follows) { state_ = State::prepare_columns_eof; return Step::more; }
  state_ = State::finished;
  return Step::done;
}

ResponseDecoder::Step ResponseDecoder::announced_eof(Bytes message) {
  bool is_eof = parse_eof(message).has_value();
  if (is_eof) eof_form_ = EofForm::classic;
  bool last = state_ == State::prepare_columns_eof || answer_.column_count == 0;
  if (last) {
    state_ = State::finished;
    return is_eof ? Step::done : fail("the definitions have no end");
  }
  if (!is_eof && !eof_is_unknown()) return fail("the definitions have no end");
  if (!is_eof) eof_form_ = EofForm::deprecated;
  definitions_left_ = answer_.column_count;
  state_ = State::prepare_columns;
  return is_eof ? Step::more : announced(message);
}

bool ResponseDecoder::may_be_complete() const {
  if (!eof_is_unknown() || eof_form_ == EofForm::classic) return false;
  return state_ == State::prepare_columns_eof || (state_ == State::prepare_parameters_eof && answer_.column_count == 0);
}

ResponseDecoder::Step ResponseDecoder::fail(std::string problem) {
  problem_ = std::move(problem);
  state_ = State::finished;
  return Step::malformed;
}

std::size_t ResponseDecoder::memory() const {
  return sizeof(*this) + kept_bytes_ + 2 * definition_bytes_ + answer_.results.size() * sizeof(Result);
}

}  // namespace darktap::mysql
