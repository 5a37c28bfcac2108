// Exchanges as a recording's lanes (docs/recording.md); encode and decode stand side by side. An exchange is its *shape*,
// what stays the same whenever its statement runs, which a block holds once, and the values that fill it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "recording_block.h"
#include "row_storage.h"
#include "row_window.h"
#include "session/exchange.h"
#include "statement_skeleton.h"
#include "wire.h"

namespace darktap::session {

// What both sides expect of the next exchange; only differences are written. It knows one block.
class Expectations {
 public:
  struct OfSession {
    std::uint64_t next_seq = 0;
    std::uint64_t last_time = 0;
  };
  struct OfShape {
    std::uint64_t request_overhead = 0, response_overhead = 0, statement_id = 0, last_insert_id = 0;
  };
  std::uint64_t session = 0, file = 0, packet = 0, request_first = 0;
  // Where a session comes for the first time, its time is that of the exchange before.
  OfSession& of_session(std::uint64_t id) {
    auto [at, is_new] = sessions_.try_emplace(id);
    if (is_new) at->second.last_time = request_first;
    return at->second;
  }
  OfShape& of_shape(std::size_t number) {
    if (shapes_.size() <= number) shapes_.resize(number + 1);
    return shapes_[number];
  }

 private:
  std::unordered_map<std::uint64_t, OfSession> sessions_;
  std::vector<OfShape> shapes_;
};

class ExchangeEncoder {
 public:
  ExchangeEncoder();
  ~ExchangeEncoder();
  void add(LaneWriters& lanes, const Exchange& exchange);
  // Completes the lanes of a block.
  void end_block(LaneWriters& lanes);
  void end_segment() { window_.clear(); }
  // A segment ends when its window is full.
  bool is_full() const { return window_.rows().is_full(); }
  std::uint32_t rows_remembered() const { return window_.rows().size(); }

 private:
  struct Values;
  std::size_t number_of_shape(LaneWriters& lanes);
  void add_rows(LaneWriters& lanes, const mysql::RowBatch& rows);

  RowWindow window_;
  Expectations expected_;
  WireWriter shape_;
  std::string skeleton_;
  std::vector<Literal> literals_;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> shapes_;
  std::uint32_t expected_row_ = 0;
  struct Times {
    std::vector<std::int64_t> request_first, request_span, response_wait, response_span;
  } times_;
};

class ExchangeDecoder {
 public:
  ExchangeDecoder();
  ~ExchangeDecoder();
  // False where the block's lanes aren't whole.
  bool begin_block(LaneReaders& lanes, std::uint32_t rows_before);
  void begin_segment() { rows_.clear(); }

  // Takes the rows that later blocks may refer to, of a block from which nothing else is wanted.
  bool learn_rows(LaneReaders& lanes);

  // `head`: only the exchange's id, times, user, schema and command's code are of use; its body is passed over.
  enum class Part : std::uint8_t { all, head };
  enum class Outcome : std::uint8_t { whole, without_rows, damaged };
  // `wanted` tells from session and time of request how much of the exchange is needed.
  template <class Wanted>
  Outcome next(LaneReaders& lanes, Exchange& exchange, Wanted&& wanted) {
    if (!next_head(lanes, exchange)) return Outcome::damaged;
    return next_body(lanes, exchange, wanted(exchange));
  }
  // Of a block whose heads alone were unpacked. False where it is damaged.
  bool next_alone(LaneReaders& lanes, Exchange& exchange);

 private:
  struct Shape;
  bool next_head(LaneReaders& lanes, Exchange& exchange);
  void name_head(Exchange& exchange) const;
  Outcome next_body(LaneReaders& lanes, Exchange& exchange, Part part);
  bool read_rows(LaneReaders& lanes, mysql::RowBatch& rows, std::uint64_t& row_bytes, Part part, Outcome& outcome);

  RowStore rows_;
  Expectations expected_;
  std::vector<Shape> shapes_;
  RowStorage storage_;
  std::size_t shape_ = 0;
  std::uint64_t request_rest_ = 0, response_rest_ = 0;
  std::uint32_t expected_row_ = 0;
  std::int64_t unit_ = 1;
};

}  // namespace darktap::session
