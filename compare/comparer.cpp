// Holds the open cases, puts their questions within the budget and hands each conclusion to the sink.
#include "compare/comparer.h"

#include <algorithm>
#include <map>
#include <set>

#include "budget.h"
#include "case_plan.h"
#include "compare/match.h"
#include "evidence.h"
#include "found_rows.h"
#include "investigation.h"
#include "select_limits.h"
#include "session/render.h"
#include "session_strip.h"
#include "settled.h"
#include "side_verdicts.h"
#include "unknown_settings.h"

namespace darktap::compare {

namespace {

// Ladders that climb at once; the others wait, since a ladder's rungs are worth little when they come late.
constexpr double questions_a_ladder_second = 6;
// Where a fingerprint's budget runs low, its further ladders start this late.
constexpr std::chrono::seconds late_start{2};
constexpr std::size_t shown_rows = 20;           // of each side's answer in a judgement
constexpr std::size_t scanned_backlog = 100;
constexpr std::chrono::milliseconds backlog_pause{20};

struct OpenCase {
  CaseFile file;
  std::string key;
  Interview interview;
  std::optional<Task<Conclusion>> story;
  bool climbing = false;  // its questions are being put
};

// An answer with the same rows has no plan yet, and needs one only where its columns differ.
std::optional<Verdict> columns_apart(const CaseFile& file, const sql::Catalogue& catalogue, const std::vector<std::string>& accepted, std::vector<std::string>* used) {
  if (!column_verdict(file.exchange.answer, file.target.answer)) return std::nullopt;
  Plan plan = plan_of(file, catalogue);
  return column_verdict(file.exchange.answer, file.target.answer, &plan, accepted, used);
}

// Between servers that are alike, an order that nothing promised tells of no difference between them: it is noise, and its proof
// stays in the evidence.
void take_order_for_noise(Verdict& verdict) {
  if (verdict.cause != Cause::order_undefined) return;
  verdict.cause = Cause::nondeterministic;
  Evidence evidence;
  evidence.json().member("noise", "order_undefined").member("reason", "a server differs from its like in an order that nothing promised (--aa)");
  put_in_front(verdict.evidence, std::move(evidence));
}

}  // namespace

struct Comparer::State {
  State(JudgementSink& sink_, const ComparerOptions& options_, sql::Catalogue&& catalogue_)
      : sink(sink_), options(options_), catalogue(std::move(catalogue_)), writes(catalogue, options),
        budget(options.questions_per_second, options.questions_per_fingerprint_minute), following(options.target_follows),
        max_climbing(std::max<std::size_t>(1, static_cast<std::size_t>(options.questions_per_second / questions_a_ladder_second))) {}

  using CaseId = std::uint64_t;
  struct Due {
    CaptureTime time;
    CaseId id;
    std::size_t question;
    auto operator<=>(const Due&) const = default;
  };
  struct Put {
    CaseId id;
    std::size_t question;
    Side side;
    CaptureTime asked;
  };

  JudgementSink& sink;
  ComparerOptions options;
  sql::Catalogue catalogue;
  WriteIndex writes;
  SeenVersions versions;
  SessionStrips strips;
  UserVariables variables;
  JoinedSessions joined;
  SelectLimits limits;
  QuestionBudget budget;
  SettledCases settled;
  std::set<std::uint64_t> noisy;     // fingerprints; bounded by how many are calibrated
  Following following;
  Follows seen_to_follow = Follows::unknown;  // when the backlog was begun
  std::size_t max_climbing, climbing = 0;
  std::map<CaseId, std::unique_ptr<OpenCase>> cases;
  std::set<CaseId> backlog;          // not climbing yet, oldest first
  std::set<std::string> climbing_keys;
  std::set<Due> due;                 // questions of climbing cases that are not put yet
  std::map<QuestionId, Put> put;
  CaptureTime looked{};              // when the backlog was last gone through
  bool fresh = false;                // and whether a case came since
  CaseId next_case = 1;
  std::uint64_t next_question = 1;
  QuestionCount counts[3];

  void judge(const CaseFile& file, Conclusion&& conclusion);
  void open(std::unique_ptr<OpenCase> unopened, CaptureTime now);
  void conclude(CaseId id, Conclusion&& conclusion);
  void admit(CaptureTime now);
  void begin_backlog_anew();
  void begin(OpenCase& unasked) {
    unasked.story.emplace(investigate(unasked.file, unasked.interview, World{writes, versions, catalogue, options, following, noisy}));
    unasked.story->start();
  }
  void schedule(CaseId id);
  void answer(CaseId id, std::size_t question, Reply&& reply, CaptureTime asked, CaptureTime now);
  void fail_waiting(CaseId id, const std::string& reason, CaptureTime now);
  void give_up_late(CaptureTime now);
  std::size_t index(Side side) const { return static_cast<std::size_t>(side); }
};

void Comparer::State::judge(const CaseFile& file, Conclusion&& conclusion) {
  const session::Exchange& exchange = file.exchange;
  const mysql::Answer& target = file.target.answer;
  Judgement judgement;
  judgement.exchange = exchange.id;
  judgement.provenance = exchange.provenance;
  judgement.time = file.captured ? file.captured->request : exchange.request_first;
  judgement.fingerprint = file.captured ? file.captured->fingerprint : file.meaning.fingerprint;
  judgement.normalized = file.captured ? file.captured->normalized : file.meaning.normalized;
  bool same_content = !conclusion.verdict || conclusion.verdict->cause == Cause::order_undefined;
  if (conclusion.verdict && options.sides == ComparerOptions::Sides::alike) take_order_for_noise(*conclusion.verdict);
  if (conclusion.verdict && file.captured) {
    Evidence evidence;
    evidence.json().member("asked_instead", session::to_utf8(exchange.command.text, exchange.collation).text);
    put_in_front(conclusion.verdict->evidence, std::move(evidence));
  }
  if (conclusion.verdict) judgement.verdicts.push_back(std::move(*conclusion.verdict));
  else judgement.rules.assign(conclusion.rules.begin(), conclusion.rules.end());
  if (auto columns = columns_apart(file, catalogue, options.accepted_rules, &judgement.rules)) {
    excuse_columns(*columns, file, conclusion);
    judgement.verdicts.push_back(std::move(*columns));
  }
  if (same_content)
    if (auto warnings = warning_verdict(exchange.answer, target, rows_evaluated(file))) judgement.verdicts.push_back(std::move(*warnings));
  if (!judgement.verdicts.empty()) {
    judgement.before = file.before;
    const mysql::Command& command = file.captured ? file.captured->command : exchange.command;
    judgement.sql = session::to_utf8(command.text, exchange.collation).text;
    JsonWriter json;
    session::write_parameters(json, command, exchange.collation);
    judgement.parameters = json.take();
    session::write_answer(json, exchange.answer, exchange.collation, shown_rows);
    judgement.source_answer = json.take();
    session::write_answer(json, target, exchange.collation, shown_rows);
    judgement.target_answer = json.take();
  }
  sink.on_judgement(judgement);
}

void Comparer::State::open(std::unique_ptr<OpenCase> unopened, CaptureTime now) {
  OpenCase& opened = *unopened;
  begin(opened);
  if (opened.story->done()) {
    judge(opened.file, opened.story->result());
    return;
  }
  CaseId id = next_case++;
  opened.key = SettledCases::key_of(opened.file);
  bool full = cases.size() >= options.open_cases;
  cases.emplace(id, std::move(unopened));
  backlog.insert(id);
  fresh = true;
  if (full) fail_waiting(id, "more than " + std::to_string(options.open_cases) + " cases were open", now);
}

void Comparer::State::conclude(CaseId id, Conclusion&& conclusion) {
  auto entry = cases.find(id);
  OpenCase& done = *entry->second;
  if (done.climbing) {
    settled.remember(done.key, done.file, conclusion);  // what was asked, not what was taken from an earlier case
    --climbing;
    climbing_keys.erase(done.key);
  }
  backlog.erase(id);
  judge(done.file, std::move(conclusion));
  cases.erase(entry);
}

void Comparer::State::schedule(CaseId id) {
  const auto& wanted = cases.at(id)->interview.wanted();
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i].state == Interview::Wanted::State::waiting) due.insert({wanted[i].not_before, id, i});
}

// What has been found out about the target since may settle cases that have asked nothing yet.
void Comparer::State::begin_backlog_anew() {
  if (seen_to_follow == following.follows()) return;
  seen_to_follow = following.follows();
  const std::vector<CaseId> waiting(backlog.begin(), backlog.end());
  for (CaseId id : waiting) {
    OpenCase& anew = *cases.at(id);
    anew.story.reset();
    anew.interview = {};
    begin(anew);
    if (anew.story->done()) conclude(id, anew.story->result());
  }
}

// Lets waiting cases climb, as many as the rate can feed.
void Comparer::State::admit(CaptureTime now) {
  looked = now;
  fresh = false;
  std::size_t scanned = 0;
  for (auto next = backlog.begin(); next != backlog.end() && climbing < max_climbing && scanned < scanned_backlog; ++scanned) {
    CaseId id = *next;
    OpenCase& waiting = *cases.at(id);
    ++next;
    if (climbing_keys.contains(waiting.key)) continue;  // the same pair is being examined: its conclusion may do for both
    if (auto known = settled.find(waiting.key, waiting.file, writes)) {
      conclude(id, std::move(*known));
      continue;
    }
    if (budget.next_slot(waiting.file.meaning.fingerprint, now) > std::max(now, budget.next_slot(now))) continue;
    // A ladder that starts late needs few rungs: a target that was behind agrees at the first one. Its bounds are wider.
    if (budget.is_scarce(waiting.file.meaning.fingerprint) && now < waiting.file.opened + late_start) continue;
    waiting.climbing = true;
    ++climbing;
    climbing_keys.insert(waiting.key);
    backlog.erase(id);
    schedule(id);
  }
}

void Comparer::State::answer(CaseId id, std::size_t question, Reply&& reply, CaptureTime asked, CaptureTime now) {
  auto entry = cases.find(id);
  if (entry == cases.end()) return;
  OpenCase& open_case = *entry->second;
  Interview::Wanted& wanted = open_case.interview.wanted()[question];
  wanted.state = Interview::Wanted::State::heard;
  wanted.heard = {wanted.ask.side, asked, now, std::move(reply)};
  if (!open_case.interview.all_heard()) return;
  open_case.interview.resume();
  if (open_case.story->done()) conclude(id, open_case.story->result());
  else if (open_case.climbing) schedule(id);
}

// Questions that are never going to be put are answered by the reason, until the story has come to its end.
void Comparer::State::fail_waiting(CaseId id, const std::string& reason, CaptureTime now) {
  while (cases.contains(id)) {
    const auto& wanted = cases.at(id)->interview.wanted();
    std::vector<std::size_t> waiting;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].state != Interview::Wanted::State::waiting) continue;
      waiting.push_back(i);
      due.erase({wanted[i].not_before, id, i});
    }
    if (waiting.empty()) return;  // the rest is under way
    for (std::size_t i : waiting) answer(id, i, NoReply{reason}, now, now);
  }
}

void Comparer::State::give_up_late(CaptureTime now) {
  while (!backlog.empty()) {
    CaseId oldest = *backlog.begin();
    if (cases.at(oldest)->file.opened + options.patience > now) return;
    fail_waiting(oldest, "the budget of questions was spent", now);
  }
}

Comparer::Comparer(JudgementSink& sink, const ComparerOptions& options, sql::Catalogue catalogue)
    : state_(std::make_unique<State>(sink, options, std::move(catalogue))) {}
Comparer::~Comparer() = default;

void Comparer::note_session(SessionId session, std::string client_host, Settings settings) {
  state_->writes.note_host(session, std::move(client_host));
  if (settings == Settings::unknown) state_->joined.joined(session);
}

void Comparer::observe(const session::Exchange& exchange, const sql::Meaning& meaning, Replayed replayed) {
  state_->writes.observe(exchange, meaning, replayed);
  if (meaning.statement_class == sql::StatementClass::read && state_->writes.has_changed(meaning, exchange.schema)) state_->versions.observe(exchange);
  state_->strips.observe(exchange, meaning);
  state_->variables.observe(exchange, meaning, replayed);
  state_->joined.observe(exchange, meaning);
  state_->limits.observe(exchange, meaning);
}

void Comparer::lost(session::ExchangeId exchange) { state_->writes.lost(exchange); }

void Comparer::compare(session::Exchange&& source, const sql::Meaning& meaning, Outcome&& target, CaptureTime now) {
  // Most pairs are equal: they cost no case.
  if (is_match(source.answer, target.answer)) {
    matched(source.id, target.last_byte);
    Judgement match;
    match.exchange = source.id;
    match.provenance = source.provenance;
    match.time = source.request_first;
    match.fingerprint = meaning.fingerprint;
    state_->sink.on_judgement(match);
    return;
  }
  state_->writes.answered(source.id, target.last_byte);
  auto fresh = std::make_unique<OpenCase>();
  CaseFile& file = fresh->file;
  file.exchange = std::move(source);
  file.meaning = meaning;
  file.target = std::move(target);
  file.opened = now;
  file.history = state_->writes.take_history(file.exchange.id);
  if (!meaning.user_variables.empty()) file.variables = state_->variables.take(file.exchange.id);
  if (state_->joined.mode_is_unknown(file.exchange.id)) file.settings = CaseFile::Settings::unknown;
  file.select_limit = state_->limits.of(file.exchange.id);
  file.before = state_->strips.before(file.exchange.id);
  file.older = state_->versions.older(file.exchange, file.target.answer);  // later reads push old versions out
  bool observed = file.exchange.is_observed() && file.target.answer.state == mysql::Answer::State::complete;
  if (!observed) {
    Evidence evidence;
    evidence.json().member("unexamined_because", "an answer was not observed");
    state_->judge(file, {Verdict{Difference::row_values, Cause::unexamined, Level::assumed, object_of(evidence.take_members())}, {}});
    return;
  }
  if (identical(file.exchange.answer, file.target.answer)) {
    state_->judge(file, {});
    return;
  }
  file.plan = plan_of(file, state_->catalogue);
  // When the count was made at the target, a run's own writes beside it, isn't known.
  if (state_->options.own_writes == ComparerOptions::OwnWrites::none && ask_as_count(file)) file.plan = plan_of(file, state_->catalogue);
  file.scope = state_->writes.scope_of(file.exchange, file.meaning, file.plan);
  state_->open(std::move(fresh), now);
}

void Comparer::matched(session::ExchangeId exchange, CaptureTime answered) {
  state_->writes.answered(exchange, answered);
  state_->writes.take_history(exchange);
  state_->strips.passed(exchange);
}

std::optional<Question> Comparer::next_question(CaptureTime now) {
  State& s = *state_;
  s.begin_backlog_anew();
  s.give_up_late(now);
  s.admit(now);
  if (s.budget.next_slot(now) > now) return std::nullopt;
  while (!s.due.empty() && s.due.begin()->time <= now) {
    State::Due next = *s.due.begin();
    s.due.erase(s.due.begin());
    OpenCase& asking = *s.cases.at(next.id);
    std::uint64_t fingerprint = asking.file.meaning.fingerprint;
    Interview::Wanted& wanted = asking.interview.wanted()[next.question];
    CaptureTime slot = s.budget.next_slot(fingerprint, now);
    if (slot > now) {
      if (slot > asking.file.opened + s.options.patience) {
        s.fail_waiting(next.id, "the budget of questions was spent", now);
      } else {
        wanted.not_before = slot;
        s.due.insert({slot, next.id, next.question});
      }
      continue;
    }
    s.budget.spend(fingerprint, now);
    wanted.state = Interview::Wanted::State::put;
    QuestionId id{s.next_question++};
    s.put.emplace(id, State::Put{next.id, next.question, wanted.ask.side, now});
    SessionValues variables = asking.file.variables.known;
    variables.insert(wanted.ask.settings.begin(), wanted.ask.settings.end());
    return Question{id, wanted.ask.side, asking.file.exchange.schema, asking.file.exchange.collation, wanted.ask.command, wanted.not_before, asking.file.exchange.id, std::move(variables)};
  }
  return std::nullopt;
}

std::optional<CaptureTime> Comparer::next_due() const {
  const State& s = *state_;
  std::optional<CaptureTime> next;
  auto earlier = [&](CaptureTime time) { next = next ? std::min(*next, time) : time; };
  if (!s.due.empty()) earlier(std::max(s.due.begin()->time, s.budget.next_slot(s.due.begin()->time)));
  // A case that waits for the budget, or for its twin's conclusion, is looked at again shortly after.
  if (!s.backlog.empty()) earlier(s.fresh ? s.looked : s.looked + backlog_pause);
  return next;
}

std::optional<CaptureTime> Comparer::next_allowed(CaptureTime now) {
  State& s = *state_;
  std::optional<CaptureTime> next;
  if (!s.put.empty()) return next;
  for (const auto& [id, open] : s.cases) {
    CaptureTime slot = s.budget.next_slot(open->file.meaning.fingerprint, now);
    next = next ? std::min(*next, slot) : slot;
  }
  return next;
}

void Comparer::on_reply(QuestionId question, Reply&& reply, CaptureTime now, std::optional<CaptureTime> sent) {
  auto entry = state_->put.find(question);
  if (entry == state_->put.end()) return;
  State::Put asked = entry->second;
  state_->put.erase(entry);
  if (sent) asked.asked = std::clamp(*sent, asked.asked, std::max(asked.asked, now));
  QuestionCount& count = state_->counts[state_->index(asked.side)];
  ++count.n;
  count.time_us += static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(now - asked.asked)));
  state_->answer(asked.id, asked.question, std::move(reply), asked.asked, now);
}

bool Comparer::spend_questions(std::uint64_t fingerprint, unsigned count, CaptureTime now) {
  if (state_->budget.next_slot(fingerprint, now) > now || state_->budget.next_slot(now) > now) return false;
  for (unsigned i = 0; i < count; ++i) state_->budget.spend(fingerprint, now);
  return true;
}

void Comparer::note_noisy(std::uint64_t fingerprint) { state_->noisy.insert(fingerprint); }

std::size_t Comparer::open_cases() const { return state_->cases.size(); }

void Comparer::finish(CaptureTime now, const std::string& reason) {
  State& s = *state_;
  while (!s.put.empty()) {
    State::Put asked = s.put.begin()->second;
    s.put.erase(s.put.begin());
    s.answer(asked.id, asked.question, NoReply{reason}, asked.asked, now);
  }
  s.begin_backlog_anew();
  while (!s.cases.empty()) s.fail_waiting(s.cases.begin()->first, reason, now);
}

Comparer::QuestionCount Comparer::questions(Side side) const { return state_->counts[state_->index(side)]; }

std::string Comparer::target_follows() const {
  switch (state_->following.follows()) {
    case Follows::unknown: return "unknown";
    case Follows::yes: return "yes";
    case Follows::no: return "no";
  }
  return "unknown";
}

void Comparer::set_target_follows(ComparerOptions::TargetFollows follows) { state_->following.tell(follows); }

}  // namespace darktap::compare
