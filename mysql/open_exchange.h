// An exchange in progress: the command at the front, and its answer as far as it has come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "login.h"
#include "mysql/decoder_pool.h"
#include "mysql/exchange.h"
#include "mysql/known_headers.h"
#include "mysql/response_decoder.h"

namespace darktap::mysql {

struct OpenExchange {
  Exchange exchange;
  ResponseDecoder decoder;
  UserChange user_change;
  std::vector<Parameter> spare_parameters;  // of an earlier exchange, for their storage
  std::uint64_t burst = 0;
  std::uint8_t first_sequence = 1;  // of the answer
  std::optional<std::uint8_t> next_sequence;
  enum class Progress : std::uint8_t { waiting, answering } progress = Progress::waiting;
  std::vector<std::byte> header;  // frames of a result's beginning that is not known yet, as they come
  std::uint8_t header_frames = 0;
  enum class Learning : std::uint8_t { no, yes } learning = Learning::no;

  // Empty again, but for storage that the next one can use.
  void reset();
};

struct DecoderPool::State {
  KnownHeaders headers;
  std::vector<std::unique_ptr<OpenExchange>> spares;

  std::unique_ptr<OpenExchange> take();
  void give_back(std::unique_ptr<OpenExchange> open);
};

}  // namespace darktap::mysql
