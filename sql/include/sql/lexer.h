// Statement text to tokens with byte offsets, as the MySQL and MariaDB lexers cut it. Never throws, never reads past the
// end, one pass. What no server would accept (an open quote, a stray byte) becomes an `invalid` token: nothing behind it
// may be trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/dialect.h"

namespace darktap::sql {

// The largest text that is looked into: a longer one is one `invalid` token, which keeps memory bounded (16 bytes a token).
inline constexpr std::size_t max_statement_bytes = std::size_t{16} << 20;

enum class TokenKind : std::uint8_t {
  word,             // a keyword or an unquoted identifier
  quoted_name,      // `x`, or "x" under ANSI_QUOTES
  string,           // '…', "…", N'…', _charset'…' (introducer included)
  number,           // 12, 1.5, .5, 1e3
  hex,              // 0x1f, x'1f', also with an introducer
  bit,              // 0b01, b'01'
  placeholder,      // ?, and the :name of client frameworks
  user_variable,    // @x, @'x', @`x`
  system_variable,  // @@x, @@global.x
  symbol,           // operators and punctuation
  invalid,
  end,              // always the last token; length 0
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint16_t word = 0;    // for `word`: which known word, 0 for none (sql's own numbering)
  std::uint32_t symbol = 0;  // for `symbol`: symbol_code of its characters; for `placeholder`: its index from 0
  std::uint32_t offset = 0;  // bytes from the start of the text
  std::uint32_t length = 0;
};

// ";", "<=", "->>": up to three characters as one number.
constexpr std::uint32_t symbol_code(std::string_view characters) {
  std::uint32_t code = 0;
  for (char c : characters) code = code << 8 | static_cast<unsigned char>(c);
  return code;
}

enum class CommentKind : std::uint8_t { plain, hint, skipped_version };
// A comment, delimiters included. `skipped_version` is a /*!NNNNN … */ that the dialect's server does not execute.
struct Comment {
  CommentKind kind = CommentKind::plain;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

struct Lexed {
  std::vector<Token> tokens;
  std::vector<Comment> comments;
  bool clean = true;               // false: there is an `invalid` token
  std::uint32_t undecided = 0;  // versioned comments that the dialect can't decide; they were taken as asked for
  std::uint32_t parameters = 0;
};

// How versioned comments are taken when the server's version does not decide.
enum class UnknownVersion : std::uint8_t { executed, skipped };

Lexed lex(std::string_view text, const Dialect& dialect = {}, UnknownVersion unknown = UnknownVersion::executed);
// The same into what an earlier text left, whose memory is used again.
void lex(std::string_view text, const Dialect& dialect, UnknownVersion unknown, Lexed& reused);

// The token's own bytes; lives as long as the text.
inline std::string_view text_of(std::string_view text, const Token& token) {
  return token.offset + std::size_t{token.length} <= text.size() ? std::string_view(text.data() + token.offset, token.length) : std::string_view();
}
// An identifier, variable or alias without its quotes (doubled quotes undone).
std::string name_of(std::string_view text, const Token& token);
// The value of a string literal, escapes undone, introducer dropped; the bytes as they are for others.
std::string string_value(std::string_view text, const Token& token, const Dialect& dialect = {});

}  // namespace darktap::sql
