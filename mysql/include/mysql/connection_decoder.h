// Decodes both directions of one captured MySQL connection: stream bytes and gaps in, commands and their responses out.
// Pure: no I/O, no clock. Capabilities are negotiated as seen; unknown ones (a stream joined in the middle) are inferred
// from evidence and said to be.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/stream.h"
#include "mysql/decoder_pool.h"
#include "mysql/exchange.h"
#include "mysql/key_log.h"
#include "mysql/priming.h"

namespace darktap::mysql {

struct DecoderLimits {
  std::size_t message_bytes = std::size_t{1} << 30;  // a longer message is skipped and its exchange unobserved
  std::size_t kept_rows = 1000;                      // rows kept a result set; digests cover all
  std::size_t kept_bytes = 4U << 20;                 // bytes of rows kept a response
  std::size_t pending_commands = 10'000;             // pipelined commands waiting for their answer
  std::size_t pending_bytes = 64U << 20;             // of them together
  std::size_t frame_payload = 0xffffff;              // where a message is split into frames; smaller only in tests
};

// What is known of the connection as a whole; grows as the login is seen.
struct ConnectionFacts {
  std::string user, schema;      // as logged in; CHANGE_USER, INIT_DB and session tracking move them
  std::string server_version;
  std::uint16_t collation = 0;   // the connection's, from the login; 0 unknown
  Capabilities capabilities = 0;
  enum class Capability : std::uint8_t { unknown, inferred, negotiated } known = Capability::unknown;
  enum class Transport : std::uint8_t { unknown, plain, tls, compressed } transport = Transport::unknown;
  // The compressed protocol is spoken, also inside TLS.
  enum class Compression : std::uint8_t { none, packets } compression = Compression::none;
  enum class Join : std::uint8_t { from_login, midstream } join = Join::from_login;
};

class DecoderSink {
 public:
  virtual ~DecoderSink() = default;
  // In order of request; each command exactly once, the last ones at finish() as unobserved if need be. The sink may move
  // from the exchange; what it leaves is used again for a later one.
  virtual void on_exchange(Exchange& exchange) = 0;
};

class ConnectionDecoder {
 public:
  // `pool`: shared with other decoders of this thread; without one the decoder has its own.
  // `keys` may be null: a TLS session is named, then, and not read. They outlive the decoder.
  ConnectionDecoder(DecoderSink& sink, const DecoderLimits& limits, StreamOpen::Start start, DecoderPool* pool = nullptr, KeyLog* keys = nullptr);
  ~ConnectionDecoder();
  ConnectionDecoder(ConnectionDecoder&&) noexcept;

  // Of a connection joined in the middle, before its first byte.
  void prime(const Priming& known);
  void feed(const StreamBytes& bytes);
  void feed(const StreamGap& gap);
  // The connection ended or the capture did: commands still waiting become unobserved.
  void finish(StreamEnd::Reason reason);

  const ConnectionFacts& facts() const;
  // Is this MySQL at all? `undecided` until the first payload tells; a connection that is `no` emits nothing.
  enum class Recognition : std::uint8_t { undecided, yes, no };
  Recognition recognition() const;
  // Bytes that could not be read (TLS without its secrets, a replication stream), counted so that the tap's blindness is visible.
  std::uint64_t opaque_bytes() const;
  // Why a TLS session is not read: "TLS 1.3: no key log was given"; empty while it is, or may be yet.
  std::string why_opaque() const;
  std::size_t memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::mysql
