// What the connections of a thread share: how answers begin, and storage for the commands in flight, so that one takes none anew
// and a connection that is idle holds none.
#pragma once

#include <memory>
#include <vector>

#include "mysql/known_headers.h"

namespace darktap::client {

struct AnswerStorage {
  static constexpr std::size_t most_decoders = 64, most_answers = 16;
  static constexpr std::size_t largest_rows = std::size_t{64} << 10;  // of an answer whose storage is kept
  mysql::KnownHeaders headers;
  std::vector<std::unique_ptr<mysql::ResponseDecoder>> decoders;
  std::vector<mysql::Answer> answers;  // done with

  std::unique_ptr<mysql::ResponseDecoder> take();
  void give_back(std::unique_ptr<mysql::ResponseDecoder> decoder);
};

AnswerStorage& of_this_thread();

}  // namespace darktap::client
