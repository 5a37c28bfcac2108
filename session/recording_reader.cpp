#include <xxhash.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/expected.h"
#include "exchange_codec.h"
#include "recording_block.h"
#include "session/recording.h"

namespace darktap::session {

struct RecordingReader::State {
  std::string path;
  std::ifstream file;
  std::vector<std::string> files;
  std::vector<std::byte> compressed, raw;
  TapCounters counted;
  bool has_counters = false;

  enum class Block { read, damaged, end };
  Block next_block();
  bool hand_over(ExchangeSink& sink);
  void hand_over(RecordKind kind, WireReader& in, ExchangeSink& sink);
};

namespace {
bool has_magic(std::istream& file) {
  std::array<char, recording_magic.size()> magic{};
  return file.read(magic.data(), magic.size()) && magic == recording_magic;
}
}  // namespace

bool RecordingReader::is_recording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return file && has_magic(file);
}

RecordingReader::RecordingReader(const std::string& path) : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->file.open(path, std::ios::binary);
  if (!state_->file) throw Failure(FailureKind::environment, path + ": can't open the recording: " + std::strerror(errno) + "; check the name and your rights");
  if (!has_magic(state_->file)) throw Failure(FailureKind::environment, path + ": is not a darktap recording: it doesn't begin as one; give a .dtap, pcap or pcapng file");
  std::array<std::byte, file_header_bytes - recording_magic.size()> rest{};
  state_->file.read(reinterpret_cast<char*>(rest.data()), rest.size());
  std::uint32_t version = ByteReader(rest).u32le();
  if (version != recording_version) {
    throw Failure(FailureKind::environment, path + ": is a recording of format " + std::to_string(version) + ", this darktap reads format " +
                                                std::to_string(recording_version) + "; use the darktap that wrote it");
  }
}

RecordingReader::~RecordingReader() = default;

RecordingReader::State::Block RecordingReader::State::next_block() {
  std::array<std::byte, block_header_bytes> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (file.gcount() == 0) return Block::end;
  ByteReader fields(Bytes(header).first(static_cast<std::size_t>(file.gcount())));
  bool is_block = fields.u32le() == block_magic;
  std::uint32_t compressed_size = fields.u32le(), raw_size = fields.u32le();
  fields.skip(4);
  std::uint64_t checksum = fields.u64le();
  if (!fields.ok() || !is_block || compressed_size > max_block_bytes || raw_size > max_block_bytes) return Block::damaged;
  // Grows with what is really there, so that a damaged size can't exhaust memory.
  compressed.clear();
  while (compressed.size() < compressed_size) {
    std::size_t have = compressed.size(), want = std::min<std::size_t>(compressed_size - have, 1U << 20);
    compressed.resize(have + want);
    file.read(reinterpret_cast<char*>(compressed.data() + have), static_cast<std::streamsize>(want));
    if (static_cast<std::size_t>(file.gcount()) != want) return Block::damaged;
  }
  if (XXH3_64bits(compressed.data(), compressed.size()) != checksum) return Block::damaged;
  if (ZSTD_getFrameContentSize(compressed.data(), compressed.size()) != raw_size) return Block::damaged;
  raw.resize(raw_size);
  return ZSTD_decompress(raw.data(), raw.size(), compressed.data(), compressed.size()) == raw_size ? Block::read : Block::damaged;
}

void RecordingReader::State::hand_over(RecordKind kind, WireReader& in, ExchangeSink& sink) {
  switch (kind) {
    case RecordKind::file:
      files.push_back(in.text());
      return;
    case RecordKind::session: {
      SessionInfo info;
      decode(in, info);
      if (!in.ok()) return;
      ++counted.sessions;
      if (info.join == SessionInfo::Join::midstream) ++counted.joined_midstream;
      if (info.transport == SessionInfo::Transport::tls) ++counted.tls_sessions;
      if (info.transport == SessionInfo::Transport::compressed) ++counted.compressed_sessions;
      sink.on_session(info);
      return;
    }
    case RecordKind::exchange: {
      Exchange exchange;
      decode(in, exchange);
      if (!in.ok()) return;
      if (counted.first_time == CaptureTime()) counted.first_time = exchange.request_first;
      counted.last_time = std::max({counted.last_time, exchange.request_last, exchange.response_last});
      sink.on_exchange(exchange);
      return;
    }
    case RecordKind::session_end: {
      SessionId session{in.number()};
      CaptureTime time(CaptureClock::duration(in.difference()));
      if (in.ok()) sink.on_session_end(session, time);
      return;
    }
    case RecordKind::counters:
      decode(in, counted);
      has_counters = in.ok();
      return;
  }
  in.fail();
}

bool RecordingReader::State::hand_over(ExchangeSink& sink) {
  WireReader records(raw);
  while (!records.at_end()) {
    auto kind = static_cast<RecordKind>(records.small<std::uint8_t>());
    WireReader record(records.bytes());
    if (!records.ok()) return false;
    hand_over(kind, record, sink);
    if (!record.ok()) return false;
  }
  return records.ok();
}

TapCounters RecordingReader::read(ExchangeSink& sink) {
  State::Block block = State::Block::read;
  while (block == State::Block::read) {
    block = state_->next_block();
    if (block == State::Block::read && !state_->hand_over(sink)) block = State::Block::damaged;
  }
  if (block == State::Block::damaged || !state_->has_counters) state_->counted.end = TapCounters::End::truncated;
  return state_->counted;
}

const std::vector<std::string>& RecordingReader::files() const { return state_->files; }

}  // namespace darktap::session
