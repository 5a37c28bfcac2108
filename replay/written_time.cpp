#include "replay/written_time.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include "base/text.h"
#include "sql/lexer.h"

namespace darktap::replay {
namespace {

using sql::Token;
using sql::TokenKind;

enum class Asks : std::uint8_t { local, local_date, local_time, utc, utc_date, utc_time, seconds };
enum class Parentheses : std::uint8_t { needed, optional };
struct ClockFunction {
  std::string_view name;
  Asks asks;
  Parentheses parentheses;
};
constexpr std::array clock_functions{
    ClockFunction{"now", Asks::local, Parentheses::needed}, ClockFunction{"sysdate", Asks::local, Parentheses::needed},
    ClockFunction{"current_timestamp", Asks::local, Parentheses::optional}, ClockFunction{"localtime", Asks::local, Parentheses::optional},
    ClockFunction{"localtimestamp", Asks::local, Parentheses::optional}, ClockFunction{"curdate", Asks::local_date, Parentheses::needed},
    ClockFunction{"current_date", Asks::local_date, Parentheses::optional}, ClockFunction{"curtime", Asks::local_time, Parentheses::needed},
    ClockFunction{"current_time", Asks::local_time, Parentheses::optional}, ClockFunction{"utc_timestamp", Asks::utc, Parentheses::optional},
    ClockFunction{"utc_date", Asks::utc_date, Parentheses::optional}, ClockFunction{"utc_time", Asks::utc_time, Parentheses::optional},
    ClockFunction{"unix_timestamp", Asks::seconds, Parentheses::needed},
};

const ClockFunction* function_called(std::string_view word) {
  auto found = std::find_if(clock_functions.begin(), clock_functions.end(), [&](const ClockFunction& each) { return same_name(each.name, word); });
  return found == clock_functions.end() ? nullptr : &*found;
}

// ".250", cut as the server cuts it; empty for no digits.
std::string fraction_of(std::int64_t microseconds, std::size_t digits) {
  char text[16];
  std::snprintf(text, sizeof text, ".%06" PRId64, microseconds % 1'000'000);
  return digits == 0 ? "" : std::string(text, 1 + digits);
}

std::string literal_of(Asks asks, std::int64_t microseconds, std::size_t digits) {
  const std::string fraction = fraction_of(microseconds, digits);
  const std::string local = "FROM_UNIXTIME(" + std::to_string(microseconds / 1'000'000) + fraction + ")";
  const std::time_t seconds = microseconds / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  auto utc_as = [&](const char* format) {
    char text[40];
    std::strftime(text, sizeof text, format, &utc);
    return std::string(text);
  };
  switch (asks) {
    case Asks::local: return local;
    case Asks::local_date: return "DATE(" + local + ")";
    case Asks::local_time: return "TIME(" + local + ")";
    case Asks::utc: return "TIMESTAMP'" + utc_as("%Y-%m-%d %H:%M:%S") + fraction + "'";
    case Asks::utc_date: return "DATE'" + utc_as("%Y-%m-%d") + "'";
    case Asks::utc_time: return "TIME'" + utc_as("%H:%M:%S") + fraction + "'";
    case Asks::seconds: return std::to_string(microseconds / 1'000'000);
  }
  return "";
}

bool is_symbol(const Token& token, std::string_view characters) { return token.kind == TokenKind::symbol && token.symbol == sql::symbol_code(characters); }

}  // namespace

std::optional<std::string> with_time_written_in(std::string_view text, const sql::Meaning& meaning, const sql::Dialect& dialect, CaptureTime time, TargetClock clock) {
  auto asks = [&](std::string_view name) { return std::find(meaning.nondeterministic.begin(), meaning.nondeterministic.end(), name) != meaning.nondeterministic.end(); };
  if (clock == TargetClock::told || (clock == TargetClock::told_of_now && !asks("sysdate"))) return std::nullopt;
  if (meaning.statement_class != sql::StatementClass::write || !meaning.understood || time < CaptureTime()) return std::nullopt;
  const sql::Lexed lexed = sql::lex(text, dialect);
  if (!lexed.clean) return std::nullopt;
  const std::int64_t microseconds = to_microseconds(time.time_since_epoch());
  const std::vector<Token>& tokens = lexed.tokens;  // an end token is always the last
  std::string out;
  std::size_t done = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::word || (i > 0 && is_symbol(tokens[i - 1], "."))) continue;
    const ClockFunction* function = function_called(sql::text_of(text, tokens[i]));
    if (function == nullptr || is_symbol(tokens[i + 1], ".") || (clock == TargetClock::told_of_now && function->name != "sysdate")) continue;
    std::size_t last = i, digits = 0;
    if (is_symbol(tokens[i + 1], "(")) {
      const Token& inside = tokens[i + 2];
      std::string_view number = sql::text_of(text, inside);
      if (is_symbol(inside, ")")) {
        last = i + 2;
      } else if (inside.kind == TokenKind::number && is_symbol(tokens[i + 3], ")") && function->asks != Asks::seconds) {
        if (number.size() != 1 || number[0] < '0' || number[0] > '6') return std::nullopt;
        digits = static_cast<std::size_t>(number[0] - '0');
        last = i + 3;
      } else if (function->asks == Asks::seconds) {
        continue;  // UNIX_TIMESTAMP(expression) asks no clock
      } else {
        return std::nullopt;
      }
    } else if (function->parentheses == Parentheses::needed) {
      continue;  // a name
    }
    out += text.substr(done, tokens[i].offset - done);
    out += literal_of(function->asks, microseconds, digits);
    done = tokens[last].offset + tokens[last].length;
    i = last;
  }
  if (done == 0) return std::nullopt;
  return out + std::string(text.substr(done));
}

}  // namespace darktap::replay
