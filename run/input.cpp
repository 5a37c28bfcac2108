#include "run/input.h"

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "run/tap_reader.h"
#include "session/recording.h"

namespace darktap::run {

namespace {

// Passes on the sessions of the named server ports.
class PortFilter final : public session::ExchangeSink {
 public:
  PortFilter(session::ExchangeSink& next, const capture::ServerPorts& ports) : next_(next), ports_(ports) {}
  std::uint64_t sessions() const { return sessions_; }

  void on_session(const session::SessionInfo& info) override {
    if (!ports_.contains(info.server.port)) {
      left_out_.insert(info.id);
      return;
    }
    ++sessions_;
    if (info.transport == session::SessionInfo::Transport::tls) unread_.emplace(info.id, to_string(info.client) + " to " + to_string(info.server));
    next_.on_session(info);
  }
  void on_exchange(session::Exchange& exchange) override {
    if (left_out_.contains(exchange.id.session)) return;
    if (!unread_.empty()) unread_.erase(exchange.id.session);
    next_.on_exchange(exchange);
  }
  // The TLS sessions of which the recording holds nothing.
  void add_opaque(session::TapCounters& counters) const {
    counters.opaque_sessions = unread_.size();
    for (const auto& [id, ends] : unread_)
      if (counters.opaque_notes.size() < session::TapCounters::most_notes)
        counters.opaque_notes.push_back("session " + std::to_string(id.value) + " (" + ends + "): TLS, and nothing of it was read when it was recorded");
  }
  void on_session_end(SessionId session, CaptureTime time) override {
    if (left_out_.erase(session) == 0) next_.on_session_end(session, time);
  }

 private:
  session::ExchangeSink& next_;
  const capture::ServerPorts& ports_;
  std::set<SessionId> left_out_;
  std::map<SessionId, std::string> unread_;
  std::uint64_t sessions_ = 0;
};

std::string nothing_found(const std::string& path, const InputOptions& options) {
  return path + ": no MySQL in it" + (options.ports.any() ? "" : " on the ports named") + "; name the server's port with --port";
}

}  // namespace

InputResult read_input(const std::string& path, const InputOptions& options, session::ExchangeSink& sink, const std::atomic<bool>& stop) {
  InputResult result;
  if (path != "-" && session::RecordingReader::is_recording(path)) {
    session::RecordingReader reader(path);
    result.recording = reader.options();
    PortFilter filter(sink, options.ports);
    result.counters = reader.read(filter, options.selection, [&] { return stop.load(std::memory_order_relaxed); });
    filter.add_opaque(result.counters);
    result.round_trips = reader.round_trips();
    result.files = reader.files();
    if (stop) return result;
    if (std::string problem = reader.problem(); !problem.empty()) {
      result.note = problem;
    } else if (result.counters.end == session::TapCounters::End::truncated) {
      result.note = path + ": the capture that it was recorded from ends early";
    } else if (options.selection.is_all() && filter.sessions() == 0 && result.counters.tls_sessions == 0) {
      result.note = nothing_found(path, options);
    }
    return result;
  }
  InputOptions with_secrets = options;
  if (!with_secrets.secrets) with_secrets.secrets = std::make_shared<TlsSecrets>();
  capture::FileTapOptions reading;
  reading.filter = options.filter;
  reading.on_secrets = [&](std::string_view text) { with_secrets.secrets->add(text); };
  capture::FileTap tap(path, std::move(reading));
  TapReader reader(tap, with_secrets, sink);
  result.counters = reader.read(stop, {});
  result.round_trips = reader.round_trips();
  result.files = {path};
  if (tap.truncated()) {
    result.counters.end = session::TapCounters::End::truncated;
    result.note = *tap.truncated();
  } else if (result.counters.sessions == 0) {
    result.note = nothing_found(path, options);
  }
  return result;
}

}  // namespace darktap::run
