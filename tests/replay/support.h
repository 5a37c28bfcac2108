// What the replay tests share: exchanges as they would be captured, and a sink that notes what comes back.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/blocking.h"
#include "replay/replayer.h"

namespace darktap::replay {

inline session::Exchange exchange(std::uint64_t session, std::uint32_t seq, const std::string& sql, const std::string& schema = "",
                                  mysql::CommandCode code = mysql::CommandCode::query) {
  session::Exchange result;
  result.id = {SessionId{session}, seq};
  result.schema = schema;
  result.collation = 45;
  result.command.code = code;
  result.command.text = sql;
  result.command.text_state = mysql::Command::Text::known;
  return result;
}

struct Note {
  enum class Kind { outcome, not_sent, failed, shed } kind;
  session::ExchangeId id;
  std::string what;  // the first cell, "ok", "none" or "error N" of an outcome; else the reason
  TargetAnswer target;
};

inline std::string first_cell(const mysql::Answer& answer) {
  if (answer.state == mysql::Answer::State::none) return "none";
  if (auto* error = answer.error()) return "error " + std::to_string(error->code);
  const mysql::ResultSet* rows = answer.first_rows();
  if (rows == nullptr) return "ok";
  if (rows->rows.empty()) return "no rows";
  return mysql::decode_row(rows->rows.row(0), rows->columns, rows->format)->at(0).text;
}

struct Notebook final : ReplaySink {
  std::vector<Note> notes;
  std::vector<std::string> gave_up;
  int room = 0;
  std::function<void()> each = [] {};

  void note(Note::Kind kind, const session::Exchange& exchange, std::string what, TargetAnswer target = {}) {
    notes.push_back({kind, exchange.id, std::move(what), std::move(target)});
    each();
  }
  void on_outcome(session::Exchange&& exchange, const MeaningPtr&, TargetAnswer&& target) override {
    std::string what = first_cell(target.answer);
    note(Note::Kind::outcome, exchange, what, std::move(target));
  }
  void on_not_sent(session::Exchange&& exchange, const MeaningPtr&, const std::string& reason) override {
    note(Note::Kind::not_sent, exchange, reason);
  }
  void on_failed(session::Exchange&& exchange, const MeaningPtr&, const std::string& reason) override {
    note(Note::Kind::failed, exchange, reason);
  }
  void on_shed(session::Exchange&& exchange, const MeaningPtr&) override { note(Note::Kind::shed, exchange, "shed"); }
  void on_gave_up(const std::string& line) override { gave_up.push_back(line); }
  void on_room() override { ++room; }

  std::size_t count(Note::Kind kind) const {
    std::size_t n = 0;
    for (const Note& note : notes) n += note.kind == kind ? 1 : 0;
    return n;
  }
};

// A loop, a sink and a replayer against 127.0.0.1:port.
struct Stage {
  client::EventLoop loop;
  Notebook book;
  ReplayerOptions options;
  std::unique_ptr<Replayer> replayer;

  explicit Stage(std::uint16_t port, const std::string& user = "root") {
    options.session.connect = client::options_for({{user, "127.0.0.1", port, ""}, ""}).value();
  }
  void begin() { replayer = std::make_unique<Replayer>(loop, book, options); }
  void submit(session::Exchange&& exchange) {
    auto meaning = std::make_shared<sql::Meaning>(sql::understand(exchange.command.text));
    replayer->submit(std::move(exchange), std::move(meaning), CaptureClock::now());
  }
  // Turns the loop until everything has come back, or the time is up.
  bool finish(std::chrono::milliseconds limit = std::chrono::seconds(30)) {
    auto end = client::EventLoop::Clock::now() + limit;
    while (replayer->outstanding() > 0 && client::EventLoop::Clock::now() < end) loop.run_once(std::chrono::milliseconds(50));
    return replayer->outstanding() == 0;
  }
};

}  // namespace darktap::replay
