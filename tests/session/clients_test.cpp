// Real client libraries' traffic against the server's own general log of the same run: every statement is found, with its
// parameters, and none is invented.
#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "captured.h"
#include "general_log.h"
#include "test_support/catch.h"
#include "test_support/corpus.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using namespace darktap::session;
using mysql::CommandCode;

namespace {

// The log's threads, each a story. Its last one is the session that switched the log off.
std::vector<Story> logged(const std::string& log) {
  static const std::regex entry(R"(^(?:\d{6} [ \d]\d:\d\d:\d\d)?\t+ *(\d+) (Query|Prepare|Execute|Init DB|Close stmt|Reset stmt|Long Data|Statistics|Field List|Connect|Change user|Quit)\t)");
  std::map<long, Story> threads;
  std::map<long, bool> whole;
  long last = 0;
  std::istringstream lines(log);
  std::string line;
  std::getline(lines, line);  // the heading
  while (std::getline(lines, line)) {
    std::smatch found;
    // Long texts would overflow the regular expression's stack.
    std::string head = line.substr(0, 80);
    if (!std::regex_search(head, found, entry)) {
      if (last != 0 && !threads[last].empty()) threads[last].back() += "\n" + line;
      continue;
    }
    last = std::stol(found[1]);
    std::string command = found[2];
    if (command == "Connect") whole[last] = true;
    if (command == "Connect" || command == "Quit") continue;
    threads[last].push_back(command + " " + (command == "Change user" ? "" : line.substr(static_cast<std::size_t>(found.length(0)))));
  }
  std::vector<Story> stories;
  for (auto& [thread, story] : threads) {
    if (!whole[thread] || story == Story{"Query set global general_log=0"}) continue;
    for (std::string& each : story) each = comparable(trimmed(each));
    if (!story.empty()) stories.push_back(story);
  }
  std::sort(stories.begin(), stories.end());
  return stories;
}

// A parameter as MariaDB writes it into its log: temporal values with their type in front.
std::string literal(const mysql::Parameter& parameter) {
  using mysql::ColumnType;
  const char* type = "";
  switch (parameter.type) {
    case ColumnType::date: type = "DATE"; break;
    case ColumnType::datetime:
    case ColumnType::timestamp: type = "TIMESTAMP"; break;
    case ColumnType::time: type = "TIME"; break;
    default: break;
  }
  return parameter.presence == mysql::Parameter::Presence::null ? as_literal(parameter) : type + as_literal(parameter);
}

std::string interpolated(const mysql::Command& command) {
  std::string text;
  std::size_t next = 0;
  for (char c : command.text) {
    if (c == '?' && next < command.parameters.size()) text += literal(command.parameters[next++]);
    else text += c;
  }
  return text;
}

// The same story from the wire, in the log's words. Failed PREPAREs and FETCH are not in the log, nor is what the server
// never got to.
Story story_of(const std::vector<Exchange>& exchanges) {
  Story story;
  for (const Exchange& each : exchanges) {
    const mysql::Command& command = each.command;
    bool failed = each.answer.error() != nullptr;
    std::string entry;
    switch (command.code) {
      case CommandCode::query: entry = "Query " + command.text; break;
      case CommandCode::stmt_prepare: entry = failed ? "" : "Prepare " + command.text; break;
      case CommandCode::stmt_execute: entry = "Execute " + interpolated(command); break;
      case CommandCode::stmt_bulk_execute: entry = "Execute " + command.text; break;
      case CommandCode::init_db: entry = "Init DB " + command.text; break;
      // The server knows nothing any more of what a CHANGE_USER or a reset took away.
      case CommandCode::stmt_close: entry = command.text_state == mysql::Command::Text::known ? "Close stmt " : ""; break;
      case CommandCode::stmt_reset: entry = "Reset stmt "; break;
      case CommandCode::stmt_send_long_data: entry = "Long Data "; break;
      case CommandCode::statistics: entry = "Statistics "; break;
      case CommandCode::field_list: entry = "Field List " + command.text; break;
      case CommandCode::change_user: entry = "Change user "; break;
      default: break;
    }
    if (!entry.empty()) story.push_back(comparable(trimmed(entry)));
  }
  return story;
}

std::vector<Story> stories_of(const Captured& captured) {
  std::vector<Story> stories;
  for (const auto& [id, exchanges] : captured.exchanges)
    if (Story story = story_of(exchanges); !story.empty()) stories.push_back(story);
  std::sort(stories.begin(), stories.end());
  return stories;
}

}  // namespace

TEST_CASE("every statement of every client's general log is found, and no other") {
  auto folder = corpus_path("captures/clients");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  mysql::KeyLog keys;
  for (const auto& item : std::filesystem::directory_iterator(*folder))
    if (item.path().extension() == ".keylog") keys.add(file_text(item.path()));
  CHECK(keys.malformed_lines() == 0);
  int files = 0, read_through_tls = 0;
  for (const auto& item : std::filesystem::directory_iterator(*folder)) {
    if (item.path().extension() != ".pcap") continue;
    std::string name = item.path().stem();
    AssemblerOptions options;
    options.keys = &keys;
    Captured captured = read_capture(item.path(), options);
    INFO(name);
    for (const auto& [id, info] : captured.sessions) CHECK(captured.ended[id] == 1);
    if (captured.counters.opaque_sessions > 0) {
      // What is inside can't be known; that there is something, must be.
      for (const auto& [id, info] : captured.sessions)
        if (info.transport == SessionInfo::Transport::tls) CHECK(captured.exchanges[id].empty());
      CHECK(captured.counters.opaque_sessions == captured.counters.tls_sessions);
      CHECK(captured.counters.opaque_notes.size() == captured.counters.opaque_sessions);
      continue;
    }
    if (captured.counters.tls_sessions > 0) ++read_through_tls;
    auto log = logged(file_text(*folder / (name + ".general.log")));
    auto wire = stories_of(captured);
    // A statement sent on a connection that was just killed never reached the server.
    for (Story& story : wire)
      if (!story.empty() && story.back() == "Query SELECT 1 after_kill") story.pop_back();
    INFO(difference(wire, log));
    CHECK((wire == log));
    CHECK(captured.stats.lost_bytes == 0);
    for (const auto& [id, exchanges] : captured.exchanges)
      for (const Exchange& each : exchanges) CHECK(each.certainty == Exchange::Certainty::certain);
    ++files;
  }
  CHECK(files >= 15);
  CHECK(read_through_tls >= 3);
}

TEST_CASE("without a key log a TLS session is one, is named with the reason, and tells nothing") {
  auto folder = corpus_path("captures/clients");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  int sessions = 0;
  for (const auto& item : std::filesystem::directory_iterator(*folder)) {
    if (item.path().extension() != ".pcap") continue;
    Captured captured = read_capture(item.path());
    INFO(item.path().stem().string());
    CHECK(captured.counters.opaque_sessions == captured.counters.tls_sessions);
    for (const auto& [id, info] : captured.sessions)
      if (info.transport == SessionInfo::Transport::tls) CHECK(captured.exchanges[id].empty());
    for (const std::string& note : captured.counters.opaque_notes) {
      bool readable = note.find("TLS 1.3: no key log was given") != std::string::npos;
      CHECK((readable || note.find("TLS 1.2: its cipher suite 0x003d is none of AES-GCM") != std::string::npos));
    }
    sessions += static_cast<int>(captured.counters.tls_sessions);
  }
  CHECK(sessions >= 5);
}

TEST_CASE("statements of 16 MiB and more, and those at the frame's very limit, are whole") {
  auto capture = corpus_path("captures/clients/c_libmariadb_big16m.pcap.gz");
  if (!capture) DARKTAP_SKIP("the shared captures are not here");
  TemporaryFolder folder;
  std::ofstream(folder.file("big.pcap"), std::ios::binary) << unzipped(*capture);
  Captured captured = read_capture(folder.file("big.pcap"));
  auto log = logged(unzipped(*corpus_path("captures/clients/c_libmariadb_big16m.general.log.gz")));
  auto wire = stories_of(captured);
  INFO(difference(wire, log));
  CHECK((wire == log));
  for (const auto& [id, exchanges] : captured.exchanges)
    for (const Exchange& each : exchanges) CHECK(each.answer.kind() != mysql::AnswerKind::unobserved);
}

TEST_CASE("the binary protocol prints the same cells as the text protocol") {
  auto folder = corpus_path("captures/clients");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  int compared = 0;
  for (const char* name : {"go_default", "node_mysql2", "node_mariadb_infile", "py_connpy_pure_prep"}) {
    Captured captured = read_capture(*folder / (std::string(name) + ".pcap"));
    std::vector<std::vector<mysql::Cell>> text, binary;
    for (const auto& [id, exchanges] : captured.exchanges)
      for (const Exchange& each : exchanges) {
        const mysql::ResultSet* rows = each.answer.first_rows();
        if (rows == nullptr || !each.command.text.starts_with("SELECT * FROM allt")) continue;
        auto& into = rows->format == mysql::RowFormat::text ? text : binary;
        if (!into.empty()) continue;
        for (std::size_t i = 0; i < rows->rows.size(); ++i) {
          auto cells = mysql::decode_row(rows->rows.row(i), rows->columns, rows->format);
          REQUIRE(cells);
          into.push_back(*cells);
        }
      }
    if (text.empty() || binary.empty()) continue;
    INFO(name);
    REQUIRE(text.size() == binary.size());
    for (std::size_t i = 0; i < text.size(); ++i) CHECK(text[i] == binary[i]);
    ++compared;
  }
  CHECK(compared >= 3);
}

TEST_CASE("public captures: nothing is invented, and files without MySQL have no session") {
  auto folder = corpus_path("captures/public");
  if (!folder) DARKTAP_SKIP("the shared captures are not here");
  for (const auto& item : std::filesystem::recursive_directory_iterator(*folder)) {
    std::string extension = item.path().extension();
    if (extension != ".pcap" && extension != ".pcapng") continue;
    INFO(item.path().string());
    Captured captured;
    try {
      captured = read_capture(item.path());
    } catch (const Failure&) {
      continue;  // the tap's tests know why
    }
    for (const auto& [id, exchanges] : captured.exchanges)
      for (const Exchange& each : exchanges) {
        CHECK(is_known(each.command.code));
        // Each text stands in the file as it is, where it fits a packet and is not compressed.
        if (each.command.text.size() < 500 && captured.sessions[id].transport == SessionInfo::Transport::plain && each.command.text_state == mysql::Command::Text::known)
          CHECK(file_text(item.path()).find(each.command.text) != std::string::npos);
      }
  }
  CHECK(read_capture(*folder / "packetbeat/gap_in_stream.pcap").sessions.empty());  // HTTP
}
