#include "misc_codec.h"

#include <algorithm>

namespace darktap::session {
namespace {

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

}  // namespace

void encode(WireWriter& out, const SessionInfo& info) {
  out.number(info.id.value);
  encode(out, info.client);
  encode(out, info.server);
  out.difference(info.first_time.time_since_epoch().count());
  out.text(info.server_version);
  out.number(info.capabilities);
  out.number(static_cast<std::uint64_t>(info.join));
  out.number(static_cast<std::uint64_t>(info.transport));
  out.number(info.settings.size());
  for (const std::string& setting : info.settings) out.text(setting);
}
void decode(WireReader& in, SessionInfo& info) {
  info.id.value = in.number();
  info.client = decode_endpoint(in);
  info.server = decode_endpoint(in);
  info.first_time = CaptureTime(CaptureClock::duration(in.difference()));
  info.server_version = in.text();
  info.capabilities = in.number();
  info.join = decode_enum(in, SessionInfo::Join::midstream);
  info.transport = decode_enum(in, SessionInfo::Transport::compressed);
  std::size_t settings = in.count();
  for (std::size_t i = 0; i < settings && in.ok(); ++i) info.settings.push_back(in.text());
}

void encode(WireWriter& out, const TapCounters& c) {
  for (std::uint64_t count : {c.packets, c.bytes, c.lost_bytes, c.gaps, c.kernel_drops, c.connections, c.sessions, c.joined_midstream,
                              c.tls_sessions, c.compressed_sessions, c.shed_exchanges})
    out.number(count);
  out.difference(c.first_time.time_since_epoch().count());
  out.difference(c.last_time.time_since_epoch().count());
  out.number(static_cast<std::uint64_t>(c.end));
}
void decode(WireReader& in, TapCounters& c) {
  for (std::uint64_t* count : {&c.packets, &c.bytes, &c.lost_bytes, &c.gaps, &c.kernel_drops, &c.connections, &c.sessions, &c.joined_midstream,
                               &c.tls_sessions, &c.compressed_sessions, &c.shed_exchanges})
    *count = in.number();
  c.first_time = CaptureTime(CaptureClock::duration(in.difference()));
  c.last_time = CaptureTime(CaptureClock::duration(in.difference()));
  c.end = decode_enum(in, TapCounters::End::truncated);
}

void encode(WireWriter& out, const RoundTrips& found) {
  for (const Histogram* one : {&found.handshake_server, &found.handshake_client, &found.ack_server, &found.ack_client}) out.text(one->serialize());
}
void decode(WireReader& in, RoundTrips& found) {
  for (Histogram* one : {&found.handshake_server, &found.handshake_client, &found.ack_server, &found.ack_client})
    if (!in.at_end()) *one = Histogram::parse(in.text());
}

}  // namespace darktap::session
