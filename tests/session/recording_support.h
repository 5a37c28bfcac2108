// Small recordings for tests, and what they give back.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "session/recording.h"

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("darktap-recording-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

struct Collected final : darktap::session::ExchangeSink {
  std::vector<darktap::session::SessionInfo> sessions;
  std::vector<darktap::session::Exchange> exchanges;
  std::vector<darktap::SessionId> ends;
  void on_session(const darktap::session::SessionInfo& info) override { sessions.push_back(info); }
  void on_exchange(darktap::session::Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }
  void on_session_end(darktap::SessionId session, darktap::CaptureTime) override { ends.push_back(session); }
};

inline darktap::CaptureTime at_second(std::int64_t second) { return darktap::CaptureTime(std::chrono::seconds(1'700'000'000 + second)); }

// A COM_QUERY of the session, answered by these rows.
inline darktap::session::Exchange query(std::uint64_t session, std::uint32_t seq, const std::string& sql, const std::vector<std::string>& rows = {}) {
  using namespace darktap;
  session::Exchange e;
  e.id = {SessionId{session}, seq};
  e.command.code = mysql::CommandCode::query;
  e.command.text = sql;
  e.command.text_state = mysql::Command::Text::known;
  e.request_bytes = sql.size() + 5;
  e.request_first = e.request_last = at_second(seq);
  e.response_first = e.response_last = at_second(seq) + std::chrono::microseconds(250);
  mysql::ResultSet set;
  mysql::Column c;
  c.name = "c";
  set.columns = std::vector{c};
  for (const std::string& row : rows) {
    set.add(as_bytes(row));
    e.response_bytes += row.size() + 4;
  }
  e.answer.results.emplace_back(std::move(set));
  return e;
}
