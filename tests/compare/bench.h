// A comparer between a captured source, a target and a reference, with a clock that is moved by hand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compare/comparer.h"
#include "mini_server.h"

namespace fake {

namespace compare = darktap::compare;
namespace session = darktap::session;
namespace sql = darktap::sql;
using namespace std::chrono_literals;

inline CaptureTime at(std::chrono::nanoseconds offset) { return CaptureTime(std::chrono::hours(24 * 365 * 50)) + offset; }

class Bench : public compare::JudgementSink {
 public:
  using Answerer = std::function<mysql::Answer(const std::string& sql, CaptureTime now)>;

  explicit Bench(compare::ComparerOptions options = with_reference(), sql::Catalogue catalogue = {})
      : comparer(*this, options, std::move(catalogue)) {}
  static compare::ComparerOptions with_reference() {
    compare::ComparerOptions options;
    options.reference = compare::ComparerOptions::Reference::available;
    return options;
  }

  Answerer target, reference;
  std::string schema = "shop";  // of the sessions
  sql::Dialect dialect;  // that reads are read in
  std::vector<compare::Judgement> judgements;
  std::vector<std::pair<compare::Side, std::string>> asked;
  std::vector<compare::SessionValues> asked_under;

  void on_judgement(compare::Judgement& judgement) override { judgements.push_back(judgement); }

  session::Exchange exchange(std::uint64_t session, const std::string& text, mysql::Answer answer, CaptureTime when) {
    session::Exchange result;
    result.id = {{session}, next_seq_[session]++};
    result.schema = schema;
    result.collation = 45;
    result.command.code = mysql::CommandCode::query;
    result.command.text = text;
    result.command.text_state = mysql::Command::Text::known;
    result.answer = std::move(answer);
    result.request_first = result.request_last = when;
    result.response_first = result.response_last = when + 1ms;
    return result;
  }
  // A statement that only the source saw.
  void seen(std::uint64_t session, const std::string& text, mysql::Answer answer, CaptureTime when,
            compare::Replayed replayed = compare::Replayed::not_sent) {
    session::Exchange one = exchange(session, text, std::move(answer), when);
    comparer.observe(one, sql::understand(text), replayed);
    run_until(when);
  }
  // A read, its captured answer, and what the target answers 2 ms later.
  void read(std::uint64_t session, const std::string& text, mysql::Answer source, mysql::Answer from_target, CaptureTime when) {
    run_until(when);
    session::Exchange one = exchange(session, text, std::move(source), when);
    sql::Meaning meaning = sql::understand(text, dialect);
    comparer.observe(one, meaning, compare::Replayed::sent);
    compare::Outcome outcome{std::move(from_target), when + 2ms, when + 3ms, when + 3ms};
    comparer.compare(std::move(one), meaning, std::move(outcome), when + 3ms);
  }
  // Puts every question whose time comes until then; answers take 1 ms.
  void run_until(CaptureTime end) {
    for (;;) {
      while (auto question = comparer.next_question(now_)) {
        asked.emplace_back(question->side, question->command.text);
        asked_under.push_back(question->variables);
        const Answerer& side = question->side == compare::Side::target ? target : reference;
        compare::Reply reply = side ? compare::Reply(side(question->command.text, now_)) : compare::Reply(compare::NoReply{"away"});
        comparer.on_reply(question->id, std::move(reply), now_ + 1ms);
      }
      auto due = comparer.next_due();
      if (!due || *due > end) break;
      now_ = std::max(now_ + 1ms, *due);
    }
    now_ = std::max(now_, end);
  }
  void run_out() {
    for (int i = 0; i < 1000 && comparer.open_cases() > 0; ++i) run_until(now_ + 1s);
  }
  // The only verdict of the only judgement, as "difference/cause/level"; "match" where there is none.
  std::string outcome(std::size_t judgement = 0) const {
    if (judgement >= judgements.size()) return "no judgement";
    std::string result;
    for (const compare::Verdict& verdict : judgements[judgement].verdicts) {
      if (!result.empty()) result += " ";
      result += std::string(to_string(verdict.difference)) + "/" + std::string(to_string(verdict.cause)) + "/" + std::string(to_string(verdict.level));
    }
    return result.empty() ? "match" : result;
  }
  std::string evidence(std::size_t judgement = 0) const { return judgements.at(judgement).verdicts.at(0).evidence; }

  compare::Comparer comparer;

 private:
  CaptureTime now_ = at(0ns);
  std::map<std::uint64_t, std::uint32_t> next_seq_;
};

}  // namespace fake
