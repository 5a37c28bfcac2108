#include "exchange_codec.h"

#include <algorithm>

namespace darktap::session {

namespace {

void encode(WireWriter& out, CaptureTime time) { out.difference(time.time_since_epoch().count()); }
CaptureTime decode_time(WireReader& in) { return CaptureTime(CaptureClock::duration(in.difference())); }
// Wraps instead of overflowing: a damaged file may hold any number.
CaptureTime decode_time_after(WireReader& in, CaptureTime base) {
  auto sum = static_cast<std::uint64_t>(base.time_since_epoch().count()) + static_cast<std::uint64_t>(in.difference());
  return CaptureTime(CaptureClock::duration(static_cast<std::int64_t>(sum)));
}

void encode(WireWriter& out, const Endpoint& endpoint) {
  out.bytes(std::as_bytes(std::span(endpoint.address.bytes)));
  out.number(endpoint.port);
}
Endpoint decode_endpoint(WireReader& in) {
  Endpoint endpoint;
  Bytes address = in.bytes();
  if (address.size() != endpoint.address.bytes.size()) in.fail();
  else std::transform(address.begin(), address.end(), endpoint.address.bytes.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  endpoint.port = in.small<std::uint16_t>();
  return endpoint;
}

template <class Enum>
Enum decode_enum(WireReader& in, Enum last) {
  auto value = in.number();
  if (value > static_cast<std::uint64_t>(last)) in.fail();
  return static_cast<Enum>(value);
}

void encode(WireWriter& out, const std::vector<mysql::Parameter>& parameters) {
  out.number(parameters.size());
  for (const mysql::Parameter& p : parameters) {
    out.number(static_cast<std::uint64_t>(p.type));
    out.number(static_cast<std::uint64_t>(p.sign));
    out.number(static_cast<std::uint64_t>(p.presence));
    out.text(p.name);
    out.bytes(p.bytes);
  }
}
std::vector<mysql::Parameter> decode_parameters(WireReader& in) {
  std::vector<mysql::Parameter> parameters(in.count());
  for (mysql::Parameter& p : parameters) {
    p.type = static_cast<mysql::ColumnType>(in.small<std::uint8_t>());
    p.sign = decode_enum(in, mysql::Parameter::Sign::unsigned_);
    p.presence = decode_enum(in, mysql::Parameter::Presence::ignore);
    p.name = in.text();
    Bytes bytes = in.bytes();
    p.bytes.assign(bytes.begin(), bytes.end());
  }
  return parameters;
}

void encode(WireWriter& out, const mysql::Command& c) {
  out.number(static_cast<std::uint64_t>(c.code));
  out.number(static_cast<std::uint64_t>(c.text_state));
  out.text(c.text);
  out.number(c.statement_id);
  out.number(c.cursor_flags);
  out.number(c.bulk_rows);
  out.number(c.number);
  encode(out, c.parameters);
  encode(out, c.attributes);
}
void decode(WireReader& in, mysql::Command& c) {
  c.code = static_cast<mysql::CommandCode>(in.small<std::uint8_t>());
  c.text_state = decode_enum(in, mysql::Command::Text::unknown);
  c.text = in.text();
  c.statement_id = in.small<std::uint32_t>();
  c.cursor_flags = in.small<std::uint8_t>();
  c.bulk_rows = in.small<std::uint32_t>();
  c.number = in.small<std::uint32_t>();
  c.parameters = decode_parameters(in);
  c.attributes = decode_parameters(in);
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
  const mysql::RowDigests& d = set.digests;
  for (std::uint64_t part : {d.rows, d.ordered_high, d.ordered_low, d.multiset_high, d.multiset_low, d.sum64}) out.number(part);
  out.number(set.rows.size());
  for (std::size_t i = 0; i < set.rows.size(); ++i) out.bytes(set.rows.row(i));
}
void decode(WireReader& in, mysql::ResultSet& set) {
  std::vector<mysql::Column> columns(in.count());
  for (mysql::Column& column : columns) decode(in, column);
  set.columns = std::move(columns);
  set.format = decode_enum(in, mysql::RowFormat::binary);
  set.status = in.small<std::uint16_t>();
  set.warnings = in.small<std::uint16_t>();
  mysql::RowDigests& d = set.digests;
  for (std::uint64_t* part : {&d.rows, &d.ordered_high, &d.ordered_low, &d.multiset_high, &d.multiset_low, &d.sum64}) *part = in.number();
  std::size_t rows = in.count();
  for (std::size_t i = 0; i < rows && in.ok(); ++i) set.rows.add(in.bytes());
}

void encode(WireWriter& out, const mysql::Ok& ok) {
  for (std::uint64_t part : {ok.affected_rows, ok.last_insert_id, std::uint64_t{ok.status}, std::uint64_t{ok.warnings}}) out.number(part);
  out.text(ok.info);
  out.text(ok.gtid);
}
void decode(WireReader& in, mysql::Ok& ok) {
  ok.affected_rows = in.number();
  ok.last_insert_id = in.number();
  ok.status = in.small<std::uint16_t>();
  ok.warnings = in.small<std::uint16_t>();
  ok.info = in.text();
  ok.gtid = in.text();
}

void encode(WireWriter& out, const mysql::ServerError& error) {
  out.number(error.code);
  out.text(error.sqlstate);
  out.text(error.message);
}
void decode(WireReader& in, mysql::ServerError& error) {
  error.code = in.small<std::uint16_t>();
  error.sqlstate = in.text();
  error.message = in.text();
}

void encode(WireWriter& out, const mysql::Answer& answer) {
  out.number(static_cast<std::uint64_t>(answer.state));
  out.text(answer.why_unobserved);
  out.number(answer.statement_id);
  out.number(answer.parameter_count);
  out.number(answer.column_count);
  out.number(answer.results.size());
  for (const mysql::Result& result : answer.results) {
    out.number(result.index());
    std::visit([&](const auto& value) { encode(out, value); }, result);
  }
}
void decode(WireReader& in, mysql::Answer& answer) {
  answer.state = decode_enum(in, mysql::Answer::State::none);
  answer.why_unobserved = in.text();
  answer.statement_id = in.small<std::uint32_t>();
  answer.parameter_count = in.small<std::uint16_t>();
  answer.column_count = in.small<std::uint16_t>();
  std::size_t results = in.count();
  for (std::size_t i = 0; i < results && in.ok(); ++i) {
    switch (in.number()) {
      case 0: decode(in, std::get<0>(answer.results.emplace_back(std::in_place_index<0>))); break;
      case 1: decode(in, std::get<1>(answer.results.emplace_back(std::in_place_index<1>))); break;
      case 2: decode(in, std::get<2>(answer.results.emplace_back(std::in_place_index<2>))); break;
      default: in.fail();
    }
  }
}

}  // namespace

void encode(WireWriter& out, const SessionInfo& info) {
  out.number(info.id.value);
  encode(out, info.client);
  encode(out, info.server);
  encode(out, info.first_time);
  out.text(info.server_version);
  out.number(info.capabilities);
  out.number(static_cast<std::uint64_t>(info.join));
  out.number(static_cast<std::uint64_t>(info.transport));
}
void decode(WireReader& in, SessionInfo& info) {
  info.id.value = in.number();
  info.client = decode_endpoint(in);
  info.server = decode_endpoint(in);
  info.first_time = decode_time(in);
  info.server_version = in.text();
  info.capabilities = in.number();
  info.join = decode_enum(in, SessionInfo::Join::midstream);
  info.transport = decode_enum(in, SessionInfo::Transport::compressed);
}

void encode(WireWriter& out, const Exchange& e) {
  out.number(e.id.session.value);
  out.number(e.id.seq);
  out.number(e.provenance.file);
  out.number(e.provenance.packet.value);
  out.text(e.user);
  out.text(e.schema);
  out.number(e.collation);
  encode(out, e.request_first);
  out.difference((e.request_last - e.request_first).count());
  out.difference((e.response_first - e.request_last).count());
  out.difference((e.response_last - e.response_first).count());
  out.number(e.request_bytes);
  out.number(e.response_bytes);
  out.number(static_cast<std::uint64_t>(e.certainty));
  out.text(e.why);
  encode(out, e.command);
  encode(out, e.answer);
}
void decode(WireReader& in, Exchange& e) {
  e.id.session.value = in.number();
  e.id.seq = in.small<std::uint32_t>();
  e.provenance.file = in.small<std::uint32_t>();
  e.provenance.packet.value = in.number();
  e.user = in.text();
  e.schema = in.text();
  e.collation = in.small<std::uint16_t>();
  e.request_first = decode_time(in);
  e.request_last = decode_time_after(in, e.request_first);
  e.response_first = decode_time_after(in, e.request_last);
  e.response_last = decode_time_after(in, e.response_first);
  e.request_bytes = in.number();
  e.response_bytes = in.number();
  e.certainty = decode_enum(in, Exchange::Certainty::inferred);
  e.why = in.text();
  decode(in, e.command);
  decode(in, e.answer);
}

void encode(WireWriter& out, const TapCounters& c) {
  for (std::uint64_t count : {c.packets, c.bytes, c.lost_bytes, c.gaps, c.kernel_drops, c.connections, c.sessions, c.joined_midstream,
                              c.tls_sessions, c.compressed_sessions, c.shed_exchanges})
    out.number(count);
  encode(out, c.first_time);
  encode(out, c.last_time);
  out.number(static_cast<std::uint64_t>(c.end));
}
void decode(WireReader& in, TapCounters& c) {
  for (std::uint64_t* count : {&c.packets, &c.bytes, &c.lost_bytes, &c.gaps, &c.kernel_drops, &c.connections, &c.sessions, &c.joined_midstream,
                               &c.tls_sessions, &c.compressed_sessions, &c.shed_exchanges})
    *count = in.number();
  c.first_time = decode_time(in);
  c.last_time = decode_time(in);
  c.end = decode_enum(in, TapCounters::End::truncated);
}

}  // namespace darktap::session
