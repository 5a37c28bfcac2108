#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include "base/expected.h"
#include "exchange_codec.h"
#include "recording_block.h"
#include "session/recording.h"

namespace darktap::session {

namespace {

constexpr int compression_level = 3;

void put(std::byte* to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) to[i] = static_cast<std::byte>(value & 0xff);
}

[[noreturn]] void fail(const std::string& path, const char* what, const std::string& remedy) {
  throw Failure(FailureKind::environment, path + ": can't " + what + " the recording: " + std::strerror(errno) + "; " + remedy);
}

}  // namespace

struct RecordingWriter::State {
  std::string path;
  int file = -1;
  WireWriter block, record;
  std::vector<std::byte> compressed;
  ZSTD_CCtx* compressor = ZSTD_createCCtx();

  explicit State(const std::string& p) : path(p) {}
  ~State() {
    ZSTD_freeCCtx(compressor);
    if (file >= 0) ::close(file);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void write(Bytes bytes) {
    while (!bytes.empty()) {
      ssize_t written = ::write(file, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail(path, "write", "make room or name another folder");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void append(RecordKind kind) {
    block.number(static_cast<std::uint64_t>(kind));
    block.bytes(record.view());
    record.clear();
    if (block.size() >= block_bytes) write_block();
  }

  void write_block() {
    if (block.size() == 0) return;
    compressed.resize(block_header_bytes + ZSTD_compressBound(block.size()));
    std::size_t size = ZSTD_compressCCtx(compressor, compressed.data() + block_header_bytes, compressed.size() - block_header_bytes,
                                         block.view().data(), block.size(), compression_level);
    if (ZSTD_isError(size)) throw Failure(FailureKind::environment, path + ": can't compress the recording: " + ZSTD_getErrorName(size));
    put(compressed.data(), block_magic, 4);
    put(compressed.data() + 4, size, 4);
    put(compressed.data() + 8, block.size(), 4);
    put(compressed.data() + 12, 0, 4);
    put(compressed.data() + 16, XXH3_64bits(compressed.data() + block_header_bytes, size), 8);
    write(Bytes(compressed).first(block_header_bytes + size));
    block.clear();
  }
};

RecordingWriter::RecordingWriter(const std::string& path) : state_(std::make_unique<State>(path)) {
  if (struct stat info{}; ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    // An earlier recording of the same name is replaced, as tcpdump does, but by a file of our own.
    if (::unlink(path.c_str()) != 0) fail(path, "replace", "name another file");
  }
  state_->file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (state_->file < 0 && errno == EEXIST) {
    throw Failure(FailureKind::environment, path + ": is not a regular file; a recording holds production data and is never written through a link, name another file");
  }
  if (state_->file < 0) fail(path, "create", "name a file in a folder that you may write to");
  std::array<std::byte, file_header_bytes> header{};
  std::memcpy(header.data(), recording_magic.data(), recording_magic.size());
  put(header.data() + 8, recording_version, 4);
  state_->write(header);
}

RecordingWriter::~RecordingWriter() = default;

void RecordingWriter::add_file(const std::string& name) {
  state_->record.text(name);
  state_->append(RecordKind::file);
}

void RecordingWriter::on_session(const SessionInfo& info) {
  encode(state_->record, info);
  state_->append(RecordKind::session);
}

void RecordingWriter::on_exchange(Exchange& exchange) {
  encode(state_->record, exchange);
  state_->append(RecordKind::exchange);
}

void RecordingWriter::on_session_end(SessionId session, CaptureTime time) {
  state_->record.number(session.value);
  state_->record.difference(time.time_since_epoch().count());
  state_->append(RecordKind::session_end);
}

void RecordingWriter::flush() { state_->write_block(); }

void RecordingWriter::finish(const TapCounters& counters) {
  encode(state_->record, counters);
  state_->append(RecordKind::counters);
  state_->write_block();
  if (::fsync(state_->file) != 0 && errno != EINVAL && errno != EROFS) fail(state_->path, "finish", "make room or name another folder");
  ::close(state_->file);
  state_->file = -1;
}

}  // namespace darktap::session
