// Reading ahead: messages whose meaning is known before they are looked at one by one, which are most of an answer's bytes.
#include <algorithm>

#include "conversation.h"
#include "server_messages.h"

namespace darktap::mysql {

namespace {
constexpr std::size_t frame_header_bytes = 4;
}

Conversation::Framing Conversation::take_ahead(Bytes& frames, const Stamp& first, const Stamp& last) {
  if (!head_ || side_ != Server::following) return Framing::trusted;
  OpenExchange& head = *head_;
  const std::size_t before = frames.size();
  if (head.progress == Progress::waiting) {
    if (!take_known_header(frames, first)) return Framing::trusted;
  } else if (!head.next_sequence || !head.decoder.in_rows()) {
    return Framing::trusted;
  }
  const std::size_t longest = std::min(limits_.frame_payload, limits_.message_bytes);
  const ResponseDecoder::RowRun run = head.decoder.take_rows(frames, *head.next_sequence, longest);
  head.next_sequence = run.next_sequence;
  frames = frames.subspan(run.bytes);

  // The end of the rows: an EOF, or an OK in its guise.
  ByteReader reader(frames);
  const std::size_t length = reader.u24le();
  const bool goes_on = reader.u8() == run.next_sequence;
  constexpr std::size_t longest_end = 64;  // those that say more are read as every message is
  const bool ends = goes_on && length >= eof_length && length <= std::min(longest_end, reader.remaining()) && length < longest && reader.peek() == eof_marker;
  if (ends) {
    ++*head.next_sequence;
    frames = frames.subspan(frame_header_bytes + length);
  }
  if (frames.size() == before) return Framing::trusted;
  head.exchange.response_bytes += before - frames.size();
  head.exchange.response_last = last.time;
  return ends ? after(head.decoder.feed(reader.take(length))) : Framing::trusted;
}

// The frames' numbers are part of what is compared, so that they are known to go on as they should.
bool Conversation::take_known_header(Bytes& frames, const Stamp& first) {
  OpenExchange& head = *head_;
  if (frames.size() < frame_header_bytes || std::to_integer<std::uint8_t>(frames[3]) != head.first_sequence) return false;
  std::size_t bytes = head.decoder.take_cached_header(frames, head.first_sequence);
  std::uint8_t frame_count = 2;
  if (bytes == 0) {
    const KnownHeaders::Known* known = pool_.headers.find(frames, head.decoder.header_kind());
    if (known == nullptr || !head.decoder.take_header(known->header)) return false;
    bytes = known->frames.size();
    frame_count = known->frame_count;
  }
  head.progress = Progress::answering;
  head.exchange.response_first = first.time;
  head.next_sequence = static_cast<std::uint8_t>(head.first_sequence + frame_count);
  frames = frames.subspan(bytes);
  return true;
}

// A message of a header that is not known, or not at hand as a whole, was read.
void Conversation::note_header(const MessageView& message) {
  OpenExchange& head = *head_;
  using Learning = OpenExchange::Learning;
  if (head.exchange.response_bytes == message.wire_bytes) {  // the first of the answer: the number of columns
    head.header.clear();
    head.header_frames = 0;
    head.learning = Learning::yes;
  }
  if (head.learning == Learning::no) return;
  const std::size_t size = head.header.size() + frame_header_bytes + message.payload.size();
  const bool goes_on = head.decoder.in_first_header() || head.decoder.first_header();
  if (message.frames != 1 || size > KnownHeaders::longest || !goes_on) {
    head.learning = Learning::no;
    return;
  }
  std::uint32_t header = static_cast<std::uint32_t>(message.payload.size()) | std::uint32_t{message.first_sequence} << 24;
  for (std::size_t i = 0; i < frame_header_bytes; ++i, header >>= 8) head.header.push_back(static_cast<std::byte>(header & 0xff));
  head.header.insert(head.header.end(), message.payload.begin(), message.payload.end());
  ++head.header_frames;
  auto whole = head.decoder.first_header();
  if (!whole) return;
  pool_.headers.remember({head.header, head.header_frames, head.decoder.header_kind(), *std::move(whole)});
  head.learning = Learning::no;
}

}  // namespace darktap::mysql
