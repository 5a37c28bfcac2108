#include "mysql/decoder_pool.h"

#include <algorithm>
#include <utility>

#include "open_exchange.h"

namespace darktap::mysql {

namespace {

constexpr std::size_t few_parameters = 32, short_value = 1024;

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
  std::vector<Parameter>& parameters = exchange.command.parameters;
  const bool large = parameters.size() > few_parameters ||
                     std::any_of(parameters.begin(), parameters.end(), [](const Parameter& p) { return p.bytes.capacity() > short_value; });
  if (!large && parameters.size() > spare_parameters.size()) parameters.swap(spare_parameters);
  empty(parameters);
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
