// Where TLS begins in a connection: by the client's request, or where that was lost, by its looks.
#include "connection_state.h"

namespace darktap::mysql {

namespace {

constexpr std::uint32_t telling_packets = 3;  // of each direction, before a connection is called TLS by its looks alone

// Whole records of application data, the last of them maybe cut, fill the packet.
bool looks_like_records(Bytes packet) {
  ByteReader reader(packet);
  std::size_t records = 0;
  while (!reader.at_end()) {
    std::uint8_t type = reader.u8();
    std::uint16_t version = reader.u16be(), length = reader.u16be();
    if (!reader.ok()) return records > 0;
    if (type != 23 || version != 0x0303 || length < 17 || length > TlsSession::longest_record) return false;
    ++records;
    reader.skip(std::min<std::size_t>(length, reader.remaining()));
  }
  return records > 0;
}

bool looks_like_client_hello(Bytes packet) {
  ByteReader reader(packet);
  std::uint8_t type = reader.u8(), major = reader.u8(), minor = reader.u8();
  std::uint16_t length = reader.u16be();
  std::uint8_t message = reader.u8();
  reader.skip(3);
  return type == 22 && major == 3 && minor <= 3 && length > 40 && message == 1 && parse_client_hello(reader.rest()).has_value();
}

}  // namespace

void ConnectionDecoder::State::begin_tls() {
  facts.transport = ConnectionFacts::Transport::tls;
  tls.emplace(*this, keys);
  if (recognition == Recognition::undecided && greeted) recognition = Recognition::yes;
}

// The request for TLS was not seen: its first message is told by its shape. Joined behind that, only the looks of its records
// are left, and nothing can be read.
bool ConnectionDecoder::State::find_tls(Direction direction, Bytes packet) {
  if (direction == Direction::to_server && !login && looks_like_client_hello(packet)) {
    begin_tls();
    Side& client = side(direction);
    client.phase = Side::Phase::login;
    client.sync = Side::Sync::sure;
    client.frames.reset();
    return true;
  }
  if (conversation.recognised() || login) return false;
  tls_look[index(direction)] = looks_like_records(packet) ? tls_look[index(direction)] + 1 : 0;
  if (tls_look[0] < telling_packets || tls_look[1] < telling_packets) return false;
  facts.transport = ConnectionFacts::Transport::tls;
  readable = Readable::tls;
  return true;
}

}  // namespace darktap::mysql
