#include "sql/lexer.h"

#include <array>

#include "characters.h"
#include "comments.h"
#include "words.h"

namespace darktap::sql {
namespace {

enum : std::uint8_t { space = 1, digit = 2, letter = 4, hex_digit = 8, high = 16, alone = 32 };

constexpr std::array<std::uint8_t, 256> build_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c : {' ', '\t', '\n', '\v', '\f', '\r'}) classes[c] |= space;
  for (unsigned c = '0'; c <= '9'; ++c) classes[c] |= digit | hex_digit;
  for (unsigned c = 'a'; c <= 'z'; ++c) classes[c] |= letter, classes[c - 32] |= letter;
  for (unsigned c = 'a'; c <= 'f'; ++c) classes[c] |= hex_digit, classes[c - 32] |= hex_digit;
  classes['_'] |= letter;
  classes['$'] |= letter;
  for (unsigned c = 0x80; c < 0x100; ++c) classes[c] |= high;
  for (char c : std::string_view("()+-*/%,.;=<>!~^|&{}[]")) classes[static_cast<unsigned char>(c)] |= alone;  // a symbol by itself
  return classes;
}
constexpr std::array<std::uint8_t, 256> classes = build_classes();

class Lexer {
 public:
  Lexer(std::string_view text, const Dialect& dialect, UnknownVersion unknown, Lexed& out) : text_(text), dialect_(dialect), unknown_(unknown), out_(out) {}

  void run() {
    out_.tokens.clear();
    out_.comments.clear();
    out_.clean = true;
    out_.undecided = out_.parameters = 0;
    if (text_.size() > max_statement_bytes) {
      out_.clean = false;
      out_.tokens.push_back({TokenKind::invalid, 0, 0, 0, 0});
      out_.tokens.push_back({});
      return;
    }
    if (text_.ends_with('\0')) text_.remove_suffix(1);  // a C string's end that mysqlslap sends along: servers stop there
    out_.tokens.reserve(text_.size() / 5 + 4);
    while (at_ < text_.size()) next();
    if (in_versioned_) push(TokenKind::invalid, text_.size());
    push(TokenKind::end, text_.size());
  }

 private:
  // The bounds are looked at here, and not again in the string_view.
  unsigned char byte(std::size_t i) const { return i < text_.size() ? static_cast<unsigned char>(text_.data()[i]) : 0; }
  bool is(std::size_t i, unsigned set) const { return i < text_.size() && (classes.data()[byte(i)] & set) != 0; }
  bool ident(std::size_t i) const { return is(i, letter | digit | high); }
  // Bytes of the character of a name that begins at i, at least 0x80 there. 0 where it is none: in some 8-bit character set
  // such a byte is white space, in another a letter, so that nothing can be said of it outside of quotes.
  std::size_t high_length(std::size_t i) const {
    if (dialect_.charset == Charset::plain) return utf8_length(text_.substr(i));
    std::size_t length = character_length(dialect_.charset, text_.substr(i));
    bool single = length == 1 && (dialect_.charset == Charset::sjis || dialect_.charset == Charset::cp932) && byte(i) >= 0xa1 && byte(i) <= 0xdf;
    return length > 1 || single ? length : 0;
  }

  [[gnu::always_inline]] Token& push(TokenKind kind, std::size_t begin) {
    Token& token = out_.tokens.emplace_back();
    token.kind = kind;
    token.offset = static_cast<std::uint32_t>(begin);
    token.length = static_cast<std::uint32_t>(at_ > begin ? at_ - begin : 0);
    if (kind == TokenKind::invalid) out_.clean = false;
    if (kind == TokenKind::placeholder) token.symbol = out_.parameters++;
    return token;
  }
  void comment(CommentKind kind, std::size_t begin) {
    out_.comments.push_back({kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_ - begin)});
  }

  void next() {
    unsigned char c = byte(at_);
    const unsigned known = classes.data()[c];
    if ((known & space) != 0) { ++at_; return; }
    if (after_dot_) {
      after_dot_ = false;
      if (ident(at_)) return identifier(at_);
    }
    std::size_t begin = at_;
    switch (c) {
      case '\'': return quoted(TokenKind::string, begin, c);
      case '"': return quoted(dialect_.mode.ansi_quotes ? TokenKind::quoted_name : TokenKind::string, begin, c);
      case '`': return quoted(TokenKind::quoted_name, begin, c);
      case '#': return line_comment(begin);
      case '-':
        if (byte(at_ + 1) == '-' && (at_ + 2 >= text_.size() || byte(at_ + 2) <= ' ' || byte(at_ + 2) == 0x7f)) return line_comment(begin);
        if (byte(at_ + 1) == '-' && byte(at_ + 2) >= 0x80) push(TokenKind::invalid, begin);  // white space to some character sets
        break;
      case '/':
        if (byte(at_ + 1) == '*') return block_comment(begin);
        break;
      case '*':
        if (in_versioned_ && byte(at_ + 1) == '/') { in_versioned_ = false; at_ += 2; return; }
        break;
      case '?': ++at_; push(TokenKind::placeholder, begin); return;
      case '@': return variable(begin);
      case '.':
        if (is(at_ + 1, digit)) return number(begin);
        break;
      case ':': return colon(begin);
      case '\\':
        if (byte(at_ + 1) == 'N' && !ident(at_ + 2)) {
          at_ += 2;
          push(TokenKind::word, begin).word = static_cast<std::uint16_t>(W::null_);
          return;
        }
        ++at_;
        push(TokenKind::invalid, begin);
        return;
      case 'x': case 'X': case 'b': case 'B':
        if (byte(at_ + 1) == '\'') return quoted_digits(begin);
        break;
      case 'n': case 'N':
        if (byte(at_ + 1) == '\'') { ++at_; return quoted(TokenKind::string, begin, '\''); }
        break;
      default: break;
    }
    if ((known & digit) != 0) return number(begin);
    if ((known & (letter | high)) != 0) return identifier(begin);
    symbol(begin);
  }

  // At the opening quote (begin may lie before it). Doubled quotes stay inside; a backslash escapes where the mode lets it.
  void quoted(TokenKind kind, std::size_t begin, unsigned char quote) {
    bool escapes = kind == TokenKind::string && !dialect_.mode.no_backslash_escapes;
    bool high_stops = dialect_.charset != Charset::plain;
    ++at_;
    while (at_ < text_.size()) {
      at_ = skip_plain(text_, at_, quote, high_stops);
      if (at_ == text_.size()) break;
      unsigned char c = byte(at_);
      if (c == quote) {
        if (byte(at_ + 1) != quote || at_ + 1 >= text_.size()) {
          ++at_;
          if (kind == TokenKind::quoted_name && at_ - begin == 2) kind = TokenKind::invalid;  // `` is no name
          push(kind, begin);
          if (kind == TokenKind::quoted_name) after_name();
          return;
        }
        at_ += 2;
      } else if (c == '\\' && escapes) {
        ++at_;
        if (at_ < text_.size()) at_ += character_length(dialect_.charset, text_.substr(at_));
      } else if (c >= 0x80 && dialect_.charset != Charset::plain) {
        at_ += character_length(dialect_.charset, text_.substr(at_));
      } else {
        if (c == 0 && kind == TokenKind::quoted_name) kind_broken_ = true;
        ++at_;
      }
    }
    at_ = text_.size();
    push(TokenKind::invalid, begin);
  }

  void quoted_digits(std::size_t begin) {
    bool is_hex = (byte(begin) | 0x20) == 'x' || byte(at_) == 'x' || byte(at_) == 'X';
    at_ += 2;
    std::size_t first = at_;
    while (is_hex ? is(at_, hex_digit) : byte(at_) == '0' || byte(at_) == '1') ++at_;
    bool good = byte(at_) == '\'' && (!is_hex || (at_ - first) % 2 == 0);
    if (!good) {
      std::size_t close = text_.find('\'', at_);
      at_ = close == std::string_view::npos ? text_.size() : close + 1;
      push(TokenKind::invalid, begin);
      return;
    }
    ++at_;
    push(is_hex ? TokenKind::hex : TokenKind::bit, begin);
  }

  void line_comment(std::size_t begin) {
    std::size_t newline = text_.find('\n', at_);
    at_ = newline == std::string_view::npos ? text_.size() : newline;
    // The server stops at a NUL here and takes up the text behind it.
    bool broken = text_.substr(begin, at_ - begin).find('\0') != std::string_view::npos;
    comment(CommentKind::plain, begin);
    if (broken) push(TokenKind::invalid, begin);
  }

  void block_comment(std::size_t begin) {
    bool mariadb_only = byte(at_ + 2) == 'M' && byte(at_ + 3) == '!';
    bool versioned = byte(at_ + 2) == '!' || (mariadb_only && dialect_.server.kind != ServerKind::mysql);
    if (!versioned) {
      bool hint = byte(at_ + 2) == '+';
      std::size_t close = text_.find("*/", at_ + 2);
      if (close == std::string_view::npos) {
        at_ = text_.size();
        push(TokenKind::invalid, begin);
        return;
      }
      at_ = close + 2;
      comment(hint ? CommentKind::hint : CommentKind::plain, begin);
      if (hint && !ends_outside_quotes(text_.substr(begin, at_ - begin))) push(TokenKind::invalid, begin);
      return;
    }
    at_ += mariadb_only ? 4 : 3;
    CommentVersion version = comment_version(text_.substr(at_), mariadb_only, dialect_.server);
    at_ += version.digits;
    if (version.taken == Taken::undecided) {
      ++out_.undecided;
      version.taken = unknown_ == UnknownVersion::executed ? Taken::executed : Taken::skipped;
    }
    if (version.taken == Taken::executed) {
      in_versioned_ = true;
      return;
    }
    // Skipped: servers disagree on comments nested in it, so that such a text is not taken for understood.
    std::size_t close = text_.find("*/", at_);
    if (close == std::string_view::npos) {
      at_ = text_.size();
      push(TokenKind::invalid, begin);
      return;
    }
    bool nested = text_.substr(at_, close - at_).find("/*") != std::string_view::npos;
    at_ = close + 2;
    comment(CommentKind::skipped_version, begin);
    if (nested) push(TokenKind::invalid, begin);
  }

  void variable(std::size_t begin) {
    ++at_;
    bool system = byte(at_) == '@';
    if (system) {
      ++at_;
      bool any = false;
      for (;;) {
        if (byte(at_) == '`') {
          std::size_t close = text_.find('`', at_ + 1);
          if (close == std::string_view::npos) { at_ = text_.size(); any = false; break; }
          at_ = close + 1;
        } else if (ident(at_)) {
          name_characters();
        } else {
          any = false;
          break;
        }
        any = true;
        if (byte(at_) != '.') break;
        ++at_;
      }
      push(any ? TokenKind::system_variable : TokenKind::invalid, begin);
      return;
    }
    unsigned char c = byte(at_);
    if (c == '\'' || c == '"' || c == '`') {
      std::size_t before = out_.tokens.size();
      bool is_name = c == '`' || (c == '"' && dialect_.mode.ansi_quotes);
      quoted(is_name ? TokenKind::quoted_name : TokenKind::string, begin, c);
      after_dot_ = false;
      Token& token = out_.tokens[before];
      if (token.kind != TokenKind::invalid) token.kind = TokenKind::user_variable;
      out_.tokens.resize(before + 1);
      at_ = token.offset + token.length;
      return;
    }
    for (std::size_t before = 0; before != at_;) {
      before = at_;
      name_characters();
      while (byte(at_) == '.') ++at_;
    }
    push(at_ > begin + 1 ? TokenKind::user_variable : TokenKind::invalid, begin);
  }

  void colon(std::size_t begin) {
    if (byte(at_ + 1) == '=') { at_ += 2; push(TokenKind::symbol, begin).symbol = symbol_code(":="); return; }
    std::size_t name = at_ + 1;
    if (byte(name) == ':') ++name;
    if (ident(name)) {
      at_ = name;
      while (ident(at_)) ++at_;
      push(TokenKind::placeholder, begin);
      return;
    }
    ++at_;
    push(TokenKind::invalid, begin);
  }

  void number(std::size_t begin) {
    if (byte(at_) == '0' && (byte(at_ + 1) == 'x' || byte(at_ + 1) == 'b')) {
      bool is_hex = byte(at_ + 1) == 'x';
      std::size_t end = at_ + 2;
      while (is_hex ? is(end, hex_digit) : byte(end) == '0' || byte(end) == '1') ++end;
      if (end > at_ + 2 && !ident(end)) {
        at_ = end;
        push(is_hex ? TokenKind::hex : TokenKind::bit, begin);
        return;
      }
      return identifier(begin);
    }
    while (is(at_, digit)) ++at_;
    auto exponent = [&](std::size_t at) -> std::size_t {
      if ((byte(at) | 0x20) != 'e') return 0;
      ++at;
      if (byte(at) == '+' || byte(at) == '-') ++at;
      if (!is(at, digit)) return 0;
      while (is(at, digit)) ++at;
      return at;
    };
    if (at_ > begin && ident(at_)) {  // 1e5 is a number, 1abc a name
      if (std::size_t end = exponent(at_)) { at_ = end; push(TokenKind::number, begin); return; }
      at_ = begin;
      return identifier(begin);
    }
    if (byte(at_) == '.') {
      ++at_;
      while (is(at_, digit)) ++at_;
      if (std::size_t end = exponent(at_)) at_ = end;
    }
    push(TokenKind::number, begin);
  }

  // Steps over the characters of a name; stops at a byte that belongs to none.
  void name_characters() {
    const char* bytes = text_.data();
    const std::size_t size = text_.size();
    while (at_ < size) {
      std::size_t end = at_;
      while (end < size && (classes.data()[static_cast<unsigned char>(bytes[end])] & (letter | digit)) != 0) ++end;
      at_ = end;
      if (byte(at_) < 0x80) return;
      std::size_t length = high_length(at_);
      if (length == 0) return;
      at_ += length;
    }
  }

  void identifier(std::size_t begin) {
    bool after_dot = begin > 0 && text_.data()[begin - 1] == '.' && !out_.tokens.empty() && out_.tokens.back().kind == TokenKind::symbol &&
                     out_.tokens.back().symbol == '.' && out_.tokens.back().offset + 1 == begin;
    name_characters();
    if (at_ == begin) {
      ++at_;
      push(TokenKind::invalid, begin);
      return;
    }
    std::string_view word(text_.data() + begin, at_ - begin);
    if (!after_dot && word[0] == '_' && introducer(begin, word)) return;
    Token& token = push(TokenKind::word, begin);
    if (!after_dot) token.word = static_cast<std::uint16_t>(find_word(word));
    after_name();
  }

  // name.word: what follows the dot at once is a name, whatever it looks like.
  void after_name() {
    if (kind_broken_) { kind_broken_ = false; out_.clean = false; out_.tokens.back().kind = TokenKind::invalid; }
    if (byte(at_) == '.' && ident(at_ + 1)) {
      std::size_t dot = at_++;
      push(TokenKind::symbol, dot).symbol = '.';
      after_dot_ = true;
    }
  }

  bool introducer(std::size_t begin, std::string_view word) {
    if (!is_charset_name(word.substr(1))) return false;
    std::size_t at = at_;
    while (is(at, space)) ++at;
    unsigned char c = byte(at);
    std::size_t before = at_;
    if (c == '\'' || (c == '"' && !dialect_.mode.ansi_quotes)) {
      at_ = at;
      quoted(TokenKind::string, begin, c);
      return true;
    }
    if ((c == 'x' || c == 'X' || c == 'b' || c == 'B') && byte(at + 1) == '\'') {
      at_ = at;
      bool is_hex = (c | 0x20) == 'x';
      quoted_digits(at);
      Token& token = out_.tokens.back();
      token.length += token.offset - static_cast<std::uint32_t>(begin);
      token.offset = static_cast<std::uint32_t>(begin);
      if (token.kind != TokenKind::invalid) token.kind = is_hex ? TokenKind::hex : TokenKind::bit;
      return true;
    }
    if (c == '0' && (byte(at + 1) == 'x' || byte(at + 1) == 'b')) {
      at_ = at;
      std::size_t count = out_.tokens.size();
      number(at);
      Token& token = out_.tokens[count];
      if (token.kind == TokenKind::hex || token.kind == TokenKind::bit) {
        token.length += token.offset - static_cast<std::uint32_t>(begin);
        token.offset = static_cast<std::uint32_t>(begin);
        return true;
      }
      out_.tokens.resize(count);
      at_ = before;
      after_dot_ = false;
    }
    return false;
  }

  void symbol(std::size_t begin) {
    // "->>" and "<=>", else the pairs.
    unsigned char first = byte(begin), second = byte(begin + 1);
    std::size_t length = 1;
    switch (first) {
      case '-': length = second != '>' ? 1 : byte(begin + 2) == '>' ? 3 : 2; break;
      case '<': length = second == '=' ? (byte(begin + 2) == '>' ? 3 : 2) : second == '>' || second == '<' ? 2 : 1; break;
      case '>': length = second == '=' || second == '>' ? 2 : 1; break;
      case '!': length = second == '=' ? 2 : 1; break;
      case '|': case '&': length = second == first ? 2 : 1; break;
      default: break;
    }
    if (length > 1) {
      at_ += length;
      push(TokenKind::symbol, begin).symbol = symbol_code(text_.substr(begin, length));
      return;
    }
    ++at_;
    if ((classes.data()[first] & alone) == 0) {
      push(TokenKind::invalid, begin);
      return;
    }
    push(TokenKind::symbol, begin).symbol = first;
    // Some servers end the versioned comment with the statement, others don't.
    if (first == ';' && in_versioned_) push(TokenKind::invalid, at_);
  }

  std::string_view text_;
  const Dialect& dialect_;
  UnknownVersion unknown_;
  Lexed& out_;
  std::size_t at_ = 0;
  bool in_versioned_ = false;
  bool after_dot_ = false;
  bool kind_broken_ = false;
};

}  // namespace

void lex(std::string_view text, const Dialect& dialect, UnknownVersion unknown, Lexed& reused) { Lexer(text, dialect, unknown, reused).run(); }

Lexed lex(std::string_view text, const Dialect& dialect, UnknownVersion unknown) {
  Lexed lexed;
  lex(text, dialect, unknown, lexed);
  return lexed;
}

}  // namespace darktap::sql
