#include "evidence.h"

#include <algorithm>

#include "compression.h"
#include "lenenc.h"
#include "server_messages.h"

namespace darktap::mysql {

namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::size_t compressed_header_bytes = 7;
constexpr std::size_t least_continued = 400;  // a text that goes on in the next packet fills this one

bool is_text_byte(char c) { return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A statement begins with a word, a bracket or a comment, and its beginning has no control bytes outside its literals.
bool is_statement(std::string_view text) {
  std::string_view head = text.substr(0, 64);
  head = head.substr(0, head.find_first_of("'\""));
  if (!std::all_of(head.begin(), head.end(), is_text_byte)) return false;
  std::size_t at = head.find_first_not_of(" \t\r\n;");
  if (at == std::string_view::npos) return false;
  char c = head[at];
  return is_letter(c) || c == '(' || c == '/' || c == '-' || c == '#' || c == '{';
}

bool is_statement_with_attributes(Bytes body) {
  std::string_view text = as_text(body);
  if (is_statement(text)) return true;
  if (text.size() < 3 || text[1] != '\x01') return false;
  return text[0] != '\0' || is_statement(text.substr(2));
}

bool is_name(std::string_view text) {
  constexpr std::size_t longest = 64 * 4;
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
}

// `body` is what is here of a command's body, `length` all of it.
bool suits(CommandCode code, Bytes body, std::size_t length) {
  switch (code) {
    case CommandCode::quit:
    case CommandCode::statistics:
    case CommandCode::process_info:
    case CommandCode::debug:
    case CommandCode::ping:
    case CommandCode::reset_connection: return length == 0;
    case CommandCode::query: return length > 0 && is_statement_with_attributes(body);
    case CommandCode::stmt_prepare: return length > 0 && is_statement(as_text(body));
    case CommandCode::init_db:
    case CommandCode::create_db:
    case CommandCode::drop_db: return body.size() == length && is_name(as_text(body));
    case CommandCode::field_list: return body.size() == length && length >= 2 && std::find(body.begin(), body.end(), std::byte{0}) != body.end();
    case CommandCode::stmt_close:
    case CommandCode::stmt_reset: return length == 4;
    case CommandCode::stmt_fetch: return length == 8;
    case CommandCode::set_option: return length == 2;
    case CommandCode::process_kill: return length == 4;
    case CommandCode::refresh: return length == 1;
    case CommandCode::shutdown: return length <= 1;
    case CommandCode::stmt_execute: {
      if (length < 9 || body.size() < 9) return false;
      ByteReader reader(body.subspan(5));
      return std::to_integer<unsigned>(body[4]) < 0x10 && reader.u32le() == 1;  // flags; the iteration count
    }
    case CommandCode::stmt_send_long_data: return length >= 6;
    case CommandCode::stmt_bulk_execute: return length >= 6;
    case CommandCode::change_user: return length >= 4 && is_text_byte(static_cast<char>(body.empty() ? std::byte{0} : body[0]));
    case CommandCode::binlog_dump:
    case CommandCode::binlog_dump_gtid:
    case CommandCode::register_replica: return length >= 10;
    case CommandCode::sleep:
    case CommandCode::connect:
    case CommandCode::time:
    case CommandCode::delayed_insert:
    case CommandCode::table_dump:
    case CommandCode::connect_out:
    case CommandCode::daemon:
    case CommandCode::clone:
    case CommandCode::subscribe_group_replication: return false;  // too rare to be likely
  }
  return false;
}

bool may_be_long(CommandCode code) {
  return code == CommandCode::query || code == CommandCode::stmt_prepare || code == CommandCode::stmt_execute ||
         code == CommandCode::stmt_send_long_data || code == CommandCode::stmt_bulk_execute;
}

// A cursor that was opened can't have sent its last row in the same breath.
bool is_status(std::uint16_t status) {
  constexpr std::uint16_t cursor_bits = status_flag::cursor_exists | status_flag::last_row_sent;
  return (status & cursor_bits) != cursor_bits;
}

bool is_ok(Bytes payload) {
  auto parsed = parse_ok(payload);
  return parsed && is_status(parsed->ok.status) && std::all_of(parsed->ok.info.begin(), parsed->ok.info.end(), is_text_byte);
}

bool is_error(Bytes payload) {
  auto error = parse_error(payload);
  if (!error) return false;
  if (error->code == progress_code) return true;
  constexpr std::uint16_t first_server_error = 1000;
  return error->code >= first_server_error && !error->sqlstate.empty() &&
         std::all_of(error->sqlstate.begin(), error->sqlstate.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool starts_definition(Bytes payload) {
  constexpr std::string_view catalog = "\x03" "def";
  std::string_view head = as_text(payload).substr(0, catalog.size());
  return head == catalog.substr(0, head.size());
}

bool is_column_count(Bytes payload) {
  ByteReader reader(payload);
  std::uint64_t count = read_lenenc(reader);
  constexpr std::uint64_t most_columns = 4096;
  if (!reader.ok() || count == 0 || count > most_columns) return false;
  if (reader.remaining() == 1) return reader.u8() <= 1;
  return reader.at_end();
}

struct Header {
  std::size_t length = 0;
  std::uint8_t sequence = 0;
};
Header read_header(ByteReader& reader) {
  Header header;
  header.length = reader.u24le();
  header.sequence = reader.u8();
  return header;
}

}  // namespace

bool looks_like_command(Bytes packet, std::size_t frame_payload) {
  ByteReader reader(packet);
  while (!reader.at_end()) {
    Header header = read_header(reader);
    if (!reader.ok() || header.length == 0 || header.sequence != 0) return false;
    if (reader.at_end()) return false;
    auto code = static_cast<CommandCode>(reader.u8());
    std::size_t length = header.length - 1;
    Bytes body = reader.rest().first(std::min(length, reader.remaining()));
    if (!suits(code, body, length)) return false;
    if (length <= reader.remaining() && header.length < frame_payload) {
      reader.skip(length);
      continue;
    }
    return may_be_long(code) && (packet.size() >= least_continued || header.length >= frame_payload);
  }
  return !packet.empty();
}

bool payload_starts_response(Bytes payload, std::uint64_t length, CommandCode command) {
  if (payload.empty() || payload.size() != length) return false;
  std::uint8_t first = std::to_integer<std::uint8_t>(payload[0]);
  if (first == error_marker) return is_error(payload);
  if (command == CommandCode::statistics) return as_text(payload).starts_with("Uptime");
  if (command == CommandCode::stmt_prepare) return first == ok_marker && (length == 12 || length == 13);
  if (command == CommandCode::stmt_fetch) return first == ok_marker || parse_eof(payload).has_value() || (first == eof_marker && is_ok(payload));
  if (command == CommandCode::field_list) return starts_definition(payload) || parse_eof(payload).has_value() || (first == eof_marker && is_ok(payload));
  if (first == ok_marker) return is_ok(payload);
  if (first == eof_marker) {
    if (command == CommandCode::change_user) return true;
    if (command != CommandCode::set_option && command != CommandCode::debug && command != CommandCode::shutdown) return false;
    return parse_eof(payload).has_value() || is_ok(payload);
  }
  bool may_have_rows = command == CommandCode::query || command == CommandCode::stmt_execute || command == CommandCode::stmt_bulk_execute ||
                       command == CommandCode::process_info;
  if (!may_have_rows) return false;
  if (first == infile_marker) return command == CommandCode::query && is_name(as_text(payload).substr(1));
  return is_column_count(payload);
}

bool looks_like_response(Bytes packet, const ResponseStart& expected, std::size_t frame_payload) {
  ByteReader reader(packet);
  Header header = read_header(reader);
  if (!reader.ok() || header.length == 0 || header.length >= frame_payload || header.length > reader.remaining() ||
      (expected.sequence && header.sequence != *expected.sequence))
    return false;
  Bytes payload = reader.take(header.length);
  if (!payload_starts_response(payload, header.length, expected.command)) return false;
  std::uint8_t first = std::to_integer<std::uint8_t>(payload[0]);
  bool rows_follow = first != ok_marker && first != eof_marker && first != error_marker && first != infile_marker &&
                     expected.command != CommandCode::statistics;
  // A lone byte is weak evidence for rows; what follows must be their first definition, or what stands in its place.
  if (reader.at_end()) return true;
  Header second = read_header(reader);
  if (!reader.ok()) return true;
  if (second.sequence != static_cast<std::uint8_t>(header.sequence + 1)) return second.sequence == header.sequence && !rows_follow;
  if (!rows_follow) return true;
  if (starts_definition(reader.rest())) return true;
  std::uint8_t next = reader.peek();
  return payload.size() >= 2 && (next == ok_marker || next == eof_marker);  // definitions left out
}

bool looks_like_compressed_command(Bytes packet, std::size_t frame_payload) {
  if (packet.size() < compressed_header_bytes + header_bytes + 1) return false;
  ByteReader reader(packet);
  Header header = read_header(reader);
  std::uint32_t uncompressed = reader.u24le();
  if (!reader.ok() || header.sequence != 0 || header.length != reader.remaining()) return false;
  if (uncompressed == 0) return looks_like_command(reader.rest(), frame_payload);
  // What unpacks to its announced length is no accident: zlib and zstd check themselves.
  Decompressor unpack;
  Bytes rest = packet;
  return unpack.next(rest, {}) == Decompressor::Step::bytes && looks_like_command(unpack.content(), frame_payload);
}

}  // namespace darktap::mysql
