// Two servers that answer by what a question holds, and one statement that they answered otherwise.
#pragma once

#include "bench.h"

namespace fake {

inline bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What a server answers to questions that hold some text; to the statement itself, its own.
using Rules = std::vector<std::pair<std::string, mysql::Answer>>;
struct Side {
  mysql::Answer own;
  Rules rules;
};

inline std::string judge_by_rules(Bench&& bench, const std::string& sql, const Side& source, const Side& target) {
  auto server = [&sql](const Side& side) {
    return [&sql, side](const std::string& asked, CaptureTime) {
      if (asked == sql) return side.own;
      for (const auto& [part, answer] : side.rules)
        if (holds(asked, part)) return answer;
      return error_answer(1064, "not expected: " + asked);
    };
  };
  bench.reference = server(source);
  bench.target = server(target);
  bench.read(1, sql, source.own, target.own, at(1s));
  bench.run_out();
  return bench.outcome();
}

}  // namespace fake
