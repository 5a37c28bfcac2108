// The state behind ConnectionDecoder, shared by the files that each write one part of it: bytes to messages
// (connection_decoder.cpp), the login (connection_login.cpp), finding MySQL again (connection_search.cpp),
// what TLS carries (connection_tls.cpp).
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "compression.h"
#include "conversation.h"
#include "frames.h"
#include "login.h"
#include "mysql/connection_decoder.h"
#include "proxy_header.h"
#include "tls_session.h"

namespace darktap::mysql {

inline constexpr std::size_t longest_login_message = 64U << 10;
inline constexpr std::size_t longest_greeting = 4096;

// One direction: bytes -> compressed packets -> frames -> messages.
struct Side {
  explicit Side(const DecoderLimits& limits) : frames(limits.frame_payload, limits.message_bytes) {}

  FrameReader frames;
  Decompressor unpack;
  enum class Form : std::uint8_t { plain, compressed } form = Form::plain;
  enum class Phase : std::uint8_t { login, commands } phase = Phase::login;
  enum class Sync : std::uint8_t { sure, lost } sync = Sync::sure;
  // While lost: the last packet, where it may have been a compressed packet's header on its own.
  std::vector<std::byte> lone_header;
  Stamp lone_header_stamp;
};

struct ConnectionDecoder::State final : TlsSink {
  State(DecoderSink& sink, const DecoderLimits& given, StreamOpen::Start start, DecoderPool* shared, KeyLog* secrets)
      : limits(given), own_pool(shared == nullptr ? std::make_unique<DecoderPool>() : nullptr),
        conversation(sink, limits, facts, shared == nullptr ? *own_pool : *shared), sides{Side(limits), Side(limits)}, keys(secrets) {
    if (start == StreamOpen::Start::handshake) {
      proxy_header.emplace();
      return;
    }
    facts.join = ConnectionFacts::Join::midstream;
    conversation.require_evidence();
    for (Side& side : sides) {
      side.phase = Side::Phase::commands;
      side.sync = Side::Sync::lost;
    }
  }

  Side& side(Direction direction) { return sides[index(direction)]; }

  void feed(const StreamBytes& event);
  void feed(const StreamGap& event);
  void feed(Direction direction, Bytes bytes, const Stamp& stamp);
  void take(Direction direction, Bytes bytes, const Stamp& first, const Stamp& last);
  void take_gap(Direction direction, std::uint64_t length, const Stamp& behind);
  void on_plain(Direction direction, Bytes plain, const Stamp& first, const Stamp& last) override { take(direction, plain, first, last); }
  void on_plain_gap(Direction direction, std::uint64_t length, const Stamp& behind) override { take_gap(direction, length, behind); }
  void drain(Direction direction, Bytes input, const Stamp& first, const Stamp& last);
  void drain_compressed(Direction direction, Bytes input, const Stamp& first, const Stamp& last);
  bool drain_frames(Direction direction, Bytes& input, const Stamp& first, const Stamp& last);
  bool passes_login_header(Direction direction, Bytes& input, const Stamp& stamp);
  void on_message(Direction direction, const MessageView& message);
  void on_answer(Conversation::Framing framing, CaptureTime behind);
  void on_client_login(const MessageView& message);
  void take_login(const LoginRequest& request);
  void on_server_login(const MessageView& message);
  void on_client_message(const MessageView& message);
  void start_commands(Side& side);
  void lose(Direction direction, CaptureTime behind);
  bool find_again(Direction direction, Bytes packet, const Stamp& stamp);
  bool find_greeting(Bytes packet);
  bool find_login(Bytes packet);
  bool find_compressed(Bytes packet);
  bool find_tls(Direction direction, Bytes packet);
  void begin_tls();
  Bytes unpacked(Bytes packet, Decompressor& scratch) const;
  void refuse() { recognition = Recognition::no; }

  DecoderLimits limits;
  ConnectionFacts facts;
  std::unique_ptr<DecoderPool> own_pool;
  Conversation conversation;
  std::array<Side, 2> sides;
  Recognition recognition = Recognition::undecided;
  enum class Readable : std::uint8_t { yes, tls, stream, denied } readable = Readable::yes;
  std::uint64_t opaque = 0;
  std::optional<ProxyHeader> proxy_header;  // until the client's first bytes have told
  // From the client's request for it on, everything comes through it.
  KeyLog* keys;
  std::optional<TlsSession> tls;
  std::array<std::uint32_t, 2> tls_look{};  // packets in a row that look like TLS records, where its beginning was not seen
  Capabilities server_capabilities = 0;
  bool greeted = false;
  std::optional<LoginRequest> login;
  // LOAD DATA LOCAL: the client's file comes in messages whose numbers go on and wrap around.
  std::optional<std::uint8_t> next_data_sequence;
};

}  // namespace darktap::mysql
