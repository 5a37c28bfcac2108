// What a recording's blocks are made of, and their limits (docs/recording.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace darktap::session {

enum class RecordKind : std::uint8_t { file = 1, session = 2, exchange = 3, session_end = 4, counters = 5 };

// A block is closed at RecordingWriter::block_bytes, or with this many exchanges.
inline constexpr std::size_t block_exchange_limit = 16'384;
// A segment ends when its row window is full, or with this many exchanges.
inline constexpr std::uint64_t segment_exchange_limit = 262'144;

}  // namespace darktap::session
