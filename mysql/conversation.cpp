#include "conversation.h"

#include <algorithm>
#include <utility>

namespace darktap::mysql {

namespace {

constexpr std::size_t most_held = 1000;
constexpr std::size_t most_statements = 20'000;  // servers allow 16,382 in all by default

void make_unobserved(Exchange& exchange, const std::string& why) {
  exchange.answer = Answer{.state = Answer::State::unobserved, .why_unobserved = why};
  exchange.response_first = exchange.response_last = {};
  exchange.response_bytes = 0;
}

}  // namespace

Conversation::Conversation(DecoderSink& sink, const DecoderLimits& limits, ConnectionFacts& facts, DecoderPool& pool)
    : sink_(sink), limits_(limits), facts_(facts), pool_(*pool.state_), statements_(most_statements, limits.message_bytes) {}

// ---- the client's side

void Conversation::command(const MessageView& message) {
  if (message.payload.empty() && message.integrity == MessageView::Integrity::whole) return;  // no command at all
  auto code = message.payload.empty() ? CommandCode::sleep : static_cast<CommandCode>(message.payload[0]);
  // The client has its answer, or it would not ask again.
  if (head_ && head_->progress == Progress::answering && head_->decoder.may_be_complete()) complete();
  bool waits = head_ || !queue_.empty();
  bool behind_prepare = last_code_ == CommandCode::stmt_prepare &&
                        (code == CommandCode::stmt_execute || code == CommandCode::stmt_bulk_execute) && message.payload.size() >= 5 &&
                        ByteReader(message.payload.subspan(1)).u32le() == last_prepared_id;
  if (!waits || !(message.first.packet == last_packet_ || behind_prepare)) ++burst_;
  last_packet_ = message.last.packet;
  last_code_ = code;

  Waiting waiting{.payload = {}, .integrity = message.integrity, .first = message.first, .last = message.last,
                  .wire_bytes = message.wire_bytes, .last_sequence = message.last_sequence, .burst = burst_,
                  .answer = std::exchange(client_hole_, false) ? Waiting::Answer::search : Waiting::Answer::awaited};
  if (message.integrity != MessageView::Integrity::whole) client_hole_ = true;  // the next answer must be told from its own
  if (mute_) {
    if (is_quiet_before(message.first.time)) {
      mute_ = false;
      waiting.answer = Waiting::Answer::search;
    } else {
      waiting.answer = Waiting::Answer::lost;
    }
    heard_ = message.last.time;
  }
  if (!waits) {
    take(waiting, message.payload);
    return;
  }
  waiting.payload.assign(message.payload.begin(), message.payload.end());
  queued_bytes_ += waiting.payload.size();
  queue_.push_back(std::move(waiting));
  if (queue_.size() > limits_.pending_commands || queued_bytes_ > limits_.pending_bytes) {
    for (Waiting& each : queue_) each.answer = Waiting::Answer::lost;
    side_ = Server::searching;
    give_up_head("more commands wait for their answers than are followed");
  }
}

void Conversation::request_data(const MessageView& message) {
  if (!queue_.empty()) {
    queue_.back().wire_bytes += message.wire_bytes;
  } else if (head_) {
    head_->exchange.request_bytes += message.wire_bytes;
  }
}

void Conversation::command_cut(Bytes seen, const Stamp& first, std::uint64_t wire_bytes) {
  if (seen.empty()) return;
  command({.integrity = MessageView::Integrity::damaged, .payload = seen, .length = seen.size(), .wire_bytes = wire_bytes,
           .first = first, .last = first});
}

void Conversation::client_lost() {
  client_hole_ = true;
  if (state_doubt_.empty()) state_doubt_ = "bytes of the client were lost: the session's state may have moved";
  if (!recognised_) return;
  for (Exchange& exchange : held_) make_unobserved(exchange, "bytes were lost on both sides of its answer");
  flush_held();
}

void Conversation::client_heard() {
  if (held_.empty() || !recognised_) return;
  flush_held();
  found_again_ = false;
}

// A command reaches the front: everything before it is answered, so that the session's state is the one it was sent in.
void Conversation::take(Waiting& waiting, Bytes payload) {
  Open open = pool_.take();
  Exchange& exchange = open->exchange;
  exchange.request_first = waiting.first.time;
  exchange.request_last = waiting.last.time;
  exchange.request_bytes = waiting.wire_bytes;
  exchange.provenance.packet = waiting.last.packet;
  exchange.user = facts_.user;
  exchange.schema = facts_.schema;
  exchange.collation = facts_.collation;
  if (facts_.known != ConnectionFacts::Capability::negotiated)
    doubt(exchange, "the login was not seen: capabilities and character set are inferred" + std::string(primed_));
  if (!state_doubt_.empty()) doubt(exchange, state_doubt_);

  if (waiting.integrity != MessageView::Integrity::whole) {
    exchange.command.code = payload.empty() ? CommandCode::sleep : static_cast<CommandCode>(payload[0]);
    exchange.command.text_state = Command::Text::unknown;
    make_unobserved(exchange, waiting.integrity == MessageView::Integrity::oversized ? "the command is longer than the limit"
                                                                                     : "bytes of the command were lost");
    note_unseen_effect(exchange.command);
    tell(std::move(open));
    return;
  }

  AttributesForm attributes = AttributesForm::by_shape;
  if (facts_.known == ConnectionFacts::Capability::negotiated)
    attributes = (facts_.capabilities & capability::query_attributes) != 0 ? AttributesForm::negotiated : AttributesForm::absent;
  const Command& command = exchange.command;
  ParsedCommand parsed = parse_command(payload, facts_.capabilities, attributes, statements_, exchange.command, open->spare_parameters);
  if (!parsed.problem.empty()) doubt(exchange, parsed.problem);

  if (command.code == CommandCode::stmt_send_long_data)
    statements_.add_long_data(command.statement_id, parsed.long_data_parameter, parsed.long_data);
  if (command.code == CommandCode::stmt_close) statements_.close(command.statement_id);
  if (gets_no_answer(command.code)) {
    exchange.answer.state = Answer::State::none;
    tell(std::move(open));
    return;
  }
  if (becomes_stream(command.code)) {
    became_stream_ = true;
    make_unobserved(exchange, "the connection became a replication stream");
    tell(std::move(open));
    return;
  }
  if (waiting.answer == Waiting::Answer::lost) {
    make_unobserved(exchange, "bytes of its answer were lost");
    note_unseen_effect(exchange.command);
    tell(std::move(open));
    return;
  }
  if (waiting.answer == Waiting::Answer::search) side_ = Server::searching;

  if (command.code == CommandCode::change_user) open->user_change = std::move(parsed.user_change).value_or(UserChange{});
  open->burst = waiting.burst;
  open->first_sequence = static_cast<std::uint8_t>(waiting.last_sequence + 1);
  start_decoder(*open);
  head_ = std::move(open);
}

void Conversation::start_decoder(OpenExchange& open) {
  const Command& command = open.exchange.command;
  Columns columns;
  bool executes = command.code == CommandCode::stmt_execute || command.code == CommandCode::stmt_bulk_execute;
  if (command.code == CommandCode::stmt_fetch || (executes && definitions_may_be_left_out()))
    if (const Statement* statement = statements_.find(command.statement_id)) columns = statement->columns;
  Capabilities capabilities = facts_.capabilities;
  auto dialect = ResponseDecoder::Dialect::negotiated;
  if (facts_.known != ConnectionFacts::Capability::negotiated) {
    dialect = eof_form_ == ResponseDecoder::EofForm::unknown ? ResponseDecoder::Dialect::by_shape : ResponseDecoder::Dialect::by_shape_with_eof;
    if (eof_form_ == ResponseDecoder::EofForm::deprecated) capabilities |= capability::deprecate_eof;
    else capabilities &= ~capability::deprecate_eof;
  }
  open.decoder.restart(command.code, capabilities, {.kept_rows = limits_.kept_rows, .kept_bytes = limits_.kept_bytes}, std::move(columns), dialect);
}

bool Conversation::definitions_may_be_left_out() const {
  return facts_.known != ConnectionFacts::Capability::negotiated ||
         (facts_.capabilities & (capability::mariadb_cache_metadata | capability::optional_metadata)) != 0;
}

void Conversation::advance() {
  while (!head_ && !queue_.empty() && !became_stream_) {
    Waiting waiting = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= waiting.payload.size();
    take(waiting, waiting.payload);
  }
}

// ---- the server's side

Conversation::Framing Conversation::response(const MessageView& message) {
  if (side_ == Server::searching) {
    heard_ = message.last.time;
    skip_to(message.first.time);
    if (!starts_head(message)) return Framing::trusted;
    side_ = Server::following;
  } else if (!head_) {
    side_ = Server::searching;  // nobody asked for it, as far as the tap saw
    // Then what was paired again after a loss may have been one answer off, too.
    if (overlapping_) {
      for (Exchange& exchange : held_) make_unobserved(exchange, "an answer came that nobody asked for");
      flush_held();
      mute();
      heard_ = message.last.time;
    }
    return Framing::trusted;
  }
  bool checked = sequences_checked_;
  if (checked && head_->progress == Progress::answering && head_->decoder.may_be_complete() && message.first_sequence != *head_->next_sequence) {
    complete();  // what comes now answers the next command
    if (!head_) {
      side_ = Server::searching;
      return Framing::trusted;
    }
  }
  OpenExchange& head = *head_;
  if (head.progress == Progress::waiting) {
    if (checked && message.first_sequence != head.first_sequence) {
      side_ = Server::searching;
      return Framing::trusted;
    }
    head.progress = Progress::answering;
    head.exchange.response_first = message.first.time;
  } else if (checked && head.next_sequence && message.first_sequence != *head.next_sequence) {
    side_ = Server::searching;
    give_up_head("the sequence numbers of its answer jump");
    return Framing::doubtful;
  }
  head.next_sequence = static_cast<std::uint8_t>(message.last_sequence + 1);
  head.exchange.response_last = message.last.time;
  head.exchange.response_bytes += message.wire_bytes;
  if (message.integrity != MessageView::Integrity::whole) {
    side_ = Server::searching;
    give_up_head(message.integrity == MessageView::Integrity::oversized ? "a message of its answer is longer than the limit"
                                                                        : "bytes of its answer were lost");
    return Framing::trusted;
  }
  const ResponseDecoder::Step step = head.decoder.feed(message.payload);
  if (head.decoder.in_first_header() || head.learning == OpenExchange::Learning::yes) note_header(message);
  return after(step);
}

// What a message of the head's answer leads to.
Conversation::Framing Conversation::after(ResponseDecoder::Step step) {
  OpenExchange& head = *head_;
  switch (step) {
    case ResponseDecoder::Step::more:
      if (head.exchange.command.code == CommandCode::change_user) head.next_sequence.reset();  // the client speaks in between
      return Framing::trusted;
    case ResponseDecoder::Step::send_file: head.next_sequence.reset(); return Framing::trusted;
    case ResponseDecoder::Step::done: complete(); return Framing::trusted;
    case ResponseDecoder::Step::malformed: {
      std::string why = "its answer could not be decoded: " + head.decoder.problem();
      side_ = Server::searching;
      give_up_head(why);
      return Framing::doubtful;
    }
  }
  return Framing::trusted;
}

void Conversation::complete() {
  Open open = std::move(head_);
  OpenExchange& head = *open;
  Exchange& exchange = head.exchange;
  head.decoder.take_answer(exchange.answer);
  recognised_ = true;
  if (head.decoder.eof_form() != ResponseDecoder::EofForm::unknown) eof_form_ = head.decoder.eof_form();
  else if (head.decoder.may_be_complete()) eof_form_ = ResponseDecoder::EofForm::deprecated;
  take_effect(head);
  longest_wait_ = std::max(longest_wait_, exchange.response_last - exchange.request_last);
  // A client that asks again before it has its answer never waits. Commands of one packet don't count.
  if (!queue_.empty() && queue_.front().burst != head.burst && queue_.front().last.time < exchange.response_first) overlapping_ = true;
  tell(std::move(open));
  advance();
}

void Conversation::server_lost(CaptureTime behind) {
  side_ = Server::searching;
  found_again_ = true;
  if (overlapping_) {
    mute();
    heard_ = behind;
    return;
  }
  if (!head_) return;
  bool asked_later = head_->progress == Progress::waiting && behind < head_->exchange.request_last;
  if (asked_later) return;  // the hole lies before it was asked
  for (Waiting& each : queue_)
    if (each.burst == head_->burst) each.answer = Waiting::Answer::lost;
  give_up_head("bytes of its answer were lost");
}

void Conversation::mute() {
  mute_ = true;
  for (Waiting& each : queue_) each.answer = Waiting::Answer::lost;
  give_up_head("bytes were lost, and the client does not wait for its answers");
}

// Whatever was asked is answered by now, as far as this connection's answers have ever taken: far longer than that nobody
// has said anything.
bool Conversation::is_quiet_before(CaptureTime time) const {
  constexpr std::chrono::seconds least(2);
  constexpr int times_longest = 10;
  return time - heard_ >= std::max<std::chrono::nanoseconds>(least, times_longest * longest_wait_);
}

// While searching: whatever the server sends once a later burst was sent, is no answer to an earlier one.
void Conversation::skip_to(CaptureTime time) {
  while (head_ && !overlapping_) {
    auto later = std::find_if(queue_.begin(), queue_.end(), [&](const Waiting& each) {
      return each.burst != head_->burst && each.integrity == MessageView::Integrity::whole && !each.payload.empty() &&
             !gets_no_answer(static_cast<CommandCode>(each.payload[0])) && each.last.time <= time;
    });
    if (later == queue_.end()) return;
    give_up_head("its answer was not seen");
  }
}

bool Conversation::starts_head(const MessageView& message) const {
  return head_ && head_->progress == Progress::waiting && message.integrity == MessageView::Integrity::whole &&
         message.first.time >= head_->exchange.request_last &&
         (!sequences_checked_ || message.first_sequence == head_->first_sequence) &&
         payload_starts_response(message.payload, message.length, head_->exchange.command.code);
}

std::optional<ResponseStart> Conversation::expected_start(CaptureTime time) {
  heard_ = std::max(heard_, time);
  skip_to(time);
  if (side_ != Server::searching || !head_ || head_->progress != Progress::waiting || time < head_->exchange.request_last) return std::nullopt;
  ResponseStart start{.command = head_->exchange.command.code, .sequence = {}};
  if (sequences_checked_) start.sequence = head_->first_sequence;
  return start;
}

void Conversation::give_up_head(const std::string& why) {
  if (head_) {
    Open open = std::move(head_);
    make_unobserved(open->exchange, why);
    note_unseen_effect(open->exchange.command);
    tell(std::move(open));
  }
  advance();
}

void Conversation::finish(const std::string& why) {
  while (head_) {
    bool begun = head_->progress == Progress::answering;
    give_up_head(begun ? why + " inside its answer" : why + " before its answer");
  }
  flush_held();
}

// ---- out

void Conversation::doubt(Exchange& exchange, std::string_view why) const {
  exchange.certainty = Exchange::Certainty::inferred;
  if (!exchange.why.empty()) exchange.why += "; ";
  exchange.why += why;
}

void Conversation::tell(Open open) {
  emit(open->exchange);
  pool_.give_back(std::move(open));
}

void Conversation::emit(Exchange& exchange) {
  bool observed = exchange.answer.state == Answer::State::complete;
  if (observed && found_again_) doubt(exchange, "found again after lost bytes");
  if (!recognised_ || (found_again_ && observed) || !held_.empty()) {
    if (held_.size() >= most_held) {
      if (recognised_) flush_held();
      else held_.erase(held_.begin());
    }
    held_.push_back(std::move(exchange));
    if (recognised_ && !found_again_) flush_held();
    return;
  }
  sink_.on_exchange(exchange);
}

void Conversation::flush_held() {
  if (!recognised_) return;
  std::vector<Exchange> held = std::exchange(held_, {});
  for (Exchange& exchange : held) sink_.on_exchange(exchange);
}

std::size_t Conversation::memory() const {
  std::size_t bytes = sizeof(*this) + queued_bytes_ + queue_.size() * sizeof(Waiting) + statements_.memory();
  if (head_) bytes += head_->exchange.command.text.size() + head_->decoder.memory();
  for (const Exchange& exchange : held_) {
    bytes += sizeof(exchange) + exchange.command.text.size();
    for (const Result& result : exchange.answer.results)
      if (const auto* rows = std::get_if<ResultSet>(&result)) bytes += rows->rows.byte_size();
  }
  return bytes;
}

}  // namespace darktap::mysql
