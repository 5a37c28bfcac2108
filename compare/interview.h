// The questions of one case: the investigation awaits their answers, the comparer puts them when their time has come.
#pragma once

#include <coroutine>
#include <string>
#include <utility>
#include <vector>

#include "compare/comparer.h"

namespace darktap::compare {

struct Ask {
  Side side = Side::target;
  mysql::Command command;
  SessionValues settings{};  // that it is asked under, beside the session's own
};

// Each question of the reference, then of the target: what was heard to question i stands at 2 * i and 2 * i + 1.
inline std::vector<Ask> of_both_sides(const std::vector<mysql::Command>& questions) {
  std::vector<Ask> asks;
  for (const mysql::Command& question : questions)
    for (Side side : {Side::reference, Side::target}) asks.push_back({side, question});
  return asks;
}

struct Heard {
  Side side = Side::target;
  CaptureTime asked, answered;
  Reply reply;

  // What the side answered; nullptr where it didn't.
  const mysql::Answer* answer() const {
    const auto* answer = std::get_if<mysql::Answer>(&reply);
    return answer != nullptr && answer->state == mysql::Answer::State::complete ? answer : nullptr;
  }
  std::string why_not() const {
    std::string reason = std::holds_alternative<NoReply>(reply) ? std::get<NoReply>(reply).reason : std::get<mysql::Answer>(reply).why_unobserved;
    return "the " + std::string(to_string(side)) + " did not answer: " + reason;
  }
};

class Interview {
 public:
  struct Wanted {
    Ask ask;
    CaptureTime not_before;
    enum class State : std::uint8_t { waiting, put, heard } state = State::waiting;
    Heard heard;
  };

  // co_await it: all the answers, in the order of the questions. None is put before its time.
  auto ask(std::vector<Ask> asks, CaptureTime not_before) {
    wanted_.clear();
    for (Ask& one : asks) wanted_.push_back({std::move(one), not_before, Wanted::State::waiting, {}});
    struct Awaiter {
      Interview* interview;
      bool await_ready() const { return interview->wanted_.empty(); }
      void await_suspend(std::coroutine_handle<> awaiter) { interview->awaiter_ = awaiter; }
      std::vector<Heard> await_resume() {
        std::vector<Heard> heard;
        for (Wanted& one : interview->wanted_) heard.push_back(std::move(one.heard));
        interview->wanted_.clear();
        return heard;
      }
    };
    return Awaiter{this};
  }

  std::vector<Wanted>& wanted() { return wanted_; }
  bool all_heard() const {
    for (const Wanted& one : wanted_)
      if (one.state != Wanted::State::heard) return false;
    return true;
  }
  // Goes on with the investigation, once all is heard.
  void resume() { std::exchange(awaiter_, nullptr).resume(); }

 private:
  std::vector<Wanted> wanted_;
  std::coroutine_handle<> awaiter_;
};

}  // namespace darktap::compare
