// Finding MySQL again: after lost bytes, or where the tap joined in the middle.
#include <utility>

#include "connection_state.h"
#include "evidence.h"

namespace darktap::mysql {

bool ConnectionDecoder::State::find_greeting(Bytes packet) {
  ByteReader reader(packet);
  std::uint32_t length = reader.u24le();
  std::uint8_t sequence = reader.u8();
  if (!reader.ok() || sequence != 0 || length > longest_greeting || length != reader.remaining()) return false;
  return parse_greeting(reader.rest()).has_value();
}

// The greeting was missed, the client's side of the login was not.
bool ConnectionDecoder::State::find_login(Bytes packet) {
  ByteReader reader(packet);
  std::uint32_t length = reader.u24le();
  std::uint8_t sequence = reader.u8();
  if (!reader.ok() || sequence != (tls ? 2 : 1) || length > longest_login_message || length != reader.remaining()) return false;
  auto request = parse_login_request(reader.rest());
  if (!request || (request->capabilities & capability::protocol_41) == 0) return false;
  if (request->kind == LoginRequest::Kind::login && request->user.empty()) return false;
  Side& client = side(Direction::to_server);
  client.phase = Side::Phase::login;
  client.sync = Side::Sync::sure;
  return true;
}

// A command in a compressed packet, whose header may have come in a packet of its own. Where nothing told that the
// connection is compressed, the packet must hold nothing else.
bool ConnectionDecoder::State::find_compressed(Bytes packet) {
  Side& client = side(Direction::to_server);
  auto holds_command = [&](Bytes bytes) {
    if (client.form == Side::Form::plain) return looks_like_compressed_command(bytes, limits.frame_payload);
    Decompressor scratch;
    return looks_like_command(unpacked(bytes, scratch), limits.frame_payload);
  };
  std::vector<std::byte> header = std::exchange(client.lone_header, {});
  std::vector<std::byte> both(header);
  both.insert(both.end(), packet.begin(), packet.end());
  bool with_header = !header.empty() && holds_command(both);
  if (!with_header && !holds_command(packet)) return false;
  for (Side& each : sides) each.form = Side::Form::compressed;
  facts.compression = ConnectionFacts::Compression::packets;
  if (!tls) facts.transport = ConnectionFacts::Transport::compressed;
  conversation.ignore_sequences();
  client.frames.reset();
  client.unpack.reset();
  client.sync = Side::Sync::sure;
  Bytes rest(header);
  if (with_header) client.unpack.next(rest, client.lone_header_stamp);
  return true;
}

Bytes ConnectionDecoder::State::unpacked(Bytes packet, Decompressor& scratch) const {
  Bytes rest = packet;
  return scratch.next(rest, {}) == Decompressor::Step::bytes ? scratch.content() : Bytes{};
}

bool ConnectionDecoder::State::find_again(Direction direction, Bytes packet, const Stamp& stamp) {
  Side& from = side(direction);
  bool found = false;
  if (direction == Direction::to_server) {
    if (!greeted && !login && from.form == Side::Form::plain && find_login(packet)) return true;
    bool may_be_compressed = from.form == Side::Form::compressed || facts.known != ConnectionFacts::Capability::negotiated;
    if (may_be_compressed && find_compressed(packet)) return true;
    found = from.form == Side::Form::plain && looks_like_command(packet, limits.frame_payload);
  } else if (!greeted && recognition == Recognition::undecided && find_greeting(packet)) {
    for (Side& each : sides) {
      each.phase = Side::Phase::login;
      each.sync = Side::Sync::sure;
    }
    facts.join = ConnectionFacts::Join::from_login;
    return true;
  } else if (auto start = conversation.expected_start(stamp.time)) {
    Decompressor scratch;
    Bytes content = from.form == Side::Form::compressed ? unpacked(packet, scratch) : packet;
    found = looks_like_response(content, *start, limits.frame_payload);
  }
  if (!found) return false;
  from.frames.reset();
  from.unpack.reset();
  from.sync = Side::Sync::sure;
  return true;
}

}  // namespace darktap::mysql
