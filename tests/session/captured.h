// Runs a capture file through taps, reassembly and decoding, and keeps every session and exchange.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/reassembler.h"
#include "capture/tap.h"
#include "session/assembler.h"

struct Captured final : darktap::session::ExchangeSink {
  void on_session(const darktap::session::SessionInfo& info) override {
    if (!sessions.emplace(info.id, info).second) throw std::logic_error("a session began twice");
  }
  void on_exchange(darktap::session::Exchange& exchange) override {
    if (sessions.count(exchange.id.session) == 0) throw std::logic_error("an exchange came before its session");
    if (exchange.id.seq != next_seq[exchange.id.session]++) throw std::logic_error("an exchange is out of its order");
    exchanges[exchange.id.session].push_back(std::move(exchange));
  }
  void on_session_end(darktap::SessionId session, darktap::CaptureTime) override { ++ended[session]; }

  std::map<darktap::SessionId, darktap::session::SessionInfo> sessions;
  std::map<darktap::SessionId, std::vector<darktap::session::Exchange>> exchanges;
  std::map<darktap::SessionId, std::uint32_t> next_seq;
  std::map<darktap::SessionId, int> ended;
  darktap::session::TapCounters counters;
  darktap::capture::ReassemblerStats stats;
};

// The packets of the file that `keeps` says yes to, by number.
template <class Keeps>
Captured read_capture(const std::filesystem::path& path, const darktap::session::AssemblerOptions& options, Keeps&& keeps) {
  using namespace darktap;
  Captured captured;
  session::Assembler assembler(captured, options);
  capture::Reassembler reassembler(assembler);
  capture::FileTap tap(path.string());
  capture::PacketView packet;
  CaptureTime last;
  while (tap.next(packet) == capture::Tap::Read::packet) {
    last = packet.time;
    if (keeps(packet.number.value)) reassembler.feed(packet);
  }
  reassembler.finish(last);
  assembler.add_to(captured.counters);
  captured.stats = reassembler.stats();
  return captured;
}

inline Captured read_capture(const std::filesystem::path& path, const darktap::session::AssemblerOptions& options = {}) {
  return read_capture(path, options, [](std::uint64_t) { return true; });
}

inline std::string unzipped(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("can't open " + path.string());
  std::string text, part(1 << 16, '\0');
  for (int size = 0; (size = gzread(file, part.data(), static_cast<unsigned>(part.size()))) > 0;) text.append(part, 0, static_cast<std::size_t>(size));
  gzclose(file);
  return text;
}
