#include "recording_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/expected.h"
#include "recording_index.h"

namespace darktap::session {

namespace {
constexpr std::size_t search_bytes = std::size_t{1} << 20;
constexpr std::size_t most_kept_bytes = std::size_t{4} << 20;
}  // namespace

bool RecordingReader::is_recording(const std::string& path) {
  // A pipe is left alone: what is read from it here would be gone.
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, recording_magic.size()> magic{};
  bool is = ::read(file, magic.data(), magic.size()) == static_cast<ssize_t>(magic.size()) && magic == recording_magic;
  ::close(file);
  return is;
}

RecordingFile::RecordingFile(const std::string& path) : path_(path) {
  file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) {
    throw Failure(FailureKind::environment, path + ": can't open the recording: " + std::strerror(errno) + "; check the name and your rights");
  }
  struct stat info{};
  if (::fstat(file_, &info) == 0) size_ = static_cast<std::uint64_t>(info.st_size);
  Bytes bytes = read_at(0, FileHeader::bytes, head_);
  auto header = decode_file_header(bytes);
  bool has_magic = bytes.size() >= recording_magic.size() && std::memcmp(bytes.data(), recording_magic.data(), recording_magic.size()) == 0;
  std::string problem;
  if (!has_magic) {
    problem = "is not a darktap recording: it doesn't begin as one; give a .dtap, pcap or pcapng file";
  } else if (!header) {
    problem = "can't be read: the first " + std::to_string(FileHeader::bytes) + " bytes of the recording are cut off or damaged; take a copy of it that is whole";
  } else if (header->version != recording_version) {
    problem = "is a recording of format " + std::to_string(header->version) + ", this darktap reads format " + std::to_string(recording_version) +
              (header->version < recording_version ? "; record it again from its capture, or use the darktap that wrote it" : "; use the darktap that wrote it, or a later one");
  }
  if (!problem.empty()) {
    ::close(file_);
    throw Failure(FailureKind::environment, path + ": " + problem);
  }
  header_ = *header;
}

RecordingFile::~RecordingFile() { ::close(file_); }

Bytes RecordingFile::read_at(std::uint64_t offset, std::size_t count, std::vector<std::byte>& to) {
  if (to.size() < count) to.resize(count);
  std::size_t have = 0;
  while (have < count) {
    ssize_t got = ::pread(file_, to.data() + have, count - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Failure(FailureKind::environment, path_ + ": can't read the recording at byte " + std::to_string(offset + have) + ": " + std::strerror(errno));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes_read_ += have;
  return Bytes(to).first(have);
}

std::optional<BlockHeader> RecordingFile::header_at(std::uint64_t offset) { return decode_block_header(read_at(offset, block_header_bytes, head_)); }

std::optional<RecordingFile::Block> RecordingFile::block_at(std::uint64_t offset) {
  auto header = header_at(offset);
  // The file's size bounds what a damaged header can make us allocate.
  if (!header || offset + block_header_bytes + header->payload_bytes > size_) return std::nullopt;
  if (payload_.capacity() > most_kept_bytes && header->payload_bytes < payload_.capacity() / 2) std::vector<std::byte>().swap(payload_);
  Bytes payload = read_at(offset + block_header_bytes, header->payload_bytes, payload_);
  if (payload.size() != header->payload_bytes || checksum_of(Bytes(head_).first(block_header_bytes - 8), payload) != header->checksum) return std::nullopt;
  return Block{*header, payload, offset + block_header_bytes + header->payload_bytes};
}

std::optional<std::uint64_t> RecordingFile::next_block(std::uint64_t offset) {
  std::vector<std::byte> window;
  constexpr std::string_view magic = "dblk";
  while (offset + block_header_bytes <= size_) {
    std::string_view text = as_text(read_at(offset, search_bytes, window));
    for (std::size_t at = text.find(magic); at != std::string_view::npos; at = text.find(magic, at + 1)) {
      if (block_at(offset + at)) return offset + at;
    }
    if (text.size() < search_bytes) return std::nullopt;
    offset += text.size() - (magic.size() - 1);
  }
  return std::nullopt;
}

bool RecordingFile::is_trailer(std::uint64_t offset) {
  if (offset + trailer_bytes != size_) return false;
  auto index = decode_trailer(read_at(offset, trailer_bytes, head_));
  return index && *index < offset;
}

std::optional<std::uint64_t> RecordingFile::file_index() {
  if (size_ < trailer_bytes) return std::nullopt;
  return decode_trailer(read_at(size_ - trailer_bytes, trailer_bytes, head_));
}

}  // namespace darktap::session
