// What `darktap replay --pace max` is measured against: a bare blocking loop. One thread and one connection a captured
// session, each sending its text queries one after the other through the client library and storing the rows; nothing is
// compared, kept or counted by statement. The recording is read into memory before the clock starts.
//
//   bench_bare_replay RECORDING.dtap HOST PORT USER PASSWORD SCHEMA
//
// Prints one JSON object: queries, seconds, the processor time of the loop alone and of the whole process.
#include <mysql.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "session/recording.h"

namespace {

using darktap::mysql::CommandCode;

struct Load final : darktap::session::ExchangeSink {
  std::map<std::uint64_t, std::vector<std::string>> sessions;
  std::uint64_t others = 0;

  void on_session(const darktap::session::SessionInfo&) override {}
  void on_exchange(darktap::session::Exchange& exchange) override {
    if (exchange.command.code == CommandCode::query) sessions[exchange.id.session.value].push_back(std::move(exchange.command.text));
    else ++others;
  }
  void on_session_end(darktap::SessionId, darktap::CaptureTime) override {}
};

double processor_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: bench_bare_replay RECORDING.dtap HOST PORT USER PASSWORD SCHEMA\n");
    return 2;
  }
  Load load;
  darktap::session::RecordingReader(argv[1]).read(load);
  mysql_server_init(0, nullptr, nullptr);
  std::atomic<std::uint64_t> queries{0}, failed{0};
  double before = processor_seconds();
  auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (auto& [id, texts] : load.sessions)
    threads.emplace_back([&, &session = texts] {
      mysql_thread_init();
      MYSQL* mysql = mysql_init(nullptr);
      unsigned tcp = MYSQL_PROTOCOL_TCP;
      mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
      if (mysql_real_connect(mysql, argv[2], argv[4], argv[5], argv[6], static_cast<unsigned>(std::atoi(argv[3])), nullptr, 0) == nullptr) {
        std::fprintf(stderr, "%s\n", mysql_error(mysql));
        failed += session.size();
      } else {
        std::uint64_t done = 0;
        for (const std::string& text : session) {
          if (mysql_real_query(mysql, text.data(), text.size()) != 0) ++failed;
          if (MYSQL_RES* rows = mysql_store_result(mysql)) mysql_free_result(rows);
          ++done;
        }
        queries += done;
      }
      mysql_close(mysql);
      mysql_thread_end();
    });
  for (std::thread& thread : threads) thread.join();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double after = processor_seconds();
  std::printf("{\"queries\":%llu,\"failed\":%llu,\"other_commands\":%llu,\"sessions\":%zu,\"seconds\":%.3f,\"loop_cpu\":%.3f,\"process_cpu\":%.3f}\n",
              static_cast<unsigned long long>(queries.load()), static_cast<unsigned long long>(failed.load()),
              static_cast<unsigned long long>(load.others), load.sessions.size(), seconds, after - before, after);
}
