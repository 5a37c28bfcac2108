#include "recording_block.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace darktap::session {

namespace {

constexpr int compression_level = 1;
constexpr std::size_t shortest_compressed = 64;             // a shorter lane is stored as it is
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;   // output grows by this, so that a damaged size allocates no more
constexpr std::size_t most_kept_bytes = std::size_t{4} << 20;

void put(std::byte* to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8) to[i] = static_cast<std::byte>(value & 0xff);
}
std::uint64_t rep(CaptureTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }
CaptureTime time_of(std::uint64_t rep) { return CaptureTime(CaptureClock::duration(static_cast<std::int64_t>(rep))); }

}  // namespace

std::array<std::byte, FileHeader::bytes> encode(const FileHeader& header) {
  std::array<std::byte, FileHeader::bytes> bytes{};
  std::memcpy(bytes.data(), recording_magic.data(), recording_magic.size());
  put(&bytes[8], header.version, 4);
  put(&bytes[12], header.flags, 4);
  put(&bytes[16], header.key_id, 8);
  put(&bytes[24], header.part, 4);
  put(&bytes[32], XXH3_64bits(bytes.data(), 32), 8);
  return bytes;
}

std::optional<FileHeader> decode_file_header(Bytes bytes) {
  ByteReader reader(bytes);
  if (as_text(reader.take(recording_magic.size())) != std::string_view(recording_magic.data(), recording_magic.size())) return std::nullopt;
  FileHeader header;
  header.version = reader.u32le();
  if (!reader.ok()) return std::nullopt;
  if (header.version != recording_version) return header;
  header.flags = reader.u32le();
  header.key_id = reader.u64le();
  header.part = reader.u32le();
  reader.skip(4);
  std::uint64_t checksum = reader.u64le();
  if (!reader.ok() || checksum != XXH3_64bits(bytes.data(), 32)) return std::nullopt;
  return header;
}

std::array<std::byte, block_header_bytes> encode(const BlockHeader& header) {
  std::array<std::byte, block_header_bytes> bytes{};
  put(&bytes[0], block_magic, 4);
  put(&bytes[4], static_cast<std::uint64_t>(header.kind), 1);
  put(&bytes[5], static_cast<std::uint64_t>(header.place), 1);
  put(&bytes[8], header.payload_bytes, 4);
  put(&bytes[12], header.segment, 4);
  put(&bytes[16], header.rows_before, 4);
  put(&bytes[24], rep(header.first), 8);
  put(&bytes[32], rep(header.last), 8);
  put(&bytes[40], header.checksum, 8);
  return bytes;
}

std::optional<BlockHeader> decode_block_header(Bytes bytes) {
  ByteReader reader(bytes);
  if (reader.u32le() != block_magic) return std::nullopt;
  BlockHeader header;
  std::uint8_t kind = reader.u8(), place = reader.u8();
  reader.skip(2);
  header.kind = static_cast<BlockHeader::Kind>(kind);
  header.place = static_cast<BlockHeader::Place>(place);
  header.payload_bytes = reader.u32le();
  header.segment = reader.u32le();
  header.rows_before = reader.u32le();
  reader.skip(4);
  header.first = time_of(reader.u64le());
  header.last = time_of(reader.u64le());
  header.checksum = reader.u64le();
  if (!reader.ok() || kind < 1 || kind > 3 || place > 1 || header.payload_bytes > most_payload_bytes) return std::nullopt;
  return header;
}

std::uint64_t checksum_of(Bytes header_before_checksum, Bytes payload) {
  std::uint64_t of_header = XXH3_64bits(header_before_checksum.data(), header_before_checksum.size());
  return XXH3_64bits_withSeed(payload.data(), payload.size(), of_header);
}

std::size_t LaneWriters::size() const {
  std::size_t size = 0;
  for (const WireWriter& lane : lanes_) size += lane.size();
  return size;
}

void LaneWriters::clear() {
  for (WireWriter& lane : lanes_) lane.clear();
}

// Into compressed_, which grows with what comes out: the bound for a very large lane would double its memory.
void LaneWriters::compress(Bytes raw) {
  ZSTD_CCtx_reset(compressor_.get(), ZSTD_reset_session_only);
  ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_compressionLevel, compression_level);
  ZSTD_CCtx_setPledgedSrcSize(compressor_.get(), raw.size());
  compressed_.resize(std::min(ZSTD_compressBound(raw.size()), chunk_bytes));
  ZSTD_inBuffer in{raw.data(), raw.size(), 0};
  std::size_t have = 0, left = 1;
  while (left != 0) {
    ZSTD_outBuffer out{compressed_.data(), compressed_.size(), have};
    left = ZSTD_compressStream2(compressor_.get(), &out, &in, ZSTD_e_end);
    if (ZSTD_isError(left)) throw std::bad_alloc();  // the only thing that can go wrong here
    have = out.pos;
    if (left != 0) compressed_.resize(compressed_.size() + chunk_bytes);
  }
  compressed_.resize(have);
}

void LaneWriters::pack(std::vector<std::byte>& payload) {
  WireWriter head;
  for (std::size_t i = 0; i < lane_count; ++i) {
    WireWriter& lane = lanes_[i];
    if (lane.size() == 0) continue;
    Bytes raw = lane.view();
    compressed_.clear();
    if (raw.size() >= shortest_compressed) compress(raw);
    bool is_shorter = !compressed_.empty() && compressed_.size() < raw.size();
    Bytes stored = is_shorter ? Bytes(compressed_) : raw;
    head.number(i + 1);
    head.number(raw.size());
    head.number(is_shorter ? stored.size() : 0);
    payload.insert(payload.end(), head.view().begin(), head.view().end());
    payload.insert(payload.end(), stored.begin(), stored.end());
    head.clear();
    lane.clear();
  }
  if (compressed_.capacity() > most_kept_bytes) std::vector<std::byte>().swap(compressed_);
}

bool LaneReaders::decompress(Bytes stored, std::uint64_t size, std::vector<std::byte>& to) {
  ZSTD_DCtx_reset(decompressor_.get(), ZSTD_reset_session_only);
  ZSTD_inBuffer in{stored.data(), stored.size(), 0};
  std::size_t have = 0, left = 1;
  while (left != 0) {
    if (have == to.size()) {
      if (have >= size) return false;
      to.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, have + chunk_bytes)));
    }
    ZSTD_outBuffer out{to.data(), to.size(), have};
    std::size_t before = in.pos;
    left = ZSTD_decompressStream(decompressor_.get(), &out, &in);
    if (ZSTD_isError(left) || (out.pos == have && in.pos == before)) return false;
    have = out.pos;
  }
  return have == size && in.pos == in.size;
}

bool LaneReaders::unpack(Bytes payload, Lanes wanted) {
  readers_.assign(lane_count, WireReader({}));
  for (std::vector<std::byte>& bytes : bytes_) {
    bytes.clear();
    if (bytes.capacity() > most_kept_bytes) bytes.shrink_to_fit();
  }
  WireReader reader(payload);
  std::uint64_t last = 0;
  while (!reader.at_end()) {
    std::uint64_t lane = reader.number(), size = reader.number(), stored_size = reader.number();
    Bytes stored = reader.raw(stored_size == 0 ? size : stored_size);
    // A lane that this version doesn't know would leave out part of what the others mean.
    if (!reader.ok() || lane <= last || lane > lane_count) return false;
    last = lane;
    if (!is_among(static_cast<Lane>(lane - 1), wanted)) continue;
    std::vector<std::byte>& bytes = bytes_[lane - 1];
    if (stored_size == 0) bytes.assign(stored.begin(), stored.end());
    else if (!decompress(stored, size, bytes)) return false;
    readers_[lane - 1] = WireReader(bytes);
  }
  return reader.ok();
}

bool LaneReaders::ok() const {
  return std::all_of(readers_.begin(), readers_.end(), [](const WireReader& reader) { return reader.ok(); });
}

}  // namespace darktap::session
