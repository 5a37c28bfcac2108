#include "session/render.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <type_traits>

#include "charset.h"

namespace darktap::session {

namespace {

struct IconvCloser {
  void operator()(void* handle) const { iconv_close(handle); }
};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_wide(const char* charset) { return std::string_view(charset).starts_with("U"); }

void write_text_or_hex(JsonWriter& json, std::string_view bytes, std::uint16_t collation) {
  Utf8Text text = to_utf8(bytes, collation);
  if (text.loss == Utf8Text::Loss::none) json.string(text.text);
  else json.begin_object().member("hex", to_hex(as_bytes(bytes))).end_object();
}

bool prints_as_number(mysql::ColumnType type) {
  using enum mysql::ColumnType;
  return type == tiny || type == short_ || type == long_ || type == longlong || type == int24 || type == year || type == float_ ||
         type == double_;
}

// JSON has no inf, nan, hexadecimal or leading zeros.
bool is_json_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  if (text.front() < '0' || text.front() > '9' || text.back() < '0' || text.back() > '9') return false;
  return !(text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9');
}

void write_parameter(JsonWriter& json, const mysql::Parameter& parameter, std::uint16_t collation) {
  if (parameter.presence != mysql::Parameter::Presence::value) {
    json.null();
    return;
  }
  std::string text = mysql::print_parameter(parameter);
  if (prints_as_number(parameter.type) && is_json_number(text)) json.raw(text);
  else write_text_or_hex(json, text, collation);
}

}  // namespace

Utf8Text to_utf8(std::string_view bytes, std::uint16_t collation) {
  const char* charset = iconv_charset(collation);
  if (charset == nullptr || (is_ascii(bytes) && !is_wide(charset))) {
    return {std::string(bytes), is_utf8(bytes) ? Utf8Text::Loss::none : Utf8Text::Loss::some};
  }
  iconv_t raw = iconv_open("UTF-8", charset);
  if (raw == reinterpret_cast<iconv_t>(-1)) return {std::string(bytes), is_utf8(bytes) ? Utf8Text::Loss::none : Utf8Text::Loss::some};
  std::unique_ptr<std::remove_pointer_t<iconv_t>, IconvCloser> handle(raw);
  Utf8Text result;
  std::string input(bytes);
  char* in = input.data();
  std::size_t in_left = input.size();
  char buffer[4096];
  while (in_left > 0) {
    char* out = buffer;
    std::size_t out_left = sizeof buffer;
    std::size_t converted = iconv(raw, &in, &in_left, &out, &out_left);
    result.text.append(buffer, static_cast<std::size_t>(out - buffer));
    if (converted == static_cast<std::size_t>(-1) && errno != E2BIG) {
      result.loss = Utf8Text::Loss::some;
      result.text += "\xef\xbf\xbd";
      ++in;
      --in_left;
    }
  }
  return result;
}

void write_parameters(JsonWriter& json, const mysql::Command& command, std::uint16_t collation) {
  json.begin_array();
  if (command.bulk_rows > 0) {
    std::size_t width = command.parameters.size() / command.bulk_rows;
    for (std::size_t row = 0; row < command.bulk_rows; ++row) {
      json.begin_array();
      for (std::size_t i = 0; i < width; ++i) write_parameter(json, command.parameters[row * width + i], collation);
      json.end_array();
    }
  } else {
    for (const mysql::Parameter& parameter : command.parameters) write_parameter(json, parameter, collation);
  }
  json.end_array();
}

void write_cell(JsonWriter& json, const mysql::Cell& cell, const mysql::Column& column, std::uint16_t collation) {
  if (cell.is_null) json.null();
  else if (mysql::is_integer(column) && is_json_number(cell.text)) json.raw(cell.text);
  // The server converts text to the connection's result character set; bytes stay bytes.
  else write_text_or_hex(json, cell.text, mysql::is_bytes(column) ? mysql::binary_charset : collation);
}

void write_answer(JsonWriter& json, const mysql::Answer& answer, std::uint16_t collation, std::size_t max_rows) {
  json.begin_object().member("outcome", mysql::to_string(answer.kind()));
  if (!answer.why_unobserved.empty()) json.member("why", answer.why_unobserved);
  if (const mysql::ServerError* error = answer.error()) {
    json.key("error").begin_object().member("code", error->code).member("sqlstate", error->sqlstate).member("message", error->message).end_object();
  }
  if (const mysql::ResultSet* set = answer.first_rows()) {
    json.key("columns").begin_array();
    for (const mysql::Column& column : set->columns) json.string(column.name);
    json.end_array();
    const mysql::RowDigests digests = set->digests();
    json.member("row_count", digests.rows);
    json.member("digest", to_hex(digests.ordered_high) + to_hex(digests.ordered_low));
    json.key("rows").begin_array();
    // Of sealed rows nothing can be shown.
    std::size_t shown = set->content == mysql::ResultSet::Content::sealed ? 0 : std::min(set->rows.size(), max_rows);
    for (std::size_t i = 0; i < shown; ++i) {
      auto cells = mysql::decode_row(set->rows.row(i), set->columns, set->format);
      if (!cells) continue;
      json.begin_array();
      for (std::size_t c = 0; c < cells->size(); ++c) write_cell(json, (*cells)[c], set->columns[c], collation);
      json.end_array();
    }
    json.end_array();
    json.member("rows_shown", shown);
  }
  if (const mysql::Ok* ok = answer.last_ok()) {
    json.member("affected_rows", ok->affected_rows).member("last_insert_id", ok->last_insert_id);
  }
  json.member("warnings", answer.warnings()).end_object();
}

}  // namespace darktap::session
