// The login: from the greeting to the server's verdict, and what is in force from then on.
#include "connection_state.h"
#include "server_messages.h"

namespace darktap::mysql {

// Before a login message is read, its header tells whether it is one. False: more bytes are needed, or it is not MySQL.
bool ConnectionDecoder::State::passes_login_header(Direction direction, Bytes& input, const Stamp& stamp) {
  Side& from = side(direction);
  if (!from.frames.peek_header(input, stamp)) return false;
  std::uint8_t sequence = from.frames.peeked_sequence();
  std::uint32_t length = from.frames.peeked_length();
  if (direction == Direction::to_client) {
    if (greeted || (sequence == 0 && length > 0 && length <= longest_greeting)) return true;
    if (login) lose(direction, stamp.time);
    else refuse();
    return false;
  }
  if (sequence != 0) {
    if (length <= longest_login_message) return true;
    if (!greeted) refuse();
    return greeted;
  }
  // A command: the login is over, though its last OK may not have reached us yet.
  if (!greeted && !login) {
    refuse();
    return false;
  }
  start_commands(from);
  if (from.form == Side::Form::compressed) {
    std::vector<std::byte> header = from.frames.take_header();
    Bytes rest(header);
    from.unpack.next(rest, stamp);
  }
  return true;
}

void ConnectionDecoder::State::start_commands(Side& which) {
  which.phase = Side::Phase::commands;
  if (facts.compression == ConnectionFacts::Compression::packets) {
    which.form = Side::Form::compressed;
    conversation.ignore_sequences();
  } else if (facts.transport == ConnectionFacts::Transport::unknown) {
    facts.transport = ConnectionFacts::Transport::plain;
  }
}

void ConnectionDecoder::State::on_server_login(const MessageView& message) {
  if (message.payload.empty()) return;
  std::uint8_t first = std::to_integer<std::uint8_t>(message.payload[0]);
  if (!greeted) {
    auto greeting = message.integrity == MessageView::Integrity::whole ? parse_greeting(message.payload) : std::nullopt;
    if (!greeting) {
      // A server that is full or blocks the client says so at once, and that is all.
      auto error = parse_error(message.payload);
      if (!error || error->message.empty()) {
        if (login) lose(Direction::to_client, message.last.time);  // the login's answers are lost with the greeting
        else refuse();
        return;
      }
      recognition = Recognition::yes;
      readable = Readable::denied;
      return;
    }
    greeted = true;
    recognition = Recognition::yes;
    conversation.evidence_found();
    facts.server_version = greeting->server_version;
    facts.capabilities = server_capabilities = greeting->capabilities;
    if (login) take_login(*login);  // the tap saw the client first
    return;
  }
  if (first == ok_marker) {
    start_commands(side(Direction::to_client));
    if (message.integrity != MessageView::Integrity::whole) return;
    ResponseDecoder ok(CommandCode::ping, facts.capabilities, {});
    if (ok.feed(message.payload) == ResponseDecoder::Step::done) conversation.apply(ok.changes());
  } else if (first == error_marker) {
    readable = Readable::denied;
    if (facts.transport == ConnectionFacts::Transport::unknown) facts.transport = ConnectionFacts::Transport::plain;
  }
  // Everything else is a round of authentication.
}

void ConnectionDecoder::State::on_client_login(const MessageView& message) {
  if (login) return;  // a later round: a secret, which is not looked at
  login = message.integrity == MessageView::Integrity::whole ? parse_login_request(message.payload) : std::nullopt;
  if (!login) {
    if (!greeted) refuse();
    return;
  }
  if (login->kind == LoginRequest::Kind::tls) {
    // Without the greeting, which may have been lost, the whole form of the request must tell.
    if (!greeted && (login->capabilities & capability::protocol_41) == 0) { refuse(); return; }
    login.reset();  // it comes again, in full
    begin_tls();
    return;
  }
  take_login(*login);
}

// Without the greeting, what the client asks for stands in for what is in force, and nothing is told before an answer fits.
void ConnectionDecoder::State::take_login(const LoginRequest& request) {
  facts.user = request.user;
  facts.schema = request.schema;
  facts.collation = request.collation;
  facts.capabilities = greeted ? in_force(server_capabilities, request.capabilities) : request.capabilities;
  facts.known = greeted ? ConnectionFacts::Capability::negotiated : ConnectionFacts::Capability::inferred;
  if (!greeted) conversation.require_evidence();
  bool compressed = (facts.capabilities & (capability::compress | capability::zstd)) != 0;
  if (compressed) facts.compression = ConnectionFacts::Compression::packets;
  if (!tls) facts.transport = compressed ? ConnectionFacts::Transport::compressed : ConnectionFacts::Transport::plain;
  conversation.login_collation(facts.collation);
  Side& server = side(Direction::to_client);
  if (compressed && server.phase == Side::Phase::commands) start_commands(server);  // its part of the login was missed
}

}  // namespace darktap::mysql
