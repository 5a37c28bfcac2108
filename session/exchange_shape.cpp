#include "exchange_shape.h"

namespace darktap::session {

namespace {

std::size_t integer_width(mysql::ColumnType type) {
  using enum mysql::ColumnType;
  switch (type) {
    case tiny: return 1;
    case short_:
    case year: return 2;
    case long_:
    case int24: return 4;
    case longlong: return 8;
    default: return 0;  // every other type's value is a piece
  }
}

void encode(WireWriter& out, const std::vector<mysql::Parameter>& parameters) {
  out.number(parameters.size());
  for (const mysql::Parameter& p : parameters) {
    out.number(static_cast<std::uint64_t>(p.type));
    out.number(static_cast<std::uint64_t>(p.sign));
    out.number(static_cast<std::uint64_t>(p.presence));
    out.number(static_cast<std::uint64_t>(coding_of(p)));
    out.text(p.name);
  }
}
void decode(WireReader& in, std::vector<mysql::Parameter>& parameters, std::vector<ValueCoding>& codings) {
  std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    mysql::Parameter& p = parameters.emplace_back();
    p.type = static_cast<mysql::ColumnType>(in.small<std::uint8_t>());
    p.sign = decode_enum(in, mysql::Parameter::Sign::unsigned_);
    p.presence = decode_enum(in, mysql::Parameter::Presence::ignore);
    std::uint64_t coding = in.number();
    if (coding > 9 || coding == 3 || (coding > 4 && coding < 8)) in.fail();
    codings.push_back(static_cast<ValueCoding>(coding));
    p.name = in.text();
  }
}

void encode(WireWriter& out, const mysql::Column& c) {
  for (const std::string* name : {&c.schema, &c.table, &c.org_table, &c.name, &c.org_name, &c.extended_type}) out.text(*name);
  out.number(c.charset);
  out.number(c.length);
  out.number(static_cast<std::uint64_t>(c.type));
  out.number(c.flags);
  out.number(c.decimals);
}
void decode(WireReader& in, mysql::Column& c) {
  for (std::string* name : {&c.schema, &c.table, &c.org_table, &c.name, &c.org_name, &c.extended_type}) *name = in.text();
  c.charset = in.small<std::uint16_t>();
  c.length = in.small<std::uint32_t>();
  c.type = static_cast<mysql::ColumnType>(in.small<std::uint8_t>());
  c.flags = in.small<std::uint16_t>();
  c.decimals = in.small<std::uint8_t>();
}

void encode(WireWriter& out, const mysql::ResultSet& set) {
  out.number(set.columns.size());
  for (const mysql::Column& column : set.columns) encode(out, column);
  out.number(static_cast<std::uint64_t>(set.format));
  out.number(set.status);
  out.number(set.warnings);
}
void decode(WireReader& in, mysql::ResultSet& set) {
  std::size_t count = in.count();
  std::vector<mysql::Column> columns;
  for (std::size_t i = 0; i < count && in.ok(); ++i) decode(in, columns.emplace_back());
  set.columns = std::move(columns);
  set.format = decode_enum(in, mysql::RowFormat::binary);
  set.status = in.small<std::uint16_t>();
  set.warnings = in.small<std::uint16_t>();
}

void encode(WireWriter& out, const mysql::Ok& ok) {
  out.number(ok.status);
  out.number(ok.warnings);
}
void decode(WireReader& in, mysql::Ok& ok) {
  ok.status = in.small<std::uint16_t>();
  ok.warnings = in.small<std::uint16_t>();
}

void encode(WireWriter& out, const mysql::ServerError& error) {
  out.number(error.code);
  out.text(error.sqlstate);
}
void decode(WireReader& in, mysql::ServerError& error) {
  error.code = in.small<std::uint16_t>();
  error.sqlstate = in.text();
}

}  // namespace

ValueCoding coding_of(const mysql::Parameter& parameter) {
  if (parameter.bytes.empty()) return ValueCoding::none;
  std::size_t width = integer_width(parameter.type);
  return width == parameter.bytes.size() ? static_cast<ValueCoding>(width) : ValueCoding::piece;
}

std::uint64_t flags_of(const Exchange& e) {
  std::uint64_t flags = 0;
  if (e.command.statement_id != 0) flags |= ShapeFlags::statement_id;
  if (e.command.number != 0) flags |= ShapeFlags::number;
  if (e.answer.statement_id != 0) flags |= ShapeFlags::answered_statement_id;
  if (e.response_first != CaptureTime() || e.response_last != CaptureTime()) flags |= ShapeFlags::response_times;
  return flags;
}

std::uint64_t flags_of(const mysql::Result& result) {
  std::uint64_t flags = 0;
  if (const auto* set = std::get_if<mysql::ResultSet>(&result)) {
    bool sealed = set->content == mysql::ResultSet::Content::sealed;
    if (sealed) flags |= ResultFlags::sealed;
    if (sealed || !set->all_rows_kept()) flags |= ResultFlags::stored_digests;
  } else if (const auto* ok = std::get_if<mysql::Ok>(&result)) {
    if (!ok->info.empty()) flags |= ResultFlags::info;
    if (!ok->gtid.empty()) flags |= ResultFlags::gtid;
  }
  return flags;
}

void encode_shape(WireWriter& out, const Exchange& e, std::string_view skeleton) {
  out.number(flags_of(e));
  out.text(e.user);
  out.text(e.schema);
  out.number(e.collation);
  out.number(static_cast<std::uint64_t>(e.certainty));
  out.text(e.why);

  const mysql::Command& c = e.command;
  out.number(static_cast<std::uint64_t>(c.code));
  out.number(static_cast<std::uint64_t>(c.text_state));
  out.text(skeleton);
  out.number(c.cursor_flags);
  out.number(c.bulk_rows);
  encode(out, c.parameters);
  encode(out, c.attributes);

  const mysql::Answer& answer = e.answer;
  out.number(static_cast<std::uint64_t>(answer.state));
  out.text(answer.why_unobserved);
  out.number(answer.parameter_count);
  out.number(answer.column_count);
  out.number(answer.results.size());
  for (const mysql::Result& result : answer.results) {
    out.number(result.index());
    out.number(flags_of(result));
    std::visit([&](const auto& value) { encode(out, value); }, result);
  }
}

bool decode_shape(WireReader& in, ExchangeShape& shape) {
  Exchange& e = shape.prototype;
  shape.flags = in.number();
  e.user = in.text();
  e.schema = in.text();
  e.collation = in.small<std::uint16_t>();
  e.certainty = decode_enum(in, Exchange::Certainty::inferred);
  e.why = in.text();

  mysql::Command& c = e.command;
  c.code = static_cast<mysql::CommandCode>(in.small<std::uint8_t>());
  c.text_state = decode_enum(in, mysql::Command::Text::unknown);
  shape.skeleton = in.text();
  c.cursor_flags = in.small<std::uint8_t>();
  c.bulk_rows = in.small<std::uint32_t>();
  decode(in, c.parameters, shape.parameters);
  decode(in, c.attributes, shape.attributes);

  mysql::Answer& answer = e.answer;
  answer.state = decode_enum(in, mysql::Answer::State::none);
  answer.why_unobserved = in.text();
  answer.parameter_count = in.small<std::uint16_t>();
  answer.column_count = in.small<std::uint16_t>();
  std::size_t results = in.count();
  for (std::size_t i = 0; i < results && in.ok(); ++i) {
    std::uint64_t index = in.number();
    shape.results.push_back(in.number());
    switch (index) {
      case 0: {
        auto& set = std::get<0>(answer.results.emplace_back(std::in_place_index<0>));
        if ((shape.results.back() & ResultFlags::sealed) != 0) set.content = mysql::ResultSet::Content::sealed;
        decode(in, set);
        break;
      }
      case 1: decode(in, std::get<1>(answer.results.emplace_back(std::in_place_index<1>))); break;
      case 2: decode(in, std::get<2>(answer.results.emplace_back(std::in_place_index<2>))); break;
      default: in.fail();
    }
  }
  return in.ok() && in.at_end();
}

}  // namespace darktap::session
