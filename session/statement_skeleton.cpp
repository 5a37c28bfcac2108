#include "statement_skeleton.h"

#include <algorithm>

namespace darktap::session {

namespace {

constexpr std::size_t most_digits = 18;  // fits 64 bits with room to spare

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_marker(char c) { return c == skeleton::number || c == skeleton::piece || c == skeleton::whole; }

bool is_canonical(std::string_view digits) {
  return digits.size() <= most_digits && (digits.size() == 1 || digits[0] != '0') && std::all_of(digits.begin(), digits.end(), is_digit);
}

// Where the quoted text that begins behind `from` ends: at its closing quote, or with the text.
std::size_t closing_quote(std::string_view text, std::size_t from, char quote) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == quote) return i;
  }
  return text.size();
}

}  // namespace

void split_statement(std::string_view text, std::string& skeleton, std::vector<Literal>& literals) {
  skeleton.clear();
  literals.clear();
  auto piece = [&](std::size_t from, std::size_t to) {
    skeleton += skeleton::piece;
    literals.push_back({.kind = Literal::Kind::piece, .number = 0, .piece = text.substr(from, to - from)});
  };
  std::size_t i = 0;
  while (i < text.size()) {
    char c = text[i];
    if (is_marker(c)) {
      skeleton.assign(1, skeleton::whole);
      literals.assign(1, {.kind = Literal::Kind::piece, .number = 0, .piece = text});
      return;
    }
    if (c == '\'' || c == '"') {
      std::size_t end = closing_quote(text, i + 1, c);
      skeleton += c;
      piece(i + 1, end);
      if (end < text.size()) skeleton += c;
      i = std::min(end + 1, text.size());
    } else if (c == '/' && i + 1 < text.size() && text[i + 1] == '*') {
      std::size_t end = text.find("*/", i + 2);
      if (end == std::string_view::npos) end = text.size();
      skeleton += "/*";
      piece(i + 2, end);
      i = end;
      if (i < text.size()) {
        skeleton += "*/";
        i += 2;
      }
    } else if (is_digit(c)) {
      std::size_t end = i;
      while (end < text.size() && is_word(text[end])) ++end;
      std::string_view digits = text.substr(i, end - i);
      if (is_canonical(digits)) {
        std::uint64_t value = 0;
        for (char digit : digits) value = value * 10 + static_cast<std::uint64_t>(digit - '0');
        skeleton += skeleton::number;
        literals.push_back({.kind = Literal::Kind::number, .number = value, .piece = {}});
      } else {
        piece(i, end);
      }
      i = end;
    } else if (is_word(c)) {
      std::size_t end = i;
      while (end < text.size() && is_word(text[end])) ++end;
      skeleton.append(text, i, end - i);
      i = end;
    } else {
      skeleton += c;
      ++i;
    }
  }
}

}  // namespace darktap::session
