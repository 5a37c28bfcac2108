#include "workers.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>
#include <variant>

#include "compare/match.h"
#include "run/cursors.h"
#include "run/read_ahead.h"
#include "session/request_order.h"
#include "session/row_seal.h"

namespace darktap::run {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t results_at_once = 64;  // handed back together, at the latest

// A larger exchange's storage is given back to the machine.
constexpr std::size_t largest_spare = std::size_t{16} << 10;

struct Submitted {
  session::ExchangePtr exchange;
  std::size_t bytes = 0;
  replay::MeaningPtr meaning;
  CaptureTime intended;
  std::unique_ptr<replay::Sent> sent;  // none: as captured
};
struct Ended { SessionId session; };
struct GivenUp { std::string line; };
using Order = std::variant<Submitted, Ended, GivenUp>;

struct Matched {
  Match match;
  replay::MeaningPtr meaning;
};
struct Answered {
  session::Exchange exchange;
  replay::MeaningPtr meaning;
  replay::TargetAnswer target;
};
struct Unanswered {
  enum class Why : std::uint8_t { not_sent, failed, shed } why;
  session::Exchange exchange;
  replay::MeaningPtr meaning;
  std::string reason;
};
// Small, since nearly all are matches.
using Result = std::variant<Matched, std::unique_ptr<Answered>, std::unique_ptr<Unanswered>, GivenUp>;

// What is sealed is opened by the engine, which has the key.
std::optional<Match> match_of(const session::Exchange& exchange, const sql::Meaning& meaning, const replay::TargetAnswer& target) {
  if (session::is_sealed(exchange.answer) || opens_cursor(exchange) || !compare::is_match(exchange.answer, target.answer)) return std::nullopt;
  return Match{exchange.id, meaning.fingerprint, exchange.command.code, exchange.collation, exchange.response_last - exchange.request_last, exchange.request_first,
               target.intended, target.sent, target.first_byte, target.last_byte, target.time};
}

}  // namespace

std::size_t WorkersOptions::default_threads() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8); }

class Workers::Worker final : replay::ReplaySink {
 public:
  Worker(client::EventLoop& owner, const replay::ReplayerOptions& options, std::chrono::microseconds gathering)
      : owner_(owner), gathering_(gathering), replayer_(loop_, *this, options), thread_([this] { run(); }) {}
  ~Worker() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    loop_.wake();
    thread_.join();
  }

  // The owner's side.
  std::vector<Order> unsent;
  void hand_over() {
    if (unsent.empty()) return;
    bool was_empty;
    {
      std::lock_guard lock(mutex_);
      was_empty = orders_.empty();
      if (was_empty) {
        orders_.swap(unsent);
      } else {
        std::move(unsent.begin(), unsent.end(), std::back_inserter(orders_));
      }
    }
    unsent.clear();
    if (was_empty) loop_.wake();
  }
  // Adds to `freed` what the queues hold no more.
  void take_results(std::vector<Result>& into, std::vector<session::ExchangePtr>& spent, std::size_t& freed) {
    std::lock_guard lock(mutex_);
    into.swap(results_);
    spent.swap(spent_);
    freed += std::exchange(freed_bytes_, 0);
    counters = published_;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }
  replay::Replayer::Counters counters;  // as of the last take_results()

 private:
  void run() {
    try {
      while (take_orders()) {
        CaptureTime now = CaptureClock::now();
        while (!waiting_.empty() && carry_out(waiting_.front(), now)) waiting_.pop_front();
        loop_.run_once(patience());
        publish_if_due();
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    owner_.wake();
  }

  bool take_orders() {
    std::lock_guard lock(mutex_);
    for (Order& order : orders_) {
      if (std::holds_alternative<GivenUp>(order)) waiting_.push_front(std::move(order));  // not behind what isn't due yet
      else waiting_.push_back(std::move(order));
    }
    orders_.clear();
    return !stopping_;
  }

  // False while the order is not due yet.
  bool carry_out(Order& order, CaptureTime now) {
    if (auto* submitted = std::get_if<Submitted>(&order)) {
      if (submitted->intended > now && !replayer_.gave_up()) return false;
      replayer_.submit(std::move(submitted->exchange), submitted->bytes, std::move(submitted->meaning), submitted->intended, submitted->sent ? std::move(*submitted->sent) : replay::Sent());
    } else if (auto* ended = std::get_if<Ended>(&order)) {
      replayer_.end_session(ended->session);
    } else {
      replayer_.give_up(std::get<GivenUp>(order).line);
    }
    return true;
  }

  std::chrono::nanoseconds patience() const {
    std::chrono::nanoseconds wait = std::chrono::seconds(1);
    if (!waiting_.empty())
      if (const auto* next = std::get_if<Submitted>(&waiting_.front())) wait = std::clamp<std::chrono::nanoseconds>(next->intended - CaptureClock::now(), std::chrono::nanoseconds(0), wait);
    if (!gathered_.empty()) wait = std::min<std::chrono::nanoseconds>(wait, gathering_);
    return wait;
  }

  void publish_if_due() {
    if (gathered_.empty()) return;
    auto now = steady_clock::now();
    if (!urgent_ && gathered_.size() < results_at_once && now - published_at_ < gathering_) return;
    published_at_ = now;
    urgent_ = false;
    bool was_empty;
    {
      std::lock_guard lock(mutex_);
      was_empty = results_.empty();
      if (was_empty) {
        results_.swap(gathered_);
      } else {
        std::move(gathered_.begin(), gathered_.end(), std::back_inserter(results_));
      }
      std::move(gathered_spent_.begin(), gathered_spent_.end(), std::back_inserter(spent_));
      freed_bytes_ += std::exchange(gathered_bytes_, 0);
      published_ = replayer_.counters();
    }
    gathered_.clear();
    gathered_spent_.clear();
    if (was_empty) owner_.wake();
  }

  void on_outcome(session::Exchange&& exchange, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) override {
    if (auto match = match_of(exchange, *meaning, target)) {
      gathered_.emplace_back(Matched{*match, meaning});
      client::recycle(target.answer);
      return;
    }
    urgent_ = true;
    gathered_.emplace_back(std::make_unique<Answered>(Answered{std::move(exchange), meaning, std::move(target)}));
  }
  void on_not_sent(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override {
    unanswered(Unanswered::Why::not_sent, std::move(exchange), meaning, reason);
  }
  void on_failed(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override {
    unanswered(Unanswered::Why::failed, std::move(exchange), meaning, reason);
  }
  void on_shed(session::Exchange&& exchange, const replay::MeaningPtr& meaning) override {
    unanswered(Unanswered::Why::shed, std::move(exchange), meaning, "");
  }
  void on_gave_up(const std::string& line) override {
    urgent_ = true;
    gathered_.emplace_back(GivenUp{line});
  }
  void on_released(session::ExchangePtr&& spent, std::size_t bytes) override {
    gathered_bytes_ += bytes;
    if (bytes <= largest_spare) gathered_spent_.push_back(std::move(spent));
  }
  void unanswered(Unanswered::Why why, session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) {
    gathered_.emplace_back(std::make_unique<Unanswered>(Unanswered{why, std::move(exchange), meaning, reason}));
  }

  client::EventLoop& owner_;
  const std::chrono::microseconds gathering_;

  std::mutex mutex_;  // over what both sides touch
  std::vector<Order> orders_;
  std::vector<Result> results_;
  std::vector<session::ExchangePtr> spent_;
  std::size_t freed_bytes_ = 0;
  replay::Replayer::Counters published_;
  std::exception_ptr failure_;
  bool stopping_ = false;

  client::EventLoop loop_;
  std::deque<Order> waiting_;
  std::vector<Result> gathered_;
  std::vector<session::ExchangePtr> gathered_spent_;
  std::size_t gathered_bytes_ = 0;
  bool urgent_ = false;
  steady_clock::time_point published_at_;
  replay::Replayer replayer_;
  std::thread thread_;  // last: it uses all of the above
};

// All sessions on the run's own loop.
class Workers::Inline final : replay::ReplaySink {
 public:
  Inline(Workers& owner, client::EventLoop& loop, const replay::ReplayerOptions& options) : owner_(owner), replayer(loop, *this, options) {}

 private:
  Workers& owner_;
  void on_outcome(session::Exchange&& exchange, const replay::MeaningPtr& meaning, replay::TargetAnswer&& target) override {
    owner_.note_lateness(target.sent, target.intended);
    if (auto match = match_of(exchange, *meaning, target)) owner_.sink_.on_match(*match, meaning);
    else owner_.sink_.on_outcome(std::move(exchange), meaning, std::move(target));
  }
  void on_not_sent(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override { owner_.sink_.on_not_sent(std::move(exchange), meaning, reason); }
  void on_failed(session::Exchange&& exchange, const replay::MeaningPtr& meaning, const std::string& reason) override { owner_.sink_.on_failed(std::move(exchange), meaning, reason); }
  void on_shed(session::Exchange&& exchange, const replay::MeaningPtr& meaning) override { owner_.sink_.on_shed(std::move(exchange), meaning); }
  void on_gave_up(const std::string& line) override { owner_.sink_.on_gave_up(line); }

 public:
  replay::Replayer replayer;
};

Workers::Workers(client::EventLoop& loop, WorkersSink& sink, const WorkersOptions& options) : loop_(loop), sink_(sink), options_(options), wanted_bytes_(std::min(options.busy_bytes, options.queued_bytes)) {
  if (options.threads == WorkersOptions::no_threads) {
    replay::ReplayerOptions all = options.replay;
    all.queued_bytes = options.queued_bytes;
    inline_ = std::make_unique<Inline>(*this, loop, all);
    return;
  }
  std::size_t count = options.threads;
  if (options.replay.connections != 0) count = std::min(count, options.replay.connections);
  replay::ReplayerOptions each = options.replay;
  each.queued_bytes = static_cast<std::size_t>(-1) / 2;  // counted here, over all workers
  each.when_full = replay::ReplayerOptions::WhenFull::ask_to_wait;
  each.heartbeat = std::make_shared<replay::Heartbeat>();
  for (std::size_t i = 0; i < count; ++i) {
    each.connections = options.replay.connections / count + (i < options.replay.connections % count ? 1 : 0);
    workers_.push_back(std::make_unique<Worker>(loop, each, options.gathering));
  }
}

Workers::~Workers() = default;

Workers::Worker& Workers::worker_of(SessionId session) { return *workers_[session.value % workers_.size()]; }

void Workers::note_lateness(CaptureTime sent, CaptureTime intended) {
  auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_microseconds(sent - intended)));
  lateness_.record(microseconds);
  lateness_sum_us_ += microseconds;
}

std::chrono::milliseconds Workers::ahead() const { return inline_ ? std::chrono::milliseconds(0) : std::chrono::milliseconds(250); }
std::size_t Workers::outstanding() const { return inline_ ? inline_->replayer.outstanding() : outstanding_; }
bool Workers::gave_up() const { return inline_ ? inline_->replayer.gave_up() : gave_up_; }
void Workers::pass_over(session::ExchangeId id) {
  if (inline_) inline_->replayer.pass_over(id);
}

void Workers::submit(session::ExchangePtr exchange, replay::MeaningPtr meaning, CaptureTime intended, replay::Sent sent) {
  std::size_t bytes = session::memory_of(*exchange);
  if (inline_) return inline_->replayer.submit(std::move(exchange), bytes, std::move(meaning), intended, std::move(sent));
  SessionId session = exchange->id.session;
  if (options_.replay.when_full == replay::ReplayerOptions::WhenFull::shed_session) {
    auto place = std::lower_bound(shed_sessions_.begin(), shed_sessions_.end(), session);
    bool is_shed = place != shed_sessions_.end() && *place == session;
    if (!is_shed && queued_bytes_ + bytes > options_.queued_bytes) {
      shed_sessions_.insert(place, session);
      is_shed = true;
    }
    if (is_shed) {
      ++shed_;
      return sink_.on_shed(std::move(*exchange), meaning);
    }
  }
  queued_bytes_ += bytes;
  ++outstanding_;
  worker_of(session).unsent.push_back(Submitted{std::move(exchange), bytes, std::move(meaning), intended, sent.command || sent.schema ? std::make_unique<replay::Sent>(std::move(sent)) : nullptr});
}

void Workers::end_session(SessionId session) {
  if (inline_) return inline_->replayer.end_session(session);
  worker_of(session).unsent.push_back(Ended{session});
  auto place = std::lower_bound(shed_sessions_.begin(), shed_sessions_.end(), session);
  if (place != shed_sessions_.end() && *place == session) shed_sessions_.erase(place);
}

void Workers::flush() {
  for (auto& worker : workers_) worker->hand_over();
}

void Workers::drain() {
  std::vector<Result> results;
  std::vector<session::ExchangePtr> spent;
  for (auto& worker : workers_) {
    std::size_t freed = 0;
    worker->take_results(results, spent, freed);
    queued_bytes_ -= freed;
    if (!spent.empty()) sink_.on_spent(spent);
    spent.clear();
    for (std::size_t i = 0; i < results.size(); ++i) {
      Result& result = results[i];
      if (i + 2 < results.size())
        if (const auto* soon = std::get_if<Matched>(&results[i + 2])) __builtin_prefetch(&soon->meaning->fingerprint);
      if (auto* given_up = std::get_if<GivenUp>(&result)) {
        bool is_first = !gave_up_;
        give_up(given_up->line);
        if (is_first) sink_.on_gave_up(given_up->line);
        continue;
      }
      --outstanding_;
      if (auto* matched = std::get_if<Matched>(&result)) {
        note_lateness(matched->match.sent, matched->match.intended);
        sink_.on_match(matched->match, matched->meaning);
      } else if (auto* box = std::get_if<std::unique_ptr<Answered>>(&result)) {
        Answered* answered = box->get();
        note_lateness(answered->target.sent, answered->target.intended);
        sink_.on_outcome(std::move(answered->exchange), answered->meaning, std::move(answered->target));
      } else {
        Unanswered& unanswered = *std::get<std::unique_ptr<Unanswered>>(result);
        switch (unanswered.why) {
          case Unanswered::Why::not_sent: sink_.on_not_sent(std::move(unanswered.exchange), unanswered.meaning, unanswered.reason); break;
          case Unanswered::Why::failed: sink_.on_failed(std::move(unanswered.exchange), unanswered.meaning, unanswered.reason); break;
          case Unanswered::Why::shed: sink_.on_shed(std::move(unanswered.exchange), unanswered.meaning); break;
        }
      }
    }
    results.clear();
  }
  wanted_bytes_ = wanted_bytes();
}

bool Workers::has_room() const {
  // With an order, what waits may wait for what is still to come.
  if (inline_) return inline_->replayer.has_room() || (options_.replay.order != nullptr && inline_->replayer.is_starved());
  return queued_bytes_ < wanted_bytes_;
}

std::size_t Workers::wanted_bytes() const {
  std::size_t sessions = 0, idle = 0;
  for (const auto& worker : workers_) {
    sessions += worker->counters.lanes;
    idle += worker->counters.idle_lanes;
  }
  return ReadAhead{options_.busy_bytes, options_.queued_bytes}.wanted(sessions, idle);
}

void Workers::give_up(const std::string& line) {
  if (inline_) return inline_->replayer.give_up(line);
  if (gave_up_) return;
  gave_up_ = true;
  for (auto& worker : workers_) worker->unsent.push_back(GivenUp{line});
  flush();
}

replay::Replayer::Counters Workers::counters() const {
  if (inline_) return inline_->replayer.counters();
  replay::Replayer::Counters sum;
  for (const auto& worker : workers_) {
    const replay::Replayer::Counters& each = worker->counters;
    sum.sent += each.sent;
    sum.answered += each.answered;
    sum.failed += each.failed;
    sum.held += each.held;
    sum.connects += each.connects;
    sum.lost += each.lost;
    sum.full += each.full;
    sum.retried += each.retried;
    sum.refused_read_only += each.refused_read_only;
    sum.pins_refused += each.pins_refused;
    sum.open_connections += each.open_connections;
    sum.lanes += each.lanes;
    sum.idle_lanes += each.idle_lanes;
  }
  sum.shed = shed_;
  sum.queued_bytes = queued_bytes_;
  return sum;
}

}  // namespace darktap::run
