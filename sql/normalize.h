// The text of a fingerprint, from tokens and the roles that the parser gave them.
#pragma once

#include <string>

#include "sql/fingerprint.h"
#include "statement.h"

namespace darktap::sql {

// Memory that one text leaves to the next of its thread; given back where a text was unusually long.
struct Scratch {
  Lexed lexed;
  Parsed parsed;
  std::string normalized;
  void shrink() {
    constexpr std::size_t usual_tokens = 1U << 15, usual_bytes = 1U << 18;
    constexpr std::size_t usual_statements = 64;
    if (lexed.tokens.capacity() > usual_tokens || normalized.size() > usual_bytes || parsed.statements.size() > usual_statements) *this = {};
  }
};

// `memory` is overwritten; what it holds afterwards means nothing.
std::string normalize(std::string_view text, const Lexed& lexed, const Parsed& parsed, const FingerprintRules& rules, std::string& memory);

}  // namespace darktap::sql
