// How fast one thread tells what statements mean: MB/s of text (processor time) through lex, fingerprint and understand, and through the
// cache that answers repeated texts.
//
// On a machine that others use too a pass is disturbed many times, in its caches most of all. So the best of each thousand
// statements is added up too ("undisturbed"): what one core does that is left alone.
//
//   bench_sql_speed CORPUS.json [ROUNDS [NAME]]    a JSON array of {"sql": …}; the best of ROUNDS passes counts (default 5);
//                                                  NAME measures one thing alone, for a profiler: lex, fingerprint, understand
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <unordered_set>
#include <vector>

#include "session/understanding.h"
#include "sql/fingerprint.h"
#include "sql/lexer.h"
#include "sql/meaning.h"

using namespace darktap;

namespace {

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

// Processor time, so that a busy machine costs little more than its caches.
double seconds_used() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// The best of some passes over all texts; the sum of what they give is printed, so that none is left out.
std::string only;

void measure(const char* what, std::size_t count, std::size_t bytes, int rounds, const std::function<std::uint64_t()>& pass) {
  if (!only.empty() && only != what) return;
  double best = 1e9;
  std::uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    double start = seconds_used();
    sum += pass();
    best = std::min(best, seconds_used() - start);
  }
  std::printf("%-28s %8.1f MB/s %8.0f ns/statement   (check %016llx)\n", what, static_cast<double>(bytes) / best / 1e6,
              best * 1e9 / static_cast<double>(count), static_cast<unsigned long long>(sum));
}

double nanoseconds_used() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

// One text after the other, in the order of the file: the best pass, and the sum of the best thousands.
template <class Work>
void measure_each(const char* what, const std::vector<std::string>& texts, std::size_t bytes, int rounds, Work work) {
  if (!only.empty() && only != what) return;
  constexpr std::size_t together = 1000;
  std::vector<double> best((texts.size() + together - 1) / together, 1e18);
  double best_pass = 1e18;
  std::uint64_t sum = 0;
  for (int round = 0; round < rounds; ++round) {
    double pass = 0;
    for (std::size_t part = 0; part < best.size(); ++part) {
      double start = nanoseconds_used();
      for (std::size_t i = part * together; i < std::min(texts.size(), (part + 1) * together); ++i) sum += work(texts[i]);
      double used = nanoseconds_used() - start;
      best[part] = std::min(best[part], used);
      pass += used;
    }
    best_pass = std::min(best_pass, pass);
  }
  double undisturbed = std::accumulate(best.begin(), best.end(), 0.0);
  std::printf("%-28s %8.1f MB/s %8.0f ns/statement, undisturbed %.1f MB/s   (check %016llx)\n", what, static_cast<double>(bytes) / best_pass * 1e3,
              best_pass / static_cast<double>(texts.size()), static_cast<double>(bytes) / undisturbed * 1e3, static_cast<unsigned long long>(sum));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_sql_speed CORPUS.json [ROUNDS]\n");
    return 2;
  }
  int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  if (argc > 3) only = argv[3];
  std::ifstream file(argv[1]);
  nlohmann::json entries = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> texts;
  if (entries.is_array()) {
    for (const nlohmann::json& entry : entries) {
      if (entry.contains("sql") && entry["sql"].is_string()) texts.push_back(entry["sql"].get<std::string>());
    }
  }
  if (texts.empty()) {
    std::fprintf(stderr, "%s: no JSON array of {\"sql\": …}\n", argv[1]);
    return 3;
  }
  std::size_t bytes = bytes_of(texts);
  std::printf("%zu statements, %.2f MB, best of %d\n", texts.size(), static_cast<double>(bytes) / 1e6, rounds);

  measure_each("lex", texts, bytes, rounds, [](const std::string& text) { return sql::lex(text).tokens.size(); });
  measure_each("fingerprint", texts, bytes, rounds, [](const std::string& text) { return sql::fingerprint(text).hash; });
  measure_each("understand", texts, bytes, rounds, [](const std::string& text) {
    sql::Meaning meaning = sql::understand(text);
    return meaning.fingerprint + static_cast<std::uint64_t>(meaning.statement_class);
  });

  if (!only.empty()) return 0;
  // The application's own order, through the cache as a capture's reader uses it: first and later texts mixed.
  auto command_of = [](const std::string& text) {
    mysql::Command command;
    command.code = mysql::CommandCode::query;
    command.text = text;
    command.text_state = mysql::Command::Text::known;
    return command;
  };
  std::vector<mysql::Command> commands;
  for (const std::string& text : texts) commands.push_back(command_of(text));
  measure("cache, log order, new each", texts.size(), bytes, rounds, [&] {
    session::Understanding understanding;
    std::uint64_t sum = 0;
    for (const mysql::Command& command : commands) sum += understanding.of(command, {}, "lobsters")->fingerprint;
    return sum;
  });

  // Repeated texts alone: as many different ones as the cache holds, asked for again and again.
  std::unordered_set<std::string> seen;
  std::vector<mysql::Command> repeated;
  std::size_t repeated_bytes = 0, held = 0;
  for (const std::string& text : texts) {
    if (!seen.insert(text).second) continue;
    held += 2 * text.size() + 1024;
    if (held > session::Understanding::default_limit_bytes) break;
    repeated.push_back(command_of(text));
    repeated_bytes += text.size();
  }
  session::Understanding warm;
  for (const mysql::Command& command : repeated) warm.of(command, {}, "lobsters");
  std::printf("%zu different texts, %.2f MB, are held by the cache\n", repeated.size(), static_cast<double>(repeated_bytes) / 1e6);
  measure("cache, all of them again", repeated.size(), repeated_bytes, 4 * rounds, [&] {
    std::uint64_t sum = 0;
    for (const mysql::Command& command : repeated) sum += warm.of(command, {}, "lobsters")->fingerprint;
    return sum;
  });
  std::size_t hot = std::min<std::size_t>(repeated.size(), 500), hot_bytes = 0;
  for (std::size_t i = 0; i < hot; ++i) hot_bytes += repeated[i].text.size();
  measure("cache, 500 of them, 20 times", 20 * hot, 20 * hot_bytes, 4 * rounds, [&] {
    std::uint64_t sum = 0;
    for (int turn = 0; turn < 20; ++turn) {
      for (std::size_t i = 0; i < hot; ++i) sum += warm.of(repeated[i], {}, "lobsters")->fingerprint;
    }
    return sum;
  });
  return 0;
}
