#include "server_messages.h"

#include "lenenc.h"

namespace darktap::mysql {

namespace {

enum class Tracked : std::uint8_t { system_variable = 0, schema = 1, state_change = 2, gtids = 3 };

void read_system_variables(ByteReader data, ParsedOk& parsed) {
  while (!data.at_end() && data.ok()) {  // MariaDB packs several into one entry
    std::string_view name = read_lenenc_text(data);
    std::string_view value = read_lenenc_text(data);
    if (!data.ok()) return;
    if (name == "character_set_client") parsed.changes.character_set = std::string(value);
    if (name == "collation_connection") parsed.changes.collation = std::string(value);
    if (name == "last_gtid") parsed.ok.gtid = std::string(value);
  }
}

bool read_session_state(ByteReader state, ParsedOk& parsed) {
  while (!state.at_end()) {
    std::uint8_t type = state.u8();
    ByteReader data(read_lenenc_bytes(state));
    if (!state.ok()) return false;
    if (type == static_cast<std::uint8_t>(Tracked::system_variable)) {
      read_system_variables(data, parsed);
    } else if (type == static_cast<std::uint8_t>(Tracked::schema)) {
      std::string_view name = read_lenenc_text(data);
      if (data.ok()) parsed.changes.schema = std::string(name);
    } else if (type == static_cast<std::uint8_t>(Tracked::gtids)) {
      data.skip(1);  // the encoding; only text is defined
      std::string_view gtid = read_lenenc_text(data);
      if (data.ok()) parsed.ok.gtid = std::string(gtid);
    }
  }
  return true;
}

}  // namespace

std::optional<ParsedOk> parse_ok(Bytes message) {
  ByteReader reader(message);
  std::uint8_t marker = reader.u8();
  if (marker != ok_marker && marker != eof_marker) return std::nullopt;
  ParsedOk parsed;
  parsed.ok.affected_rows = read_lenenc(reader);
  parsed.ok.last_insert_id = read_lenenc(reader);
  parsed.ok.status = reader.u16le();
  parsed.ok.warnings = reader.u16le();
  if (!reader.ok()) return std::nullopt;
  if (reader.at_end()) return parsed;

  Bytes tail = reader.rest();
  std::string_view info = read_lenenc_text(reader);
  if (reader.ok() && reader.at_end()) {
    parsed.ok.info = std::string(info);
    return parsed;
  }
  if (reader.ok() && (parsed.ok.status & status_flag::session_state_changed) != 0) {
    parsed.ok.info = std::string(info);
    ByteReader state(read_lenenc_bytes(reader));
    if (!reader.ok() || !reader.at_end() || !read_session_state(state, parsed)) return std::nullopt;
    return parsed;
  }
  parsed.ok.info = std::string(as_text(tail));
  return parsed;
}

std::optional<ServerError> parse_error(Bytes message) {
  ByteReader reader(message);
  if (reader.u8() != error_marker) return std::nullopt;
  ServerError error;
  error.code = reader.u16le();
  if (!reader.ok()) return std::nullopt;
  if (reader.peek() == '#' && reader.remaining() >= 6) {
    reader.skip(1);
    error.sqlstate = std::string(as_text(reader.take(5)));
  }
  error.message = std::string(as_text(reader.rest()));
  return error;
}

std::optional<Column> parse_column(Bytes message, DefinitionLayout layout) {
  ByteReader reader(message);
  Column column;
  read_lenenc_bytes(reader);  // the catalog, always "def"
  column.schema = std::string(read_lenenc_text(reader));
  column.table = std::string(read_lenenc_text(reader));
  column.org_table = std::string(read_lenenc_text(reader));
  column.name = std::string(read_lenenc_text(reader));
  column.org_name = std::string(read_lenenc_text(reader));
  constexpr std::size_t fixed_fields = 12;
  bool extended = layout == DefinitionLayout::extended;
  if (layout == DefinitionLayout::by_shape) extended = reader.remaining() != 1 + fixed_fields && reader.peek() != fixed_fields;
  if (extended) {
    ByteReader chunks(read_lenenc_bytes(reader));
    while (!chunks.at_end()) {
      std::uint8_t kind = chunks.u8();
      std::string_view text = read_lenenc_text(chunks);
      if (!chunks.ok()) return std::nullopt;
      constexpr std::uint8_t type_name = 0, format_name = 1;
      if (kind == type_name || (kind == format_name && column.extended_type.empty())) column.extended_type = std::string(text);
    }
  }
  ByteReader fixed(read_lenenc_bytes(reader));
  column.charset = fixed.u16le();
  column.length = fixed.u32le();
  column.type = static_cast<ColumnType>(fixed.u8());
  column.flags = fixed.u16le();
  column.decimals = fixed.u8();
  if (!reader.ok() || !fixed.ok()) return std::nullopt;
  return column;  // COM_FIELD_LIST appends a default value, which is not kept
}

}  // namespace darktap::mysql
