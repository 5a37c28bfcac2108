// darktap sql: what a statement means; one statement a line in, one object a line out.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/expected.h"
#include "command.h"
#include "sql/meaning.h"

namespace darktap::cli {

namespace {

struct Options {
  std::string file = "-", format = "jsonl", sql_mode, server, charset, table_digits = "kept";
};

sql::Dialect dialect_of(const Options& options) {
  sql::Dialect dialect;
  dialect.mode = sql::parse_sql_mode(options.sql_mode);
  dialect.charset = sql::charset_of(options.charset);
  if (options.server.empty()) return dialect;
  auto server = sql::parse_server_name(options.server);
  if (!server) {
    throw Failure(FailureKind::usage, "--server " + options.server + ": is not a server's name; write mysql55, mysql56, mysql57, mysql80, mysql84, "
                                      "mysql90 to mysql97, mariadb55, mariadb100 to mariadb1011, mariadb110 to mariadb118, the release itself "
                                      "(mysql8.0.34, mariadb10.11.6), or mysql or mariadb alone");
  }
  dialect.server = *server;
  return dialect;
}

// Statements lie on lines of their own, as they stand, or as a JSON string where they have line breaks.
struct Line {
  std::string statement;
  bool broken = false;  // began like a JSON string and is none
};
Line read_line(std::string text) {
  if (text.ends_with('\r')) text.pop_back();
  if (!text.starts_with('"')) return {std::move(text)};
  auto parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_string()) return {parsed.get<std::string>()};
  return {std::move(text), true};
}

// No statement begins with a quote, so that a line which does and is no JSON string was meant to be one.
void explain_broken(sql::Meaning& meaning) {
  meaning.why = "not understood: the line begins with a quote but is not a JSON string; escape quotes and line breaks as JSON does";
  meaning.why_offset = 0;
  meaning.why_length = 1;
}

// Columns that these bytes take on a terminal: UTF-8's later bytes take none.
std::size_t columns(std::string_view bytes) {
  return static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void print_text(const std::string& statement, const sql::Meaning& meaning) {
  constexpr std::size_t longest_caret = 60;
  std::string shown = statement;
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  std::cout << shown << '\n';
  if (!meaning.why.empty()) {
    std::string_view text = statement;
    std::size_t begin = std::min<std::size_t>(meaning.why_offset, text.size());
    std::size_t width = std::clamp<std::size_t>(columns(text.substr(begin, meaning.why_length)), 1, longest_caret);
    std::cout << std::string(columns(text.substr(0, begin)), ' ') << std::string(width, '^') << ' ' << meaning.why << '\n';
  }
  std::cout << "  " << sql::to_string(meaning.statement_class) << ", order " << sql::to_string(meaning.order.guarantee) << ", " << meaning.normalized << '\n';
}

int explain(const Options& options) {
  sql::Dialect dialect = dialect_of(options);
  sql::FingerprintRules rules;
  if (options.table_digits == "folded") rules.table_digits = sql::TableDigits::folded;
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) throw Failure(FailureKind::environment, options.file + ": can't open it; give a file of statements, one a line, or - for standard input");
  }
  std::istream& in = options.file == "-" ? std::cin : file;
  for (std::string text; std::getline(in, text);) {
    Line line = read_line(std::move(text));
    sql::Meaning meaning = sql::understand(line.statement, dialect, nullptr, rules);
    if (line.broken) explain_broken(meaning);
    if (options.format == "text") print_text(line.statement, meaning);
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
  command->add_option("--server", options.server, "Whose dialect: mysql57, mysql80, mysql84, mysql97, mariadb1011, mariadb118 …, or a release: mysql8.0.34")->type_name("NAME");
  command->add_option("--charset", options.charset, "The connection's character set, where it is not UTF-8: gbk, sjis, cp932, big5, gb18030 …")->type_name("NAME");
  command->add_option("--table-digits", options.table_digits, "In fingerprints, keep the digits of table names or fold them (t_0042 as t_#)")
      ->check(CLI::IsMember({"kept", "folded"}))->capture_default_str();
  command->callback([&action] { action = [] { return explain(options); }; });
}

}  // namespace darktap::cli
