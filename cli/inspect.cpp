// darktap inspect: look into a recording or a capture.
#include <array>
#include <csignal>
#include <iostream>
#include <map>
#include <optional>

#include "base/expected.h"
#include "base/json.h"
#include "command.h"
#include "inspect_line.h"
#include "run/input.h"
#include "session/recording.h"
#include "session/request_order.h"
#include "session/understanding.h"
#include "store/model.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string file, format = "text", keylog, fingerprint, from, to;
  std::vector<std::uint16_t> ports;
  std::uint64_t session = 0;
};

session::Selection selection_of(const Options& options) {
  session::Selection selection;
  if (options.session != 0) selection.session = SessionId{options.session};
  auto time = [](const char* option, const std::string& text) -> std::optional<CaptureTime> {
    if (text.empty()) return std::nullopt;
    auto parsed = parse_rfc3339(text);
    if (!parsed) throw Failure(FailureKind::usage, std::string("inspect: ") + option + " " + text + ": is no time; write it as in the output, 2026-11-21T03:05:52.5Z");
    return parsed;
  };
  selection.from = time("--from", options.from);
  selection.to = time("--to", options.to);
  return selection;
}

class Printer final : public session::ExchangeSink {
 public:
  explicit Printer(const Options& options) : options_(options), selection_(selection_of(options)) {}
  const session::Selection& selection() const { return selection_; }

  void on_session(const session::SessionInfo& info) override { sessions_[info.id] = info; }
  void on_exchange(session::Exchange& e) override {
    if (!selection_.wants(e.id.session) || !selection_.wants(e.request_first)) return;
    // A summary needs no statement's meaning.
    if (options_.format == "summary" && options_.fingerprint.empty()) return count(e);
    const session::SessionInfo& session = sessions_[e.id.session];
    auto meaning = understanding_.of(session, e);
    bool has_fingerprint = session::carries_statement(e.command.code) && e.command.text_state == mysql::Command::Text::known;
    if (!options_.fingerprint.empty() && (!has_fingerprint || to_hex(meaning->fingerprint) != options_.fingerprint)) return;
    if (options_.format == "summary") count(e);
    else if (options_.format == "jsonl") std::cout << inspect_json(session, e, *meaning) << '\n';
    else std::cout << inspect_text(session, e, *meaning) << '\n';
    if (!std::cout) stop_requested = true;
  }
  void on_session_end(SessionId session, CaptureTime) override {
    sessions_.erase(session);
    understanding_.forget(session);
  }

  void print_summary(const session::TapCounters& c) const {
    JsonWriter json;
    json.begin_object().member("packets", c.packets).member("bytes", c.bytes).member("lost_bytes", c.lost_bytes).member("gaps", c.gaps);
    json.member("kernel_drops", c.kernel_drops).member("connections", c.connections).member("sessions", c.sessions);
    json.member("joined_midstream", c.joined_midstream).member("tls_sessions", c.tls_sessions).member("compressed_sessions", c.compressed_sessions);
    json.member("exchanges", exchanges_).member("rows", rows_).member("rows_digest", to_hex(rows_digest_));
    json.key("ledger").begin_object();
    for (std::size_t i = 0; i < store::bin_count; ++i) {
      const auto bin = static_cast<store::Bin>(i);
      // What the tap left out on purpose (sampling, overload) was counted and is in no recording.
      json.member(store::to_string(bin), ledger_.of(bin) + (bin == store::Bin::shed ? c.shed_exchanges : 0));
    }
    json.end_object().key("commands").begin_object();
    std::map<std::string_view, std::uint64_t> by_name;
    for (std::size_t code = 0; code < commands_.size(); ++code)
      if (commands_[code] > 0) by_name[mysql::command_name(static_cast<mysql::CommandCode>(code))] += commands_[code];
    for (const auto& [command, count] : by_name) json.member(command, count);
    json.end_object().member("truncated", c.end == session::TapCounters::End::truncated);
    auto time = [&](const char* key, CaptureTime when) {
      if (when == CaptureTime()) json.key(key).null();
      else json.member(key, to_rfc3339(when));
    };
    time("first_time", c.first_time);
    time("last_time", c.last_time);
    std::cout << json.end_object().text() << '\n';
  }

 private:
  void count(const session::Exchange& e) {
    ++exchanges_;
    ++commands_[static_cast<std::size_t>(e.command.code)];
    bool unobserved = e.answer.state == mysql::Answer::State::unobserved;
    ledger_.add(unobserved ? store::Bin::unobserved : store::Bin::observed);
    if (unobserved) return;  // rows of half an answer are no rows
    for (const mysql::Result& result : e.answer.results) {
      if (const auto* set = std::get_if<mysql::ResultSet>(&result)) {
        rows_ += set->row_count();
        rows_digest_ += set->digests().sum64;
      }
    }
  }

  const Options& options_;
  session::Selection selection_;
  session::Understanding understanding_;
  std::map<SessionId, session::SessionInfo> sessions_;
  std::uint64_t exchanges_ = 0, rows_ = 0, rows_digest_ = 0;
  store::Ledger ledger_;
  std::array<std::uint64_t, 256> commands_{};  // by code
};

int inspect(const Options& options) {
  handle_stop_signals();
  std::signal(SIGPIPE, SIG_DFL);  // `| head` ends it quietly, whatever it was started by
  run::InputOptions input;
  input.ports = server_ports(options.ports);
  input.secrets = tls_secrets(options.keylog, run::TlsSecrets::Missing::refused);
  Printer printer(options);
  input.selection = printer.selection();
  session::RequestOrder order(printer);  // sums need no order
  session::ExchangeSink& sink = options.format == "summary" ? static_cast<session::ExchangeSink&>(printer) : order;
  run::InputResult result = run::read_input(options.file, input, sink, stop_requested);
  order.finish();
  if (options.format == "summary") printer.print_summary(result.counters);
  if (!result.note.empty()) std::cerr << "darktap: " << result.note << '\n';
  tell_opaque(options.file, result.counters);
  return fine;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("inspect", "Look into a recording or a capture");
  command->add_option("FILE", options.file, "A .dtap, pcap or pcapng file; - for packets from standard input")->required();
  add_ports(*command, options.ports);
  add_keylog(*command, options.keylog);
  command->add_option("--format", options.format, "text, jsonl (an object an exchange) or summary (one object)")
      ->check(CLI::IsMember({"text", "jsonl", "summary"}))
      ->capture_default_str();
  command->add_option("--session", options.session, "Only this session")->type_name("N");
  command->add_option("--fingerprint", options.fingerprint, "Only statements of this fingerprint: 16 hexadecimal digits")
      ->type_name("HEX")
      ->check([](const std::string& text) {
        bool is_one = text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
        return is_one ? std::string() : text + " is no fingerprint: 16 lower-case hexadecimal digits";
      });
  command->add_option("--from", options.from, "Only requests from this time on (RFC 3339)")->type_name("TIME");
  command->add_option("--to", options.to, "Only requests before this time (RFC 3339)")->type_name("TIME");
  command->callback([&action] { action = [] { return inspect(options); }; });
}

}  // namespace darktap::cli
