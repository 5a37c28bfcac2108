// How fast one thread decodes a capture to exchanges, as a ratio to libpcap merely counting its packets: processor time, the two of
// each round one after the other, so that a busy machine slows both.
//
//   bench_decode_speed FILE [ROUNDS [DARKTAP]]    medians of ROUNDS rounds (default 7); DARKTAP: the program whose
//                                                 `inspect --format summary` is measured beside it
//   bench_decode_speed FILE ROUNDS STAGE          that stage alone, for a profiler: libpcap, packets, reassembly or decode
//
// "decode" is the way of every capture: file, segments, reassembly, frames, commands and answers, the session's state, secrets looked
// for, up to finished exchanges with statement, parameters, times, kept rows and row digests, handed to a sink that adds them up. What
// comes behind (fingerprints, recording, replay) is not part of it.
#include <pcap/pcap.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "capture/reassembler.h"
#include "capture/tap.h"
#include "session/assembler.h"

using namespace darktap;

namespace {

double seconds_used() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Sums {
  std::uint64_t packets = 0, exchanges = 0, rows = 0, text_bytes = 0, payload = 0, check = 0;
};

Sums count_packets(const std::string& path) {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_t* handle = pcap_open_offline(path.c_str(), error);
  if (handle == nullptr) throw Failure(FailureKind::environment, path + ": " + error);
  Sums sums;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (pcap_next_ex(handle, &header, &data) == 1) {
    ++sums.packets;
    sums.check += header->caplen;
  }
  pcap_close(handle);
  return sums;
}

Sums read_packets(const std::string& path) {
  capture::FileTap tap(path);
  capture::PacketView packet;
  Sums sums;
  while (tap.next(packet, {}) == capture::Tap::Read::packet) {
    ++sums.packets;
    sums.check += packet.data.size();
  }
  return sums;
}

class PayloadSum final : public StreamSink {
 public:
  explicit PayloadSum(Sums& sums) : sums_(sums) {}
  void on_open(const StreamOpen&) override {}
  void on_bytes(const StreamBytes& event) override { sums_.payload += event.bytes.size(); }
  void on_gap(const StreamGap& event) override { sums_.check += event.length; }
  void on_end(const StreamEnd&) override {}

 private:
  Sums& sums_;
};

Sums reassemble(const std::string& path) {
  capture::FileTap tap(path);
  Sums sums;
  PayloadSum sink(sums);
  capture::Reassembler reassembler(sink);
  capture::PacketView packet;
  while (tap.next(packet, {}) == capture::Tap::Read::packet) {
    ++sums.packets;
    reassembler.feed(packet);
  }
  reassembler.finish(packet.time);
  return sums;
}

class ExchangeSum final : public session::ExchangeSink {
 public:
  explicit ExchangeSum(Sums& sums) : sums_(sums) {}
  void on_session(const session::SessionInfo&) override {}
  void on_exchange(session::Exchange& e) override {
    ++sums_.exchanges;
    sums_.text_bytes += e.command.text.size();
    sums_.check += static_cast<std::uint64_t>((e.response_last - e.request_first).count());
    for (const mysql::Result& result : e.answer.results) {
      const auto* set = std::get_if<mysql::ResultSet>(&result);
      if (set == nullptr) continue;
      const mysql::RowDigests digests = set->digests();
      sums_.rows += digests.rows;
      sums_.check += digests.ordered_low + digests.multiset_low;
    }
  }
  void on_session_end(SessionId, CaptureTime) override {}

 private:
  Sums& sums_;
};

Sums decode(const std::string& path) {
  capture::FileTap tap(path);
  Sums sums;
  ExchangeSum sink(sums);
  session::Assembler assembler(sink, {});
  capture::Reassembler reassembler(assembler);
  capture::PacketView packet;
  while (tap.next(packet, {}) == capture::Tap::Read::packet) {
    ++sums.packets;
    reassembler.feed(packet);
  }
  reassembler.finish(packet.time);
  return sums;
}

// User and system time of a child, and its peak memory.
struct ChildCost {
  double seconds = 0;
  long peak_kib = 0;
};
ChildCost inspect_summary(const std::string& program, const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(127);
    execl(program.c_str(), program.c_str(), "inspect", path.c_str(), "--format", "summary", nullptr);
    _exit(127);
  }
  int status = 0;
  rusage used{};
  if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) throw Failure(FailureKind::environment, program + ": inspect failed");
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return {seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Stage {
  const char* name;
  Sums (*pass)(const std::string&);
  std::vector<double> seconds{}, ratios{};
  Sums sums{};
};

const std::array all_stages{Stage{"libpcap", count_packets}, Stage{"packets", read_packets}, Stage{"reassembly", reassemble},
                            Stage{"decode", decode}};

void print(const char* name, const std::vector<double>& seconds, const std::vector<double>& ratios, double megabytes, const Sums& sums) {
  const double used = median(seconds);
  std::printf("%-12s %8.1f ms %8.0f MB/s  ratio %.3f (%.3f-%.3f)", name, used * 1e3, megabytes / used, median(ratios),
              *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()));
  if (sums.packets > 0) std::printf("  %6.0f ns/packet", used * 1e9 / static_cast<double>(sums.packets));
  if (sums.exchanges > 0) std::printf(" %6.0f ns/exchange", used * 1e9 / static_cast<double>(sums.exchanges));
  std::printf("\n");
}

int measure(const std::string& path, int rounds, const std::string& darktap) {
  std::array stages = all_stages;
  std::vector<double> inspect_seconds, inspect_ratios;
  long inspect_peak = 0;
  count_packets(path);  // the page cache is warm for all
  for (int round = 0; round < rounds; ++round) {
    for (Stage& stage : stages) {
      const double start = seconds_used();
      stage.sums = stage.pass(path);
      stage.seconds.push_back(seconds_used() - start);
      stage.ratios.push_back(stages[0].seconds.back() / stage.seconds.back());
    }
    if (darktap.empty()) continue;
    const ChildCost cost = inspect_summary(darktap, path);
    inspect_seconds.push_back(cost.seconds);
    inspect_ratios.push_back(stages[0].seconds.back() / cost.seconds);
    inspect_peak = std::max(inspect_peak, cost.peak_kib);
  }
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const double megabytes = static_cast<double>(file.tellg()) / 1e6;
  const Sums& found = stages.back().sums;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("%s: %.1f MB, %llu packets, %llu exchanges, %llu rows, %llu bytes of text, peak %ld KiB (check %016llx)\n", path.c_str(), megabytes,
              static_cast<unsigned long long>(stages[0].sums.packets), static_cast<unsigned long long>(found.exchanges),
              static_cast<unsigned long long>(found.rows), static_cast<unsigned long long>(found.text_bytes), used.ru_maxrss,
              static_cast<unsigned long long>(found.check));
  for (const Stage& stage : stages) print(stage.name, stage.seconds, stage.ratios, megabytes, stage.sums);
  if (!darktap.empty()) {
    print("inspect", inspect_seconds, inspect_ratios, megabytes, {});
    std::printf("%-12s %8ld KiB at its peak\n", "inspect", inspect_peak);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_decode_speed FILE [ROUNDS [DARKTAP]]\n");
    return 2;
  }
  try {
    for (const Stage& stage : all_stages) {
      if (argc < 4 || std::string_view(argv[3]) != stage.name) continue;
      for (int round = std::atoi(argv[2]); round > 0; --round) stage.pass(argv[1]);
      return 0;
    }
    return measure(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 7, argc > 3 ? argv[3] : "");
  } catch (const Failure& failure) {
    std::fprintf(stderr, "bench_decode_speed: %s\n", failure.what());
    return static_cast<int>(failure.kind());
  }
}
