// A statement's text as what stays from one execution to the next and what changes: a recording keeps the first once.
// Lossless for any bytes; that the split follows the SQL is a matter of size alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace darktap::session {

// A literal is either a number written the canonical way, or any other piece of the text.
struct Literal {
  enum class Kind : std::uint8_t { number, piece } kind = Kind::piece;
  std::uint64_t number = 0;
  std::string_view piece;  // lives as long as the text
};

namespace skeleton {
inline constexpr char number = '\x01', piece = '\x02';  // where a literal stood
inline constexpr char whole = '\x03';                   // alone: the text is one piece
}  // namespace skeleton

// Replaces both outputs.
void split_statement(std::string_view text, std::string& skeleton, std::vector<Literal>& literals);

}  // namespace darktap::session
