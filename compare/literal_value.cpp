#include "literal_value.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "sql/lexer.h"
#include "text.h"

namespace darktap::compare {

namespace {

constexpr std::size_t number_bytes = 8;  // a longer byte string is no number

// The digits of x'0aff', 0x0aff and _binary x'0aff'; 0 and 1 of b'01'.
std::string_view digits_of(std::string_view text) {
  if (auto quote = text.find('\''); quote != std::string_view::npos) return text.substr(quote + 1, text.size() - quote - 2);
  auto zero = text.find('0');
  return zero == std::string_view::npos ? std::string_view() : text.substr(std::min(zero + 2, text.size()));
}

unsigned digit(char c) { return c <= '9' ? static_cast<unsigned>(c - '0') : static_cast<unsigned>((c | 0x20) - 'a' + 10); }

std::string bytes_of(std::string_view digits, unsigned bits_a_digit) {
  const std::size_t a_byte = 8 / bits_a_digit;
  std::string bytes;
  unsigned byte = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    byte = byte << bits_a_digit | digit(digits[i]);
    if ((digits.size() - i - 1) % a_byte != 0) continue;
    bytes += static_cast<char>(byte);
    byte = 0;
  }
  return bytes;
}

bool is_plain_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text = trimmed(text.substr(1));
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> literal_text(std::string_view literal, const sql::Dialect& dialect) {
  const sql::Lexed lexed = sql::lex(literal, dialect);
  const auto end = lexed.tokens.end() - 1;
  auto is = [&](sql::TokenKind kind) { return [kind](const sql::Token& token) { return token.kind == kind; }; };
  if (end == lexed.tokens.begin()) return std::nullopt;
  if (std::all_of(lexed.tokens.begin(), end, is(sql::TokenKind::string))) {
    std::string value;
    for (auto token = lexed.tokens.begin(); token != end; ++token) value += sql::string_value(literal, *token, dialect);
    return value;
  }
  if (same_name(literal, "true")) return "1";
  if (same_name(literal, "false")) return "0";
  if (std::none_of(lexed.tokens.begin(), end, is(sql::TokenKind::number))) return std::nullopt;
  return std::string(literal);
}

std::vector<std::string> literal_readings(std::string_view literal, const sql::Dialect& dialect) {
  const sql::Lexed lexed = sql::lex(literal, dialect);
  const sql::Token& first = lexed.tokens.front();
  if (lexed.tokens.size() == 2 && (first.kind == sql::TokenKind::hex || first.kind == sql::TokenKind::bit)) {
    const std::string_view digits = digits_of(literal);
    std::string bytes = bytes_of(digits, first.kind == sql::TokenKind::hex ? 4 : 1);
    if (bytes.size() > number_bytes) return {std::move(bytes)};
    std::uint64_t number = 0;
    for (unsigned char byte : bytes) number = number << 8 | byte;
    return {std::move(bytes), std::to_string(number)};
  }
  auto text = literal_text(literal, dialect);
  if (!text) return {};
  const bool is_quoted = first.kind == sql::TokenKind::string;
  if (!is_quoted && !is_plain_number(*text)) return {};  // 1e1 is 10 in one column and '1e1' in another
  return {std::move(*text)};
}

}  // namespace darktap::compare
