// Compares outcome pairs and finds out why they differ. Sans-io: it puts questions and is given answers; it knows no
// clock, thread or server. All times are capture time; the shell maps its own clock onto it (live: as it is; from a
// recording: shifted by when the replay began), so that write → read → re-read can be laid on one line.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compare/verdict.h"
#include "sql/catalogue.h"
#include "sql/meaning.h"

namespace darktap::compare {

// What the target answered to one exchange.
struct Outcome {
  mysql::Answer answer;
  CaptureTime sent, first_byte, last_byte;
};

using QuestionId = Named<struct QuestionIdTag, std::uint64_t>;

// User variables ("@x") and session variables, each with its value as SQL writes it.
using SessionValues = std::map<std::string, std::string>;

// A statement to be run on one side, on a connection that stands in the same schema and collation, read-only. Text
// commands are COM_QUERY; a prepared one carries its text and parameters (asked in the binary protocol).
struct Question {
  QuestionId id;
  Side side = Side::reference;
  std::string schema;
  std::uint16_t collation = 0;
  mysql::Command command;
  CaptureTime not_before;
  session::ExchangeId about{};  // the exchange in question
  SessionValues variables{};  // that the statement uses, and settings ("sql_mode") that it is asked under
};

// Why a question has no answer: the side is away, the budget is spent, it timed out.
struct NoReply {
  std::string reason;
};
using Reply = std::variant<mysql::Answer, NoReply>;

struct ComparerOptions {
  enum class Reference : std::uint8_t { none, available } reference = Reference::none;
  enum class TargetFollows : std::uint8_t { automatic, yes, no } target_follows = TargetFollows::automatic;
  // alike (--aa): the target is the reference, or its like. An order that nothing promised is then how a server differs from itself.
  enum class Sides : std::uint8_t { may_differ, alike } sides = Sides::may_differ;
  // In which order the writes that the run itself sends reach the target, seen from another session's read; none: it sends no writes.
  enum class OwnWrites : std::uint8_t { none, in_any_order, as_committed } own_writes = OwnWrites::in_any_order;
  // Of transactions that don't name theirs.
  enum class Isolation : std::uint8_t { repeatable_read, read_committed } isolation = Isolation::repeatable_read;
  std::chrono::milliseconds ladder_limit{5000};
  double questions_per_second = 50;                 // --requery-rate
  std::uint32_t questions_per_fingerprint_minute = 200;  // --requery-budget
  std::chrono::seconds patience{60};                // how long a case waits for its questions to fit the budget
  std::size_t open_cases = 10'000;                  // more than this many open cases: the next is `unexamined`
  std::chrono::seconds write_window{60};            // how long a seen write may explain a read
  std::vector<std::string> accepted_rules;          // --accept-rule
  // Whether the target may be asked which GTIDs it has applied. A vtgate answers for one shard, if at all.
  enum class Gtids : std::uint8_t { asked, not_asked } gtids = Gtids::asked;
};

// Was this exchange sent to the target, and did the target keep what it did?
// applied_anew: it stays, but with values that each server draws for itself (UUID(), RAND()); applied_about_then: with a time that
// is known only to within the statement's own way to the source and back.
enum class Replayed : std::uint8_t { not_sent, sent, rolled_back, applied, applied_anew, applied_about_then };
// The functions of a statement whose values no pin makes alike; empty where there is none.
std::vector<std::string> drawn_values(const sql::Meaning& meaning);

class JudgementSink {
 public:
  virtual ~JudgementSink() = default;
  virtual void on_judgement(Judgement& judgement) = 0;
};

class Comparer {
 public:
  Comparer(JudgementSink& sink, const ComparerOptions& options, sql::Catalogue catalogue = {});
  ~Comparer();

  // Where a session's client is (its address), before its exchanges: a write of the same host is told apart from others'.
  // unknown: the tap joined it in its middle, so that nobody saw what it had set.
  enum class Settings : std::uint8_t { known, unknown };
  void note_session(SessionId session, std::string client_host, Settings settings = Settings::known);

  // Every captured exchange passes here in capture order, sent or not: writes are what explains stale reads.
  void observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed);

  // One that was sent, and that the target did not come to the end of (connection lost, timeout, deadlock): what its transaction
  // wrote may be missing there.
  void lost(session::ExchangeId exchange);

  // An outcome pair. Equal ones are judged at once; others open a case that may put questions. Each call leads to exactly
  // one judgement, at the latest at finish().
  void compare(session::Exchange&& source, const sql::Meaning& meaning, Outcome&& target, CaptureTime now);

  // Instead of compare(), for a pair that is_match() has found equal (compare/match.h), answered by the target at that time: no
  // judgement follows.
  void matched(session::ExchangeId exchange, CaptureTime answered);

  // The next question that is due, or nothing. One that was handed out must be answered by on_reply.
  std::optional<Question> next_question(CaptureTime now);
  // When next_question should be asked again, if nothing else happens before.
  std::optional<CaptureTime> next_due() const;
  // When the budgets let a question of an open case go out, however long that is; nothing where one is under way, or no case is open.
  std::optional<CaptureTime> next_allowed(CaptureTime now);
  // sent: when it left, where that was later than when it was handed out.
  void on_reply(QuestionId question, Reply&& reply, CaptureTime now, std::optional<CaptureTime> sent = std::nullopt);

  // For what else is asked of the servers (calibration): true where the budget has room for so many questions, which are then spent.
  bool spend_questions(std::uint64_t fingerprint, unsigned count, CaptureTime now);
  // A statement that the reference itself was seen to answer differently: its cases sample the reference at every rung.
  void note_noisy(std::uint64_t fingerprint);

  std::size_t open_cases() const;
  // Closes what is open as `unexamined`.
  void finish(CaptureTime now, const std::string& reason);

  struct QuestionCount { std::uint64_t n = 0, time_us = 0; };
  QuestionCount questions(Side side) const;
  // What was found out about the target, for the report ("yes", "no", "unknown").
  std::string target_follows() const;
  void set_target_follows(ComparerOptions::TargetFollows follows);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::compare
