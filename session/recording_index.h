// Where a recording's segments are and what is in them, so that a session or a time is found without reading the rest.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "session/exchange.h"
#include "wire.h"

namespace darktap::session {

struct SegmentEntry {
  std::uint64_t begin = 0, index = 0;  // offsets of its first block, and of its index block behind the last
  std::uint64_t exchanges = 0;
  CaptureTime first, last;             // of the requests in it
};

// The payload of a segment index: the entry, and the sessions that the segment speaks of, in ascending order.
struct SegmentIndex {
  SegmentEntry entry;
  std::vector<std::uint64_t> sessions;
};
void encode(WireWriter& out, const SegmentIndex& index);
bool decode(WireReader& in, SegmentIndex& index);

// The payload of the file index, the last block of a finished recording.
struct FileIndex {
  TapCounters counters;
  std::vector<SegmentEntry> segments;
};
void encode(WireWriter& out, const FileIndex& index);
bool decode(WireReader& in, FileIndex& index);

// The last bytes of a finished recording: where its file index is.
inline constexpr std::size_t trailer_bytes = 16;
std::array<std::byte, trailer_bytes> encode_trailer(std::uint64_t file_index_offset);
std::optional<std::uint64_t> decode_trailer(Bytes bytes);

}  // namespace darktap::session
