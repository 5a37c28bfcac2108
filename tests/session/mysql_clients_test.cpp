// Sessions with MySQL 8.0 and 9.7 (samples/mysql) against the servers' own general logs.
#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>

#include "captured.h"
#include "general_log.h"
#include "test_support/catch.h"
#include "test_support/temporary_folder.h"

using namespace darktap;
using namespace darktap::session;
using mysql::CommandCode;

namespace {

std::filesystem::path samples() {
  const char* source = std::getenv("DARKTAP_SOURCE");
  return std::filesystem::path(source != nullptr ? source : ".") / "samples/mysql";
}

// MySQL prepares a statement again where a parameter's type changed, and logs that too; so PREPAREs are compared as a set.
struct Told {
  std::vector<Story> stories;
  std::set<std::string> prepared;
};

std::string without_zero_fraction(std::string text) {
  for (std::size_t at = 0; (at = text.find(".000000'", at)) != std::string::npos;) text.erase(at, 7);
  return text;
}

Told logged(const std::string& log) {
  static const std::regex entry(R"(^\d{4}-\d\d-\d\dT[\d:.]+Z\t *(\d+) (Query|Prepare|Execute|Init DB|Statistics|Reset stmt|Change user|Connect|Quit|Close stmt|Long Data|Ping|Field List|Set option|Reset Connection)\t)");
  std::map<long, Story> threads;
  std::string* current = nullptr;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    std::string head = line.substr(0, 80);
    if (!std::regex_search(head, found, entry)) {
      if (current != nullptr) *current += "\n" + line;
      continue;
    }
    Story& story = threads[std::stol(found[1])];
    std::string command = found[2];
    std::string text = line.substr(static_cast<std::size_t>(found.length(0)));
    story.push_back(command + " " + (command == "Change user" || command == "Connect" ? "" : text));
    current = &story.back();
  }
  Told told;
  for (auto& [thread, story] : threads) {
    Story kept;
    for (const std::string& each : story) {
      std::string text = without_zero_fraction(comparable(trimmed(each)));
      if (text.starts_with("Prepare ")) told.prepared.insert(text);
      else if (text.starts_with("Query ") || text.starts_with("Execute ") || text.starts_with("Init DB ") || text == "Statistics" || text == "Change user" || text == "Reset stmt")
        kept.push_back(text);
    }
    if (!kept.empty()) told.stories.push_back(std::move(kept));
  }
  std::sort(told.stories.begin(), told.stories.end());
  return told;
}

Told told_by(const Captured& captured) {
  Told told;
  for (const auto& [id, exchanges] : captured.exchanges) {
    Story story;
    for (const Exchange& each : exchanges) {
      const mysql::Command& command = each.command;
      std::string entry;
      switch (command.code) {
        case CommandCode::query: {
          // MySQL logs the statements of one text each on its own; none of these has a semicolon inside.
          std::istringstream parts(command.text);
          for (std::string part; std::getline(parts, part, ';');) story.push_back(comparable(trimmed("Query " + part.substr(std::min(part.find_first_not_of(' '), part.size())))));
          continue;
        }
        case CommandCode::stmt_prepare:
          if (each.answer.error() != nullptr) continue;  // not logged
          told.prepared.insert(comparable(trimmed("Prepare " + command.text))); continue;
        case CommandCode::stmt_execute: {
          std::size_t next = 0;
          entry = "Execute ";
          for (char c : command.text) {
            if (c == '?' && next < command.parameters.size()) entry += as_literal(command.parameters[next++]);
            else entry += c;
          }
          break;
        }
        case CommandCode::init_db: entry = "Init DB " + command.text; break;
        case CommandCode::statistics: entry = "Statistics"; break;
        case CommandCode::change_user: entry = "Change user"; break;
        case CommandCode::stmt_reset: entry = "Reset stmt"; break;
        default: continue;
      }
      story.push_back(without_zero_fraction(comparable(trimmed(entry))));
    }
    if (!story.empty()) told.stories.push_back(std::move(story));
  }
  std::sort(told.stories.begin(), told.stories.end());
  return told;
}

Captured read_sample(const std::string& name, const TemporaryFolder& folder, mysql::KeyLog* keys = nullptr) {
  std::ofstream(folder.file(name + ".pcap"), std::ios::binary) << unzipped(samples() / (name + ".pcap.gz"));
  AssemblerOptions options;
  options.keys = keys;
  return read_capture(folder.file(name + ".pcap"), options);
}

}  // namespace

TEST_CASE("MySQL 8.0 and 9.7: every statement and parameter of the general logs is found, and no other") {
  TemporaryFolder folder;
  mysql::KeyLog keys;
  keys.add(file_text(samples() / "m80_pymysql_tls.keylog"));
  int files = 0;
  for (const char* name : {"m80_pymysql", "m80_pymysql_tls", "m80_mysql2", "m80_connpy", "m97_connpy", "m97_connpyz", "m97_mysql2", "m97_mysql2z"}) {
    INFO(name);
    Captured captured = read_sample(name, folder, &keys);
    Told wire = told_by(captured), log = logged(file_text(samples() / (std::string(name) + ".general.log")));
    INFO(difference(wire.stories, log.stories));
    CHECK((wire.stories == log.stories));
    CHECK((wire.prepared == log.prepared));
    for (const auto& [id, exchanges] : captured.exchanges)
      for (const Exchange& each : exchanges) {
        INFO(each.command.text.substr(0, 100));
        CHECK(each.certainty == Exchange::Certainty::certain);
        CHECK(each.answer.kind() != mysql::AnswerKind::unobserved);
        CHECK(each.user == "lab");
      }
    ++files;
  }
  CHECK(files == 8);
}

TEST_CASE("MySQL 8.0 and 9.7: the binary protocol's rows print as the text protocol's, NULLs and every type") {
  TemporaryFolder folder;
  for (const char* name : {"m80_mysql2", "m97_mysql2", "m97_mysql2z"}) {
    INFO(name);
    Captured captured = read_sample(name, folder);
    std::map<mysql::RowFormat, std::vector<std::vector<mysql::Cell>>> rows;
    for (const auto& [id, exchanges] : captured.exchanges)
      for (const Exchange& each : exchanges) {
        const mysql::ResultSet* set = each.answer.first_rows();
        if (set == nullptr || !each.command.text.starts_with("SELECT * FROM allt") || !rows[set->format].empty()) continue;
        for (std::size_t i = 0; i < set->rows.size(); ++i) {
          auto cells = mysql::decode_row(set->rows.row(i), set->columns, set->format);
          REQUIRE(cells);
          rows[set->format].push_back(*cells);
        }
      }
    REQUIRE(rows[mysql::RowFormat::text].size() >= 2);
    CHECK((rows[mysql::RowFormat::text] == rows[mysql::RowFormat::binary]));
  }
}
