// darktap sql: what a statement means; one statement a line in, one object a line out.
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>

#include "base/expected.h"
#include "command.h"
#include "sql/meaning.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string file = "-", format = "jsonl", sql_mode, server;
};

// A line is a statement as it stands, or a JSON string where it has line breaks.
std::string statement_of(const std::string& line) {
  if (!line.starts_with('"')) return line;
  auto parsed = nlohmann::json::parse(line, nullptr, false);
  return parsed.is_string() ? parsed.get<std::string>() : line;
}

void print_text(const std::string& statement, const sql::Meaning& meaning) {
  std::string shown = statement;
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  std::cout << shown << '\n';
  if (!meaning.why.empty()) {
    std::cout << std::string(meaning.why_offset, ' ') << std::string(std::max<std::size_t>(1, meaning.why_length), '^') << ' ' << meaning.why << '\n';
  }
  std::cout << "  " << sql::to_string(meaning.statement_class) << ", order " << sql::to_string(meaning.order.guarantee) << ", " << meaning.normalized << '\n';
}

int explain(const Options& options) {
  sql::Dialect dialect;
  dialect.mode = sql::parse_sql_mode(options.sql_mode);
  if (!options.server.empty()) {
    auto server = sql::parse_server_name(options.server);
    if (!server) throw Failure(FailureKind::usage, "--server " + options.server + ": is not a server's name; write for example mysql80 or mariadb1011");
    dialect.server = *server;
  }
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) throw Failure(FailureKind::environment, options.file + ": can't open it; give a file of statements, one a line, or - for standard input");
  }
  std::istream& in = options.file == "-" ? std::cin : file;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::string statement = statement_of(line);
    sql::Meaning meaning = sql::understand(statement, dialect);
    if (options.format == "text") print_text(statement, meaning);
    else std::cout << sql::to_json(meaning) << '\n';
  }
  return fine;
}

}  // namespace

void add_sql(CLI::App& app, Action& action) {
  static Options options;
  CLI::App* command = app.add_subcommand("sql", "Say what statements mean: class, effects, fingerprint, tables, order");
  command->add_option("FILE", options.file, "Statements, one a line (a JSON string where it has line breaks); - for standard input");
  command->add_option("--format", options.format, "jsonl (an object a line) or text (for a person)")->check(CLI::IsMember({"jsonl", "text"}))->capture_default_str();
  command->add_option("--sql-mode", options.sql_mode, "As in @@sql_mode, for example ANSI_QUOTES,NO_BACKSLASH_ESCAPES")->type_name("M");
  command->add_option("--server", options.server, "Whose dialect: mysql57, mysql80, mysql84, mariadb1011 …")->type_name("NAME");
  command->callback([&action] { action = [] { return explain(options); }; });
}

}  // namespace darktap::cli
