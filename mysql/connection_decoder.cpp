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

}  // namespace

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

ConnectionDecoder::ConnectionDecoder(DecoderSink& sink, const DecoderLimits& limits, StreamOpen::Start start, DecoderPool* pool)
    : state_(std::make_unique<State>(sink, limits, start, pool)) {}
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
