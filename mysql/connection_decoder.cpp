#include "mysql/connection_decoder.h"

#include <array>
#include <utility>

#include "compression.h"
#include "conversation.h"
#include "evidence.h"
#include "frames.h"
#include "login.h"
#include "server_messages.h"

namespace darktap::mysql {

namespace {

constexpr std::size_t longest_login_message = 64U << 10;
constexpr std::size_t longest_greeting = 4096;

std::string_view phrase(StreamEnd::Reason reason) {
  switch (reason) {
    case StreamEnd::Reason::finished: return "the connection was closed";
    case StreamEnd::Reason::reset: return "the connection was reset";
    case StreamEnd::Reason::replaced: return "another connection took its addresses";
    case StreamEnd::Reason::evicted: return "the tap gave the connection up";
    case StreamEnd::Reason::capture_ended: return "the capture ended";
  }
  return "the connection ended";
}

}  // namespace

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

struct ConnectionDecoder::State {
  State(DecoderSink& sink, const DecoderLimits& given, StreamOpen::Start start)
      : limits(given), conversation(sink, limits, facts), sides{Side(limits), Side(limits)} {
    if (start == StreamOpen::Start::handshake) return;
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
  void drain(Direction direction, Bytes input, const Stamp& stamp);
  void drain_compressed(Direction direction, Bytes input, const Stamp& stamp);
  bool drain_frames(Direction direction, Bytes& input, const Stamp& first, const Stamp& last);
  bool passes_login_header(Direction direction, Bytes& input, const Stamp& stamp);
  void on_message(Direction direction, const MessageView& message);
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
  Bytes unpacked(Bytes packet, Decompressor& scratch) const;
  void refuse() { recognition = Recognition::no; }

  DecoderLimits limits;
  ConnectionFacts facts;
  Conversation conversation;
  std::array<Side, 2> sides;
  Recognition recognition = Recognition::undecided;
  enum class Readable : std::uint8_t { yes, tls, stream, denied } readable = Readable::yes;
  std::uint64_t opaque = 0;
  Capabilities server_capabilities = 0;
  bool greeted = false;
  std::optional<LoginRequest> login;
  // LOAD DATA LOCAL: the client's file comes in messages whose numbers go on and wrap around.
  std::optional<std::uint8_t> next_data_sequence;
};

void ConnectionDecoder::State::feed(const StreamBytes& event) {
  if (recognition == Recognition::no || event.bytes.empty()) return;
  if (readable != Readable::yes) {
    if (readable != Readable::denied) opaque += event.bytes.size();
    return;
  }
  Stamp stamp{event.time, event.packet};
  if (event.direction == Direction::to_server) conversation.client_heard();
  Side& from = side(event.direction);
  bool search = from.sync == Side::Sync::lost;
  // While an answer is searched for, even a frame in progress may be a mistake: the next packet may know better.
  if (event.direction == Direction::to_client && from.phase == Side::Phase::commands && conversation.is_searching() &&
      from.frames.in_message() && from.form == Side::Form::plain)
    search = true;
  if (search && !find_again(event.direction, event.bytes, stamp) && from.sync == Side::Sync::lost) {
    from.lone_header.clear();
    if (event.bytes.size() == Decompressor::header_bytes) {
      from.lone_header.assign(event.bytes.begin(), event.bytes.end());
      from.lone_header_stamp = stamp;
    }
    return;
  }
  drain(event.direction, event.bytes, stamp);
  if (recognition == Recognition::undecided && conversation.recognised() && from.phase == Side::Phase::commands) {
    recognition = Recognition::yes;
    if (facts.transport == ConnectionFacts::Transport::unknown) facts.transport = ConnectionFacts::Transport::plain;
    if (facts.known == ConnectionFacts::Capability::unknown) facts.known = ConnectionFacts::Capability::inferred;
  }
}

void ConnectionDecoder::State::feed(const StreamGap& event) {
  if (recognition == Recognition::no || readable != Readable::yes || event.length == 0) return;
  Stamp stamp{event.time, event.packet};
  Side& from = side(event.direction);
  if (from.sync == Side::Sync::lost) {
    lose(event.direction, event.time);
    return;
  }
  FrameReader::Gap gap = from.form == Side::Form::compressed ? from.unpack.skip(event.length) : from.frames.skip(event.length);
  if (gap == FrameReader::Gap::lost) {
    lose(event.direction, event.time);
    return;
  }
  drain(event.direction, {}, stamp);
}

void ConnectionDecoder::State::lose(Direction direction, CaptureTime behind) {
  Side& from = side(direction);
  if (direction == Direction::to_server) {
    if (from.sync == Side::Sync::sure && from.phase == Side::Phase::commands && from.frames.in_message())
      conversation.command_cut(from.frames.partial(), from.frames.partial_first(), from.frames.partial_wire_bytes());
    conversation.client_lost();
    next_data_sequence.reset();
  } else {
    conversation.server_lost(behind);
  }
  from.frames.reset();
  from.unpack.reset();
  from.sync = Side::Sync::lost;
  from.lone_header.clear();
  if (from.phase == Side::Phase::login) start_commands(from);
}

// ---- finding MySQL again

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
  if (!reader.ok() || sequence != 1 || length > longest_login_message || length != reader.remaining()) return false;
  auto request = parse_login_request(reader.rest());
  if (!request || request->kind != LoginRequest::Kind::login || (request->capabilities & capability::protocol_41) == 0 || request->user.empty())
    return false;
  Side& client = side(Direction::to_server);
  client.phase = Side::Phase::login;
  client.sync = Side::Sync::sure;
  return true;
}

// A command in a compressed packet, whose header may have come in a packet of its own. Where nothing told that the
// connection is compressed, only a stored command does.
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
  facts.transport = ConnectionFacts::Transport::compressed;
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

// ---- bytes to messages

void ConnectionDecoder::State::drain(Direction direction, Bytes input, const Stamp& stamp) {
  Side& from = side(direction);
  while (readable == Readable::yes && recognition != Recognition::no) {
    if (from.form == Side::Form::compressed && from.phase == Side::Phase::commands) {
      drain_compressed(direction, input, stamp);
      return;
    }
    if (!drain_frames(direction, input, stamp, stamp)) return;
  }
  if (readable != Readable::yes && readable != Readable::denied) opaque += input.size();
}

// Runs until the input is used up (false) or the rest of it must be read in another way (true).
bool ConnectionDecoder::State::drain_frames(Direction direction, Bytes& input, const Stamp& first, const Stamp& last) {
  Side& from = side(direction);
  MessageView message;
  while (true) {
    if (from.phase == Side::Phase::login && from.frames.before_message()) {
      if (!passes_login_header(direction, input, first)) return false;
      if (from.phase == Side::Phase::commands && from.form == Side::Form::compressed) return true;
    }
    if (!from.frames.next(input, first, last, message)) return false;
    Side::Phase before = from.phase;
    on_message(direction, message);
    if (from.sync == Side::Sync::lost) return false;
    if (readable != Readable::yes || recognition == Recognition::no || from.phase != before) return true;
  }
}

void ConnectionDecoder::State::drain_compressed(Direction direction, Bytes input, const Stamp& stamp) {
  Side& from = side(direction);
  while (true) {
    switch (from.unpack.next(input, stamp)) {
      case Decompressor::Step::need_more: return;
      case Decompressor::Step::malformed: lose(direction, stamp.time); return;
      case Decompressor::Step::gap:
        if (from.frames.skip(from.unpack.gap_length()) == FrameReader::Gap::lost) {
          lose(direction, stamp.time);
          return;
        }
        if (Bytes none; drain_frames(direction, none, stamp, stamp)) return;
        break;
      case Decompressor::Step::bytes: {
        Bytes content = from.unpack.content();
        if (drain_frames(direction, content, from.unpack.first(), stamp)) {
          opaque += content.size() + input.size();
          return;
        }
        break;
      }
    }
    if (from.sync == Side::Sync::lost) return;
  }
}

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
  if (facts.transport == ConnectionFacts::Transport::compressed) {
    which.form = Side::Form::compressed;
    conversation.ignore_sequences();
  } else if (facts.transport == ConnectionFacts::Transport::unknown) {
    facts.transport = ConnectionFacts::Transport::plain;
  }
}

void ConnectionDecoder::State::on_message(Direction direction, const MessageView& message) {
  Side& from = side(direction);
  if (from.phase == Side::Phase::login) {
    direction == Direction::to_server ? on_client_login(message) : on_server_login(message);
    return;
  }
  if (direction == Direction::to_server) {
    on_client_message(message);
  } else if (conversation.response(message) == Conversation::Framing::doubtful) {
    lose(direction, message.last.time);
  }
  if (conversation.became_stream()) readable = Readable::stream;
}

// ---- login

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
    if (!greeted) { refuse(); return; }
    facts.transport = ConnectionFacts::Transport::tls;
    readable = Readable::tls;
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
  facts.transport = compressed ? ConnectionFacts::Transport::compressed : ConnectionFacts::Transport::plain;
  conversation.login_collation(facts.collation);
  Side& server = side(Direction::to_client);
  if (compressed && server.phase == Side::Phase::commands) start_commands(server);  // its part of the login was missed
}

// ---- commands

void ConnectionDecoder::State::on_client_message(const MessageView& message) {
  bool is_data = next_data_sequence ? message.first_sequence == *next_data_sequence : message.first_sequence != 0;
  if (is_data) {
    conversation.request_data(message);
    // The file ends with an empty message.
    if (message.length == 0) next_data_sequence.reset();
    else next_data_sequence = static_cast<std::uint8_t>(message.last_sequence + 1);
    return;
  }
  next_data_sequence.reset();
  // Where the protocol itself is an inference, a command that nobody sends disproves it.
  auto code = message.payload.empty() ? CommandCode::sleep : static_cast<CommandCode>(message.payload[0]);
  if (facts.known != ConnectionFacts::Capability::negotiated && (!is_known(code) || code == CommandCode::sleep)) {
    lose(Direction::to_server, message.last.time);
    return;
  }
  conversation.command(message);
}

// ---- the public face

ConnectionDecoder::ConnectionDecoder(DecoderSink& sink, const DecoderLimits& limits, StreamOpen::Start start)
    : state_(std::make_unique<State>(sink, limits, start)) {}
ConnectionDecoder::~ConnectionDecoder() = default;
ConnectionDecoder::ConnectionDecoder(ConnectionDecoder&&) noexcept = default;

void ConnectionDecoder::feed(const StreamBytes& bytes) { state_->feed(bytes); }
void ConnectionDecoder::feed(const StreamGap& gap) { state_->feed(gap); }

void ConnectionDecoder::finish(StreamEnd::Reason reason) {
  State& state = *state_;
  if (state.recognition == Recognition::no || state.recognition == Recognition::undecided) return;
  Side& client = state.side(Direction::to_server);
  if (state.readable == State::Readable::yes && client.phase == Side::Phase::commands && client.sync == Side::Sync::sure && client.frames.in_message())
    state.conversation.command_cut(client.frames.partial(), client.frames.partial_first(), client.frames.partial_wire_bytes());
  state.conversation.finish(std::string(phrase(reason)));
}

const ConnectionFacts& ConnectionDecoder::facts() const { return state_->facts; }
ConnectionDecoder::Recognition ConnectionDecoder::recognition() const { return state_->recognition; }
std::uint64_t ConnectionDecoder::opaque_bytes() const { return state_->opaque; }

std::size_t ConnectionDecoder::memory() const {
  std::size_t bytes = sizeof(State) + state_->conversation.memory();
  for (const Side& each : state_->sides) bytes += each.frames.memory() + each.unpack.memory();
  return bytes;
}

}  // namespace darktap::mysql
