// A recording's file header and blocks (docs/recording.md): every byte is covered by a checksum.
#pragma once

#include <zstd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "wire.h"

namespace darktap::session {

inline constexpr std::array<char, 8> recording_magic = {'d', 'a', 'r', 'k', 't', 'a', 'p', '\n'};
inline constexpr std::uint32_t recording_version = 2;
inline constexpr std::uint32_t block_magic = 0x6b6c6264;  // "dblk"
inline constexpr std::size_t block_header_bytes = 48;
// A block holds at least one record however large; this bounds what a damaged header can make the reader allocate.
inline constexpr std::uint32_t most_payload_bytes = 0xffff0000;

struct FileHeader {
  static constexpr std::size_t bytes = 40;
  std::uint32_t version = recording_version;
  std::uint32_t flags = 0;    // rows_sealed, redacted
  std::uint64_t key_id = 0;   // which key sealed the rows; 0 where none did
  std::uint32_t part = 0;     // of a series, from 0
  static constexpr std::uint32_t rows_sealed = 1, redacted = 2;
};
std::array<std::byte, FileHeader::bytes> encode(const FileHeader& header);
// A header of another version is given back with that version alone.
std::optional<FileHeader> decode_file_header(Bytes bytes);

struct BlockHeader {
  enum class Kind : std::uint8_t { records = 1, segment_index = 2, file_index = 3 } kind = Kind::records;
  enum class Place : std::uint8_t { inside = 0, begins_segment = 1 } place = Place::inside;
  std::uint32_t payload_bytes = 0;
  std::uint32_t segment = 0;   // from 0
  std::uint32_t rows_before = 0;  // rows that the segment's earlier blocks remember
  CaptureTime first, last;     // of the requests in it
  std::uint64_t checksum = 0;  // XXH3-64 over the header before it, then the payload
};
std::array<std::byte, block_header_bytes> encode(const BlockHeader& header);
// Nothing where it can't be a block's header.
std::optional<BlockHeader> decode_block_header(Bytes bytes);
std::uint64_t checksum_of(Bytes header_before_checksum, Bytes payload);

// A payload is a row of lanes: values of one kind, one behind the other, each lane a zstd frame of its own where that is
// shorter.
enum class Lane : std::uint8_t {
  records, misc, session, seq, file, packet, times_unit, request_first, request_span, response_wait, response_span,
  request_bytes, response_bytes, shape, shapes, numbers, piece_lengths, pieces, results, row_counts, rows, row_lengths, row_bytes,
  digests, texts,
};
inline constexpr std::size_t lane_count = static_cast<std::size_t>(Lane::texts) + 1;

// `heads`: those that tell of each exchange no more than its id, times and shape.
enum class Lanes : std::uint8_t { all, heads };
constexpr bool is_among(Lane lane, Lanes lanes) { return lanes == Lanes::all || lane <= Lane::response_span || lane == Lane::shape || lane == Lane::shapes; }

class LaneWriters {
 public:
  WireWriter& operator[](Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
  std::size_t size() const;
  void clear();
  // Appends the lanes to `payload`, and empties them.
  void pack(std::vector<std::byte>& payload);

 private:
  void compress(Bytes raw);

  std::array<WireWriter, lane_count> lanes_;
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> compressor_{ZSTD_createCCtx()};
  std::vector<std::byte> compressed_;
};

// Lanes of one block, taken apart; views into memory of its own.
class LaneReaders {
 public:
  WireReader& operator[](Lane lane) { return readers_[static_cast<std::size_t>(lane)]; }
  // False where the payload isn't made of lanes. Those that aren't wanted are empty.
  bool unpack(Bytes payload, Lanes wanted);
  // Nothing was read that isn't there.
  bool ok() const;

 private:
  bool decompress(Bytes stored, std::uint64_t size, std::vector<std::byte>& to);

  std::array<std::vector<std::byte>, lane_count> bytes_;
  std::vector<WireReader> readers_;
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> decompressor_{ZSTD_createDCtx()};
};

}  // namespace darktap::session
