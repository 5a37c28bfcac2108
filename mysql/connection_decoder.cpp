#include "mysql/connection_decoder.h"

#include "connection_state.h"

namespace darktap::mysql {

namespace {

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

// Where plain packets were an inference: the header of a stored compressed packet on its own, as some clients send it. Taken
// for a frame it would begin with the command that nobody sends.
bool is_lone_header(const Side& from, Bytes packet) {
  if (packet.size() != Decompressor::header_bytes || from.form != Side::Form::plain || from.phase != Side::Phase::commands || from.frames.in_message()) return false;
  ByteReader reader(packet);
  return reader.u24le() > 0 && reader.u8() == 0 && reader.u24le() == 0;
}

}  // namespace

void ConnectionDecoder::State::feed(const StreamBytes& event) {
  if (event.bytes.empty()) return;
  Stamp stamp{event.time, event.packet};
  Bytes bytes = event.bytes;
  if (proxy_header && event.direction == Direction::to_server) {
    if (proxy_header->take(bytes) == ProxyHeader::State::more) return;
    ProxyHeader header = std::move(*proxy_header);
    proxy_header.reset();
    if (!header.taken().empty()) feed(event.direction, header.taken(), stamp);
    if (bytes.empty()) return;
  }
  feed(event.direction, bytes, stamp);
}

void ConnectionDecoder::State::feed(Direction direction, Bytes bytes, const Stamp& stamp) {
  if (tls) tls->feed(direction, bytes, stamp);
  else take(direction, bytes, stamp, stamp);
}

// Bytes of MySQL's own protocol. The stamps differ where a TLS record came in several packets.
void ConnectionDecoder::State::take(Direction direction, Bytes bytes, const Stamp& first, const Stamp& last) {
  if (recognition == Recognition::no) return;
  if (readable != Readable::yes) {
    if (readable != Readable::denied) opaque += bytes.size();
    return;
  }
  if (direction == Direction::to_server) conversation.client_heard();
  Side& from = side(direction);
  bool search = from.sync == Side::Sync::lost;
  // While an answer is searched for, even a frame in progress may be a mistake: the next packet may know better.
  if (direction == Direction::to_client && from.phase == Side::Phase::commands && conversation.is_searching() && from.frames.in_message() &&
      from.form == Side::Form::plain)
    search = true;
  if (search && !find_again(direction, bytes, first) && from.sync == Side::Sync::lost) {
    if (tls == std::nullopt && find_tls(direction, bytes)) {
      if (tls) tls->feed(direction, bytes, first);
      else opaque += bytes.size();
      return;
    }
    from.lone_header.clear();
    if (bytes.size() == Decompressor::header_bytes) {
      from.lone_header.assign(bytes.begin(), bytes.end());
      from.lone_header_stamp = first;
    }
    return;
  }
  if (direction == Direction::to_server && facts.known != ConnectionFacts::Capability::negotiated && is_lone_header(from, bytes)) {
    lose(direction, first.time);
    from.lone_header.assign(bytes.begin(), bytes.end());
    from.lone_header_stamp = first;
    return;
  }
  drain(direction, bytes, first, last);
  if (recognition == Recognition::undecided && conversation.recognised() && from.phase == Side::Phase::commands) {
    recognition = Recognition::yes;
    if (facts.transport == ConnectionFacts::Transport::unknown) facts.transport = ConnectionFacts::Transport::plain;
    if (facts.known == ConnectionFacts::Capability::unknown) facts.known = ConnectionFacts::Capability::inferred;
  }
}

void ConnectionDecoder::State::feed(const StreamGap& event) {
  if (event.length == 0) return;
  if (event.direction == Direction::to_server) proxy_header.reset();
  Stamp behind{event.time, event.packet};
  if (tls) tls->gap(event.direction, event.length, behind);
  else take_gap(event.direction, event.length, behind);
}

void ConnectionDecoder::State::take_gap(Direction direction, std::uint64_t length, const Stamp& behind) {
  if (recognition == Recognition::no || readable != Readable::yes) return;
  Side& from = side(direction);
  if (from.sync == Side::Sync::lost) {
    lose(direction, behind.time);
    return;
  }
  FrameReader::Gap gap = from.form == Side::Form::compressed ? from.unpack.skip(length) : from.frames.skip(length);
  if (gap == FrameReader::Gap::lost) {
    lose(direction, behind.time);
    return;
  }
  drain(direction, {}, behind, behind);
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

// ---- bytes to messages

void ConnectionDecoder::State::drain(Direction direction, Bytes input, const Stamp& first, const Stamp& last) {
  Side& from = side(direction);
  bool was_tls = tls.has_value();
  while (readable == Readable::yes && recognition != Recognition::no) {
    if (from.form == Side::Form::compressed && from.phase == Side::Phase::commands) {
      drain_compressed(direction, input, first, last);
      return;
    }
    if (!drain_frames(direction, input, first, last)) return;
    if (tls && !was_tls) {
      tls->feed(direction, input, last);
      return;
    }
  }
  if (readable != Readable::yes && readable != Readable::denied) opaque += input.size();
}

// Runs until the input is used up (false) or the rest of it must be read in another way (true).
bool ConnectionDecoder::State::drain_frames(Direction direction, Bytes& input, const Stamp& first, const Stamp& last) {
  Side& from = side(direction);
  bool was_tls = tls.has_value();
  MessageView message;
  while (true) {
    if (direction == Direction::to_client && from.phase == Side::Phase::commands && !from.frames.in_message()) {
      on_answer(conversation.take_ahead(input, first, last), last.time);
      if (from.sync == Side::Sync::lost) return false;
      if (readable != Readable::yes) return true;
    }
    if (from.phase == Side::Phase::login && from.frames.before_message()) {
      if (!passes_login_header(direction, input, first)) return false;
      if (from.phase == Side::Phase::commands && from.form == Side::Form::compressed) return true;
    }
    if (!from.frames.next(input, first, last, message)) return false;
    Side::Phase before = from.phase;
    on_message(direction, message);
    if (from.sync == Side::Sync::lost) return false;
    if (readable != Readable::yes || recognition == Recognition::no || from.phase != before || tls.has_value() != was_tls) return true;
  }
}

void ConnectionDecoder::State::drain_compressed(Direction direction, Bytes input, const Stamp& first, const Stamp& last) {
  Side& from = side(direction);
  while (true) {
    switch (from.unpack.next(input, first)) {
      case Decompressor::Step::need_more: return;
      case Decompressor::Step::malformed: lose(direction, last.time); return;
      case Decompressor::Step::gap:
        if (from.frames.skip(from.unpack.gap_length()) == FrameReader::Gap::lost) {
          lose(direction, last.time);
          return;
        }
        if (Bytes none; drain_frames(direction, none, first, last)) return;
        break;
      case Decompressor::Step::bytes: {
        Bytes content = from.unpack.content();
        if (drain_frames(direction, content, from.unpack.first(), last)) {
          opaque += content.size() + input.size();
          return;
        }
        break;
      }
    }
    if (from.sync == Side::Sync::lost) return;
  }
}

void ConnectionDecoder::State::on_message(Direction direction, const MessageView& message) {
  Side& from = side(direction);
  if (from.phase == Side::Phase::login) {
    direction == Direction::to_server ? on_client_login(message) : on_server_login(message);
    return;
  }
  if (direction == Direction::to_client) {
    on_answer(conversation.response(message), message.last.time);
    return;
  }
  on_client_message(message);
  if (conversation.became_stream()) readable = Readable::stream;
}

void ConnectionDecoder::State::on_answer(Conversation::Framing framing, CaptureTime behind) {
  if (framing == Conversation::Framing::doubtful) lose(Direction::to_client, behind);
  if (conversation.became_stream()) readable = Readable::stream;
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

ConnectionDecoder::ConnectionDecoder(DecoderSink& sink, const DecoderLimits& limits, StreamOpen::Start start, DecoderPool* pool, KeyLog* keys)
    : state_(std::make_unique<State>(sink, limits, start, pool, keys)) {}
ConnectionDecoder::~ConnectionDecoder() = default;
ConnectionDecoder::ConnectionDecoder(ConnectionDecoder&&) noexcept = default;

void ConnectionDecoder::prime(const Priming& known) {
  state_->facts.server_version = known.server_version;
  state_->conversation.prime(known);
}
void ConnectionDecoder::feed(const StreamBytes& bytes) { state_->feed(bytes); }
void ConnectionDecoder::feed(const StreamGap& gap) { state_->feed(gap); }

void ConnectionDecoder::finish(StreamEnd::Reason reason) {
  State& state = *state_;
  if (state.tls) state.tls->finish();
  if (state.recognition == Recognition::no || state.recognition == Recognition::undecided) return;
  Side& client = state.side(Direction::to_server);
  if (state.readable == State::Readable::yes && client.phase == Side::Phase::commands && client.sync == Side::Sync::sure && client.frames.in_message())
    state.conversation.command_cut(client.frames.partial(), client.frames.partial_first(), client.frames.partial_wire_bytes());
  state.conversation.finish(std::string(phrase(reason)));
}

const ConnectionFacts& ConnectionDecoder::facts() const { return state_->facts; }
ConnectionDecoder::Recognition ConnectionDecoder::recognition() const { return state_->recognition; }
std::uint64_t ConnectionDecoder::opaque_bytes() const { return state_->opaque + (state_->tls ? state_->tls->opaque_bytes() : 0); }
std::string ConnectionDecoder::why_opaque() const {
  if (state_->readable == State::Readable::tls) return "TLS: it was joined in the middle, and its ClientHello names its secrets";
  if (!state_->tls || state_->tls->why_opaque().empty()) return {};
  return state_->tls->name() + ": " + state_->tls->why_opaque();
}

std::size_t ConnectionDecoder::memory() const {
  std::size_t bytes = sizeof(State) + state_->conversation.memory();
  for (const Side& each : state_->sides) bytes += each.frames.memory() + each.unpack.memory();
  if (state_->tls) bytes += state_->tls->memory();
  return bytes;
}

}  // namespace darktap::mysql
