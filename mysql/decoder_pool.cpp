#include "mysql/decoder_pool.h"

#include <utility>

#include "open_exchange.h"

namespace darktap::mysql {

namespace {

// A large one is given back to the machine.
template <class Container>
void empty(Container& container) {
  if (container.capacity() * sizeof(typename Container::value_type) > DecoderPool::limit_spare_bytes) Container().swap(container);
  container.clear();
}

}  // namespace

void OpenExchange::reset() {
  exchange.user.clear();
  exchange.schema.clear();
  exchange.collation = 0;
  exchange.id = {};
  exchange.provenance = {};
  empty(exchange.command.text);
  exchange.command.text_state = Command::Text::none;
  exchange.command.statement_id = exchange.command.bulk_rows = exchange.command.number = 0;
  exchange.command.cursor_flags = 0;
  empty(exchange.command.parameters);
  empty(exchange.command.attributes);
  decoder.recycle(exchange.answer);
  exchange.response_first = exchange.response_last = {};
  exchange.response_bytes = 0;
  exchange.certainty = Exchange::Certainty::certain;
  exchange.why.clear();
  next_sequence.reset();
  progress = Progress::waiting;
  empty(header);
  learning = Learning::no;
}

std::unique_ptr<OpenExchange> DecoderPool::State::take() {
  if (spares.empty()) return std::make_unique<OpenExchange>();
  std::unique_ptr<OpenExchange> open = std::move(spares.back());
  spares.pop_back();
  return open;
}

void DecoderPool::State::give_back(std::unique_ptr<OpenExchange> open) {
  if (spares.size() >= limit_spares) return;
  open->reset();
  spares.push_back(std::move(open));
}

DecoderPool::DecoderPool() : state_(std::make_unique<State>()) {}
DecoderPool::~DecoderPool() = default;

}  // namespace darktap::mysql
