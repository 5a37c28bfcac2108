// Runs and verdicts as the run room makes them, for the tests of the store and of what reads it.
#pragma once

#include <string>

#include "store/store.h"

namespace sample {

using namespace darktap;

inline CaptureTime at(std::int64_t seconds) { return CaptureTime(std::chrono::seconds(1'763'694'000 + seconds)); }

inline store::RunInfo run_info() {
  return {.mode = "replay", .pace = "recorded", .order = "session", .started = at(0), .finished = std::nullopt, .source = "127.0.0.1:3306",
          .target = "127.0.0.1:3307", .reference = "127.0.0.1:3308", .target_follows = "yes", .build = "darktap test",
          .questions = {{"target", {3, 1500}}, {"reference", {2, 900}}}};
}

struct Event {
  std::uint64_t fingerprint = 0x1111;
  std::string normalized = "SELECT * FROM orders WHERE customer = ? LIMIT ?";
  compare::Difference difference = compare::Difference::row_order;
  compare::Cause cause = compare::Cause::order_undefined;
  compare::Level level = compare::Level::proved;
  std::string evidence = R"({"ties":[[1,2]]})";
  std::string parameters = "[]";
};

inline compare::Judgement judgement(session::ExchangeId exchange, const Event& event) {
  compare::Judgement made;
  made.exchange = exchange;
  made.provenance = {0, PacketNumber{exchange.session.value * 100 + exchange.seq}};
  made.time = at(static_cast<std::int64_t>(exchange.seq));
  made.fingerprint = event.fingerprint;
  made.normalized = event.normalized;
  made.verdicts = {{event.difference, event.cause, event.level, event.evidence}};
  made.sql = "SELECT * FROM orders WHERE customer = " + std::to_string(exchange.seq) + " LIMIT 2";
  made.parameters = event.parameters;
  made.source_answer = R"({"outcome":"rows","columns":["id"],"rows":[[1],[2]]})";
  made.target_answer = R"({"outcome":"rows","columns":["id"],"rows":[[2],[1]]})";
  return made;
}

// One compared execution that differs, as the run counts it: the execution, then its verdict.
inline void add(store::RunWriter& writer, session::ExchangeId exchange, const Event& event = {}) {
  writer.count_execution(event.fingerprint, event.normalized, store::Execution::compared);
  writer.add(judgement(exchange, event), "shop.pcap");
}

}  // namespace sample
