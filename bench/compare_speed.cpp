// What comparing costs where answers are equal: the digests of rows (GB/s of their bytes), and for one exchange what the comparer
// does beside: its two answers laid side by side, the write index, the strip of statements before. Processor time of one thread.
//
//   bench_compare_speed [ROUNDS]    the best of ROUNDS passes counts (default 15)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "compare/comparer.h"
#include "compare/match.h"
#include "sql/meaning.h"

using namespace darktap;

namespace {

double seconds_used() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double best_of(int rounds, const std::function<void()>& pass) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    double start = seconds_used();
    pass();
    best = std::min(best, seconds_used() - start);
  }
  return best;
}

void digests(std::size_t row_bytes, int rounds) {
  std::string all;
  for (std::size_t i = 0; i < (std::size_t{4} << 20); ++i) all += static_cast<char>(i * 2654435761U >> 13);
  Bytes bytes = as_bytes(all);
  mysql::RowDigests sum;
  double best = best_of(rounds, [&] {
    for (std::size_t at = 0; at + row_bytes <= bytes.size(); at += row_bytes) sum.add(bytes.subspan(at, row_bytes));
  });
  std::printf("digests, rows of %4zu bytes   %6.2f GB/s   (check %016llx)\n", row_bytes, static_cast<double>(all.size()) / best / 1e9, static_cast<unsigned long long>(sum.sum64));
}

class Nothing : public compare::JudgementSink {
 public:
  void on_judgement(compare::Judgement&) override {}
};

mysql::Answer answer(std::size_t rows) {
  mysql::ResultSet set;
  std::vector<mysql::Column> columns(3);
  for (mysql::Column& column : columns) column.name = column.org_name = "c";
  set.columns = columns;
  for (std::size_t i = 0; i < rows; ++i) {
    std::string row = "\x01" "7\x08" "Ann Lee " "\x04" "Oslo";
    set.add(as_bytes(row));
  }
  mysql::Answer result;
  result.results.emplace_back(std::move(set));
  return result;
}

void pairs(std::size_t rows, int rounds) {
  constexpr std::size_t count = 50'000;
  std::vector<session::Exchange> exchanges(1000);
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    session::Exchange& one = exchanges[i];
    one.id = {SessionId{i % 64 + 1}, static_cast<std::uint32_t>(i / 64)};
    one.schema = "shop";
    one.command.code = mysql::CommandCode::query;
    one.command.text = "SELECT id, name, city FROM people WHERE id = " + std::to_string(i);
    one.command.text_state = mysql::Command::Text::known;
    one.answer = answer(rows);
  }
  sql::Meaning meaning = sql::understand(exchanges[0].command.text);
  mysql::Answer target = answer(rows);
  Nothing sink;
  double best = best_of(rounds, [&] {
    compare::Comparer comparer(sink, {});
    for (std::size_t i = 0; i < count; ++i) {
      session::Exchange& one = exchanges[i % exchanges.size()];
      comparer.observe(one, meaning, compare::Replayed::sent);
      if (!compare::is_match(one.answer, target)) std::abort();
      comparer.matched(one.id, one.response_last);
    }
  });
  std::printf("comparing, %4zu rows each    %6.0f ns an exchange, its rows' digests apart\n", rows, best / count * 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  for (std::size_t bytes : {20, 60, 100, 200, 500, 1000, 4000}) digests(bytes, rounds);
  for (std::size_t rows : {1, 100}) pairs(rows, rounds);
}
