#include "session/assembler.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "connection_table.h"
#include "session/understanding.h"
#include "sql/secrets.h"

namespace darktap::session {

namespace {

using mysql::ConnectionDecoder;
using mysql::ConnectionFacts;

// The same connection is kept or left out by every tap that sees it.
bool is_sampled(const FlowKey& flow, double percent) {
  if (percent >= 100) return true;
  std::array<std::uint8_t, 36> key{};
  auto put = [&](std::size_t at, const Endpoint& endpoint) {
    std::copy(endpoint.address.bytes.begin(), endpoint.address.bytes.end(), key.begin() + static_cast<std::ptrdiff_t>(at));
    key[at + 16] = static_cast<std::uint8_t>(endpoint.port >> 8);
    key[at + 17] = static_cast<std::uint8_t>(endpoint.port & 0xffU);
  };
  put(0, flow.client);
  put(18, flow.server);
  double place = static_cast<double>(XXH3_64bits(key.data(), key.size()) >> 11) / static_cast<double>(1ULL << 53);
  return place * 100 < percent;
}

SessionInfo::Transport transport_of(const ConnectionFacts& facts) {
  switch (facts.transport) {
    case ConnectionFacts::Transport::tls: return SessionInfo::Transport::tls;
    case ConnectionFacts::Transport::compressed: return SessionInfo::Transport::compressed;
    case ConnectionFacts::Transport::plain:
    case ConnectionFacts::Transport::unknown: break;
  }
  return SessionInfo::Transport::plain;
}

// What the server says about a statement may quote it.
void redact_answer(mysql::Answer& answer) {
  for (mysql::Result& result : answer.results)
    if (auto* error = std::get_if<mysql::ServerError>(&result)) error->message = "(left out: the statement held a secret)";
}

}  // namespace

struct Assembler::State {
  enum class Sampled : std::uint8_t { kept, shed };

  struct Connection final : mysql::DecoderSink {
    Connection(State& owner, const StreamOpen& event, const mysql::DecoderLimits& limits, Sampled chosen)
        : state(owner), open(event), sampled(chosen), decoder(*this, limits, event.start, &owner.pool, owner.options.keys) {}
    void on_exchange(mysql::Exchange& exchange) override { state.on_exchange(*this, exchange); }

    State& state;
    StreamOpen open;
    Sampled sampled;
    SessionId id;  // zero until it has one
    enum class Announced : std::uint8_t { no, yes } announced = Announced::no;
    std::uint32_t next_seq = 0;
    // How its texts are read; asked for again only where the character set moved.
    std::optional<std::uint16_t> dialect_collation;
    sql::Dialect dialect;
    ConnectionDecoder decoder;
  };

  State(ExchangeSink& given, const AssemblerOptions& chosen) : sink(given), options(chosen) {}

  Connection* find(ConnectionId id) {
    if (recent != nullptr && recent->open.connection == id) return recent;
    return recent = connections.find(id);
  }

  void after(Connection& connection);
  void number(Connection& connection);
  void announce(Connection& connection);
  void note_opaque(const Connection& connection);
  void on_exchange(Connection& connection, mysql::Exchange& exchange);

  ExchangeSink& sink;
  AssemblerOptions options;
  mysql::DecoderPool pool;  // outlives the connections
  ConnectionTable<Connection> connections;
  Connection* recent = nullptr;
  // Opened and without a number yet, by server and in order of their first packets.
  std::map<Endpoint, std::map<ConnectionId, Connection*>> unnumbered;
  std::uint64_t last_id = 0;
  TapCounters counted;
};

// A connection proved to be MySQL. Those that opened before it towards the same server will most likely prove so too, and
// keep their place.
void Assembler::State::number(Connection& connection) {
  auto waiting = unnumbered.find(connection.open.flow.server);
  if (waiting == unnumbered.end()) return;
  auto& queue = waiting->second;
  while (!queue.empty() && queue.begin()->first <= connection.open.connection) {
    queue.begin()->second->id = SessionId{++last_id};
    queue.erase(queue.begin());
  }
  if (queue.empty()) unnumbered.erase(waiting);
}

void Assembler::State::announce(Connection& connection) {
  if (connection.announced == Connection::Announced::yes || connection.sampled == Sampled::shed) return;
  connection.announced = Connection::Announced::yes;
  if (connection.id.value == 0) number(connection);
  const ConnectionFacts& facts = connection.decoder.facts();
  SessionInfo info{.id = connection.id,
                   .client = connection.open.flow.client,
                   .server = connection.open.flow.server,
                   .first_time = connection.open.time,
                   .server_version = facts.server_version,
                   .capabilities = facts.capabilities,
                   .join = facts.join == ConnectionFacts::Join::midstream ? SessionInfo::Join::midstream : SessionInfo::Join::from_login,
                   .transport = transport_of(facts)};
  ++counted.sessions;
  if (info.join == SessionInfo::Join::midstream) ++counted.joined_midstream;
  if (info.transport == SessionInfo::Transport::tls) ++counted.tls_sessions;
  if (facts.compression == ConnectionFacts::Compression::packets) ++counted.compressed_sessions;
  sink.on_session(info);
}

void Assembler::State::on_exchange(Connection& connection, mysql::Exchange& exchange) {
  if (connection.sampled == Sampled::shed) {
    ++counted.shed_exchanges;
    return;
  }
  announce(connection);
  exchange.id = {connection.id, connection.next_seq++};
  exchange.provenance.file = options.file;
  if (exchange.command.text_state == mysql::Command::Text::known && carries_statement(exchange.command.code)) {
    if (connection.dialect_collation != exchange.collation) {
      connection.dialect = dialect_of(connection.decoder.facts().server_version, exchange.collation);
      connection.dialect_collation = exchange.collation;
    }
    if (sql::redact_secrets(exchange.command.text, connection.dialect) == sql::Redaction::replaced) redact_answer(exchange.answer);
  }
  sink.on_exchange(exchange);
}

void Assembler::State::after(Connection& connection) {
  bool opaque = connection.decoder.facts().transport == ConnectionFacts::Transport::tls && !connection.decoder.why_opaque().empty();
  bool named = options.recognise == AssemblerOptions::Recognise::every_connection && opaque;  // TLS, where its port says MySQL
  if (!named && connection.decoder.recognition() != ConnectionDecoder::Recognition::yes) return;
  if (connection.id.value == 0) number(connection);
  if (opaque) announce(connection);
}

void Assembler::State::note_opaque(const Connection& connection) {
  std::string why = connection.decoder.why_opaque();
  if (why.empty()) return;
  ++counted.opaque_sessions;
  counted.opaque_bytes += connection.decoder.opaque_bytes();
  if (counted.opaque_notes.size() < TapCounters::most_notes)
    counted.opaque_notes.push_back("session " + std::to_string(connection.id.value) + " (" + to_string(connection.open.flow.client) + " to " +
                                   to_string(connection.open.flow.server) + "): " + why + "; " + std::to_string(connection.decoder.opaque_bytes()) +
                                   " bytes not read");
}

Assembler::Assembler(ExchangeSink& sink, const AssemblerOptions& options) : state_(std::make_unique<State>(sink, options)) {}
Assembler::~Assembler() = default;

void Assembler::on_open(const StreamOpen& event) {
  State& state = *state_;
  if (state.options.left_out && state.options.left_out(event.flow)) return;
  bool kept = is_sampled(event.flow, state.options.sample_percent);
  mysql::DecoderLimits limits = state.options.decoder;
  if (!kept) limits.kept_rows = limits.kept_bytes = 0;  // only counted
  auto connection = std::make_unique<State::Connection>(state, event, limits, kept ? State::Sampled::kept : State::Sampled::shed);
  if (kept) {
    if (state.options.recognise == AssemblerOptions::Recognise::every_connection) connection->id = SessionId{++state.last_id};
    else state.unnumbered[event.flow.server][event.connection] = connection.get();
  }
  if (event.start == StreamOpen::Start::midstream && state.options.primed)
    if (const mysql::Priming* known = state.options.primed(event.flow)) connection->decoder.prime(*known);
  state.recent = connection.get();
  state.connections.insert(event.connection, std::move(connection));
}

void Assembler::on_bytes(const StreamBytes& event) {
  State::Connection* connection = state_->find(event.connection);
  if (connection == nullptr) return;
  connection->decoder.feed(event);
  if (connection->announced == State::Connection::Announced::no) state_->after(*connection);
}

void Assembler::on_gap(const StreamGap& event) {
  State::Connection* connection = state_->find(event.connection);
  if (connection == nullptr) return;
  connection->decoder.feed(event);
  if (connection->announced == State::Connection::Announced::no) state_->after(*connection);
}

void Assembler::on_end(const StreamEnd& event) {
  State& state = *state_;
  State::Connection* connection = state.find(event.connection);
  if (connection == nullptr) return;
  connection->decoder.finish(event.reason);
  state.after(*connection);
  bool announced = connection->announced == State::Connection::Announced::yes;
  if (announced || connection->decoder.recognition() == ConnectionDecoder::Recognition::yes) {
    state.announce(*connection);  // a session without any exchange is one too
    if (connection->sampled == State::Sampled::kept) state.note_opaque(*connection);
    if (connection->announced == State::Connection::Announced::yes) state.sink.on_session_end(connection->id, event.time);
  }
  if (auto waiting = state.unnumbered.find(connection->open.flow.server); waiting != state.unnumbered.end()) {
    waiting->second.erase(event.connection);
    if (waiting->second.empty()) state.unnumbered.erase(waiting);
  }
  state.recent = nullptr;
  state.connections.erase(event.connection);
}

void Assembler::add_to(TapCounters& counters) const {
  const TapCounters& counted = state_->counted;
  counters.sessions += counted.sessions;
  counters.joined_midstream += counted.joined_midstream;
  counters.tls_sessions += counted.tls_sessions;
  counters.compressed_sessions += counted.compressed_sessions;
  counters.shed_exchanges += counted.shed_exchanges;
  counters.opaque_sessions += counted.opaque_sessions;
  counters.opaque_bytes += counted.opaque_bytes;
  for (const std::string& note : counted.opaque_notes)
    if (counters.opaque_notes.size() < TapCounters::most_notes) counters.opaque_notes.push_back(note);
}

}  // namespace darktap::session
