// The frame around a recording's blocks (docs/recording.md): header, compressed payload, checksum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace darktap::session {

inline constexpr std::array<char, 8> recording_magic = {'d', 'a', 'r', 'k', 't', 'a', 'p', '\n'};
inline constexpr std::uint32_t recording_version = 1;
inline constexpr std::uint32_t block_magic = 0x6b6c6264;  // "dblk"
inline constexpr std::size_t file_header_bytes = 16;      // magic, version, reserved
inline constexpr std::size_t block_header_bytes = 24;     // magic, compressed size, raw size, reserved, XXH3-64 of the compressed bytes
// A block holds at least one record however large; this bounds what a damaged header can make the reader allocate.
inline constexpr std::uint32_t max_block_bytes = 1U << 31;

enum class RecordKind : std::uint8_t { file = 1, session = 2, exchange = 3, session_end = 4, counters = 5 };

}  // namespace darktap::session
