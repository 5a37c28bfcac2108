// Sessions and their exchanges, and where they go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/stream.h"
#include "mysql/exchange.h"

namespace darktap::session {

// One connection, from its login (or from where the tap joined it).
struct SessionInfo {
  SessionId id;
  Endpoint client, server;
  CaptureTime first_time;
  std::string server_version;
  mysql::Capabilities capabilities = 0;
  enum class Join : std::uint8_t { from_login, midstream } join = Join::from_login;
  enum class Transport : std::uint8_t { plain, tls, compressed } transport = Transport::plain;
  // Statements by which the session had set itself up before this file of a series began, oldest first; else empty.
  std::vector<std::string> settings;
};

using mysql::Exchange;
using mysql::ExchangeId;
// On its way through a run: it is moved from hand to hand by its pointer, and its storage serves another one in the end.
using ExchangePtr = std::unique_ptr<Exchange>;

// Has an exchange brought into this thread's cache while it does something else: another thread wrote it last. First the exchange
// itself, and later, once that is there, its statement, and its answer's rows.
inline void prefetch(const Exchange& exchange) {
  const char* begin = static_cast<const char*>(static_cast<const void*>(&exchange));
  for (std::size_t at = 0; at < sizeof exchange; at += 64) __builtin_prefetch(begin + at);
}
inline void prefetch_statement(const Exchange& exchange) { __builtin_prefetch(exchange.command.text.data()); }
inline void prefetch_answer(const Exchange& exchange) {
  if (exchange.answer.results.empty()) return;
  const char* begin = static_cast<const char*>(static_cast<const void*>(exchange.answer.results.data()));
  for (std::size_t at = 0; at < sizeof(mysql::Result); at += 64) __builtin_prefetch(begin + at);
}

// What a tap or a recording counted, for `inspect --format summary` (design §4).
struct TapCounters {
  std::uint64_t packets = 0, bytes = 0, lost_bytes = 0, gaps = 0, kernel_drops = 0;
  std::uint64_t connections = 0, sessions = 0, joined_midstream = 0, tls_sessions = 0, compressed_sessions = 0;
  std::uint64_t shed_exchanges = 0;  // left out on purpose: overload, sampling
  // Sessions that use TLS and were not read, in all or from somewhere on; the first of them by name, each with its reason.
  std::uint64_t opaque_sessions = 0, opaque_bytes = 0;
  static constexpr std::size_t most_notes = 20;
  std::vector<std::string> opaque_notes;
  CaptureTime first_time, last_time;
  enum class End : std::uint8_t { whole, truncated } end = End::whole;
};

// Where sessions and their exchanges go. For one session: begin, exchanges in order of request, end; sessions interleave.
class ExchangeSink {
 public:
  virtual ~ExchangeSink() = default;
  virtual void on_session(const SessionInfo& info) = 0;
  // The sink may move from the exchange, or swap one that is done with into it: whatever it leaves there is written over, and its
  // storage is used.
  virtual void on_exchange(Exchange& exchange) = 0;
  virtual void on_session_end(SessionId session, CaptureTime time) = 0;
};

}  // namespace darktap::session
