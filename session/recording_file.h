// The blocks of a recording's file, wherever they can still be found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "recording_block.h"
#include "session/recording.h"

namespace darktap::session {

class RecordingFile {
 public:
  // Throws Failure(environment), see RecordingReader.
  explicit RecordingFile(const std::string& path);
  ~RecordingFile();
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;

  const FileHeader& header() const { return header_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

  struct Block {
    BlockHeader header;
    Bytes payload;       // until the next block is read
    std::uint64_t end = 0;
  };
  // The block that begins there, where it is whole.
  std::optional<Block> block_at(std::uint64_t offset);
  // Its header alone, unproved.
  std::optional<BlockHeader> header_at(std::uint64_t offset);
  // Where the next whole block begins, at or behind `offset`.
  std::optional<std::uint64_t> next_block(std::uint64_t offset);
  // Where the file index is, if the file was finished.
  std::optional<std::uint64_t> file_index();
  bool is_trailer(std::uint64_t offset);

 private:
  Bytes read_at(std::uint64_t offset, std::size_t count, std::vector<std::byte>& to);

  std::string path_;
  int file_ = -1;
  FileHeader header_;
  std::uint64_t size_ = 0, bytes_read_ = 0;
  std::vector<std::byte> head_, payload_;
};

}  // namespace darktap::session
