#include "recording_index.h"

#include <xxhash.h>

#include "misc_codec.h"

namespace darktap::session {

namespace {

void encode(WireWriter& out, const SegmentEntry& entry) {
  out.number(entry.begin);
  out.number(entry.index - entry.begin);
  out.number(entry.exchanges);
  out.difference(entry.first.time_since_epoch().count());
  out.difference(entry.last.time_since_epoch().count());
}
void decode(WireReader& in, SegmentEntry& entry) {
  entry.begin = in.number();
  entry.index = entry.begin + in.number();
  entry.exchanges = in.number();
  entry.first = CaptureTime(CaptureClock::duration(in.difference()));
  entry.last = CaptureTime(CaptureClock::duration(in.difference()));
}

}  // namespace

void encode(WireWriter& out, const SegmentIndex& index) {
  encode(out, index.entry);
  out.number(index.sessions.size());
  std::uint64_t last = 0;
  for (std::uint64_t session : index.sessions) {
    out.number(session - last);
    last = session;
  }
}
bool decode(WireReader& in, SegmentIndex& index) {
  decode(in, index.entry);
  std::size_t count = in.count();
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < count && in.ok(); ++i) index.sessions.push_back(last += in.number());
  return in.ok() && in.at_end();
}

void encode(WireWriter& out, const FileIndex& index) {
  encode(out, index.counters);
  out.number(index.segments.size());
  for (const SegmentEntry& entry : index.segments) encode(out, entry);
}
bool decode(WireReader& in, FileIndex& index) {
  decode(in, index.counters);
  std::size_t count = in.count();
  for (std::size_t i = 0; i < count && in.ok(); ++i) decode(in, index.segments.emplace_back());
  return in.ok() && in.at_end();
}

std::array<std::byte, trailer_bytes> encode_trailer(std::uint64_t file_index_offset) {
  std::array<std::byte, trailer_bytes> bytes{};
  auto put = [&](std::size_t at, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i, value >>= 8) bytes[at + i] = static_cast<std::byte>(value & 0xff);
  };
  put(0, file_index_offset);
  put(8, XXH3_64bits(bytes.data(), 8));
  return bytes;
}

std::optional<std::uint64_t> decode_trailer(Bytes bytes) {
  if (bytes.size() != trailer_bytes) return std::nullopt;
  ByteReader reader(bytes);
  std::uint64_t offset = reader.u64le();
  return reader.u64le() == XXH3_64bits(bytes.data(), 8) ? std::optional(offset) : std::nullopt;
}

}  // namespace darktap::session
