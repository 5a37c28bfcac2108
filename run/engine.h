// The loop's half of a run: takes exchanges when they are due, sends them, lays the outcomes side by side, puts the comparer's
// questions, and writes what comes of it. Single-threaded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/histogram.h"
#include "client/asker.h"
#include "compare/comparer.h"
#include "run/breaker.h"
#include "run/inbox.h"
#include "run/own_connections.h"
#include "run/positions.h"
#include "run/sent_journal.h"
#include "calibration.h"
#include "run/cursors.h"
#include "explain_watch.h"
#include "latency_watch.h"
#include "look_ahead.h"
#include "preparation.h"
#include "round_trips_seen.h"
#include "replay/schedule.h"
#include "run/run.h"
#include "session/row_seal.h"
#include "session/understanding.h"
#include "store/store.h"
#include "run/session_variables.h"
#include "target_vitals.h"
#include "workers.h"

namespace darktap::run {

// How long each part of a run's end may take.
namespace patience {
inline constexpr std::chrono::seconds mute_target{40};     // no answer for so long after the recording's own end: given up
inline constexpr std::chrono::seconds stopped_replay{3};   // commands in flight when the user stops the run
inline constexpr std::chrono::seconds open_cases{6};       // of a run that was stopped: ladders, once nothing else is left to send
inline constexpr std::chrono::seconds silent_questions{15};  // of any other: no server has answered a question for so long
inline constexpr std::chrono::milliseconds flush{1000};
inline constexpr std::chrono::seconds progress{1};
inline constexpr std::chrono::minutes between_latency_verdicts{5};
inline constexpr std::chrono::seconds calibration{30};  // what --calibrate has not asked yet when a recording is over
inline constexpr std::chrono::seconds plans{5}, plans_of_stopped{1};  // EXPLAINs at the run's end
}  // namespace patience

// What a resumed run has behind it.
struct Resumed {
  store::Ledger ledger;  // without `pending`
  Positions positions;
  std::unordered_map<SessionId, std::uint32_t> exchanges;  // of each session of the recording
  std::set<session::ExchangeId> unsure{};  // sent before the process was killed, and not known to have been answered
};

struct EngineInput {
  Inbox& inbox;
  std::optional<replay::Schedule> schedule;  // none: live, everything is due when it comes
  std::uint64_t total = 0;                   // exchanges to come; 0 where that isn't known
  std::size_t sessions = 0;                  // the same of sessions
  std::optional<Resumed> resumed;
  double recorded_per_second = 0;            // exchanges; 0 where that isn't known
  std::vector<std::string> files;            // names for Provenance::file
  const replay::SourceClock* clock = nullptr;  // where the recording was read for it
  CaptureClock::duration shift{};            // what is added to the machine's clock to get the recording's
  const RoundTripsSeen* round_trips = nullptr;  // what the tap measured; outlives the engine
  std::optional<session::RowSeal> seal{};    // of a recording whose rows are sealed
  SentJournal* journal = nullptr;            // where the target keeps what is written
};

class Engine final : WorkersSink, compare::JudgementSink {
 public:
  Engine(client::EventLoop& loop, const RunOptions& options, Prepared prepared, EngineInput input, store::RunWriter& writer, store::RunInfo& info);

  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Until the input is drained and every exchange has its bin, or `stop` ended it early.
  RunResult::End run(const std::atomic<bool>& stop, const OnProgress& progress);

  const std::string& gave_up() const { return gave_up_; }
  std::uint64_t taken() const { return taken_; }  // exchanges so far
  const std::string& limit_broken() const { return limit_broken_; }

 private:
  void on_match(const Match& match, const replay::MeaningPtr& meaning) override;
  void on_outcome(session::Exchange&& exchange, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) override;
  void on_not_sent(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override;
  void on_failed(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override;
  void on_shed(session::Exchange&& exchange, const replay::MeaningPtr& meaning) override;
  void on_gave_up(const std::string& line) override;
  void on_spent(std::vector<session::ExchangePtr>& spent) override { input_.inbox.give_back(spent); }
  void on_judgement(compare::Judgement& judgement) override;
  void tell_rewritten(compare::Judgement& judgement);

  void take_due();
  void note_own_connections();
  void take(session::SessionInfo&& info);
  void take(session::ExchangePtr box, CaptureTime due);
  bool is_done_already(const session::Exchange& exchange) const { return input_.resumed && input_.resumed->positions.contains(exchange.id); }
  // A resumed run begins anew in the middle of a transaction: the rest of that one can't be replayed.
  // Cursors (engine_cursors.cpp). True where the exchange was a fetch that is judged with its execute.
  bool follow_cursor(const session::Exchange& exchange);
  void judge(Cursors::Judged&& judged);
  void judge_cursors();
  void note_variables_left(const replay::Decision& decision, const sql::Meaning& meaning);
  void tell_of_variables() const;
  void restore_settings(session::SessionInfo& session, const session::Exchange& first, CaptureTime due);
  static void stand_where_captured(const session::SessionInfo& session, const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent);
  bool lost_transaction(const session::Exchange& exchange, const sql::Meaning& meaning);
  compare::Replayed replayed(session::ExchangeId id, const replay::Decision& decision, const sql::Meaning& meaning) const;
  void tell_of_writes() const;
  void tell_writer();
  void bin(store::Bin bin, const std::string& reason, const session::Exchange& exchange, const sql::Meaning& meaning, store::Execution execution);
  void count_execution(const sql::Meaning& meaning, std::uint16_t collation, store::Execution execution);
  void record_latencies(const sql::Meaning& meaning, mysql::CommandCode code, CaptureTime request, std::chrono::nanoseconds source, std::chrono::nanoseconds target);
  // Under the target's names; fills `left` where it can't be sent under them.
  replay::Sent under_its_names(const session::Exchange& exchange, const sql::Meaning& meaning, const sql::Dialect& dialect, const replay::Decision& decision, std::string& left) const;
  void write_ids_in(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent);
  void write_time_in(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Sent& sent);
  const std::string& server_of(SessionId session) const;
  // Why the selection or the ramp leaves an exchange out; nullptr where it is replayed.
  const char* left_out(const session::Exchange& exchange, const sql::Meaning& meaning, replay::Decision::Action action, CaptureTime due) const;
  void look_at_target();
  void ask_what_is_due();
  // Pairs whose source rows are sealed (sealed_source.cpp).
  struct SealedPair {
    session::Exchange exchange;
    replay::MeaningPtr meaning;
    compare::Outcome outcome;
  };
  void compare(SealedPair&& pair);
  void leave_unexamined(const SealedPair& pair, const std::string& reason);
  bool is_done(const std::atomic<bool>& stop);
  void flush();
  void judge_latency();
  void explain_findings();
  Progress make_progress();
  CaptureTime tap_now() const { return CaptureClock::now() + input_.shift; }
  RoundTrips captured_round_trips() const { return input_.round_trips != nullptr ? input_.round_trips->found() : RoundTrips(); }
  std::string file_of(const Provenance& provenance) const;
  std::chrono::nanoseconds until_due();

  client::EventLoop& loop_;
  const RunOptions& options_;
  Prepared prepared_;
  EngineInput input_;
  store::RunWriter& writer_;
  store::RunInfo& info_;

  session::Understanding understanding_;
  std::unordered_map<SessionId, session::SessionInfo> sessions_;
  std::set<SessionId> our_sessions_;
  SessionVariables variables_;
  std::unordered_map<SessionId, std::string> servers_;  // by their captured address, where names are mapped
  OwnConnections own_connections_;
  replay::WritePolicy policy_;
  compare::Comparer comparer_;
  client::Asker target_asker_;
  std::optional<client::Asker> reference_asker_;
  std::unique_ptr<replay::OrderByCommit> order_;  // none: each session for itself
  Workers replayer_;
  Cursors cursors_;
  LatencyWatch latency_;
  ExplainWatch explain_;
  Calibration calibration_;
  LookAhead look_ahead_;

  Positions positions_;
  std::unordered_set<SessionId> open_when_stopped_;  // sessions of a resumed run whose last exchange that is done left a transaction open
  std::uint64_t joined_ = 0;                             // sessions whose beginning was not seen
  std::map<std::string, std::uint64_t> variables_left_;  // settings that were not replayed, by variable
  std::map<session::ExchangeId, std::string> sent_texts_;  // what was sent in place of the captured text, until it is judged
  std::set<session::ExchangeId> again_;  // session state of a resumed run, sent once more and not counted
  std::unordered_set<std::uint64_t> told_;  // fingerprints whose text the writer has
  store::Ledger binned_;
  std::size_t sealed_asked_ = 0;  // pairs that wait for the reference's rows
  std::chrono::steady_clock::time_point sealed_last_asked_;
  std::uint64_t taken_ = 0, mismatches_ = 0, errors_ = 0, last_sent_ = 0, recorded_shed_ = 0;
  std::map<std::pair<compare::Difference, compare::Cause>, std::uint64_t> mismatches_by_;
  CaptureTime began_;
  Breaker breaker_;
  TargetVitals vitals_;
  Histogram second_latency_;  // of the target, since the breaker's last look
  std::uint64_t looked_commands_ = 0, looked_errors_ = 0;
  std::chrono::steady_clock::time_point eased_until_;
  std::string gave_up_, limit_broken_;
  std::chrono::steady_clock::time_point started_, last_answer_, last_progress_, last_judged_, input_ended_, replay_ended_, stopped_, last_reply_;
  enum class Begun : std::uint8_t { no, yes } begun_ = Begun::no;
  enum class Phase : std::uint8_t { running, input_over, replay_over, done } phase_ = Phase::running;
};

}  // namespace darktap::run
