// Reading ahead: messages whose meaning is known before they are looked at one by one, which are most of an answer's bytes.
#include <algorithm>

#include "conversation.h"

namespace darktap::mysql {

namespace {
constexpr std::size_t frame_header_bytes = 4;
constexpr std::uint8_t first_definition_sequence = 2;  // of a response's first result set: the number of columns comes first
}  // namespace

void Conversation::take_ahead(Bytes& frames, const Stamp& stamp) {
  if (!head_ || head_->progress != Progress::answering || side_ != Server::following || !head_->next_sequence) return;
  OpenExchange& head = *head_;
  if (!head.decoder.in_rows()) {
    if (head.decoder.definitions_due() == 0) return;
    const std::size_t before = frames.size();
    take_known_definitions(frames);
    if (frames.size() == before) return;
    head.exchange.response_bytes += before - frames.size();
    head.exchange.response_last = stamp.time;
    if (!head.decoder.in_rows()) return;
  }
  const std::size_t longest = std::min(limits_.frame_payload, limits_.message_bytes);
  const ResponseDecoder::RowRun run = head.decoder.take_rows(frames, *head.next_sequence, longest);
  if (run.bytes == 0) return;
  head.next_sequence = run.next_sequence;
  head.exchange.response_bytes += run.bytes;
  head.exchange.response_last = stamp.time;
  frames = frames.subspan(run.bytes);
}

DefinitionLayout Conversation::definition_layout() const {
  if (facts_.known != ConnectionFacts::Capability::negotiated) return DefinitionLayout::by_shape;
  const bool extended = (facts_.capabilities & capability::mariadb_extended_metadata) != 0;
  return extended ? DefinitionLayout::extended : DefinitionLayout::classic;
}

// A definition that is not known, or not at hand as a whole.
void Conversation::note_definition(const MessageView& message) {
  OpenExchange& head = *head_;
  if (const std::uint64_t due = head.decoder.definitions_due(); due > 0) {
    head.definitions.clear();
    head.definition_count = message.first_sequence == first_definition_sequence ? due : 0;
  }
  if (head.definition_count == 0) return;
  if (message.frames != 1 || head.definitions.size() + message.payload.size() > KnownDefinitions::limit_bytes / 8) {
    head.definition_count = 0;
    return;
  }
  for (std::uint32_t header = static_cast<std::uint32_t>(message.payload.size()) | std::uint32_t{message.first_sequence} << 24, i = 0;
       i < frame_header_bytes; ++i, header >>= 8)
    head.definitions.push_back(static_cast<std::byte>(header & 0xff));
  head.definitions.insert(head.definitions.end(), message.payload.begin(), message.payload.end());
}

void Conversation::learn_definitions() {
  OpenExchange& head = *head_;
  if (head.definition_count == 0 || head.decoder.columns().size() != head.definition_count) return;
  pool_.definitions.remember({head.definitions, head.definition_count, definition_layout(), head.decoder.columns()});
  head.definition_count = 0;
}

// Their frames' numbers are part of what is compared, so that they are known to go on as they should.
void Conversation::take_known_definitions(Bytes& frames) {
  OpenExchange& head = *head_;
  if (*head.next_sequence != first_definition_sequence) return;
  const std::uint64_t count = head.decoder.definitions_due();
  const KnownDefinitions::Block* block = pool_.definitions.find(frames, count, definition_layout());
  if (block == nullptr || !head.decoder.take_definitions(block->columns, block->frames.size() - count * frame_header_bytes)) return;
  head.next_sequence = static_cast<std::uint8_t>(first_definition_sequence + count);
  frames = frames.subspan(block->frames.size());
}

}  // namespace darktap::mysql
