#include "characters.h"

#include <bit>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace darktap::sql {

std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto more = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  unsigned char lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf && more(1)) return 2;
  if (lead >= 0xe0 && lead <= 0xef && more(2)) return 3;
  if (lead >= 0xf0 && lead <= 0xf4 && more(3)) return 4;
  return 0;
}

bool is_charset_name(std::string_view name) {
  static constexpr std::string_view names[] = {
      "utf8",   "utf8mb3", "utf8mb4", "latin1", "latin2", "latin5", "latin7",   "binary", "ascii",   "ucs2",    "utf16",
      "utf16le", "utf32",  "gbk",     "gb2312", "gb18030", "big5",  "sjis",     "cp932",  "ujis",    "eucjpms", "euckr",
      "greek",  "hebrew",  "tis620",  "cp1250", "cp1251", "cp1256", "cp1257",   "cp850",  "cp852",   "cp866",   "koi8r",
      "koi8u",  "dec8",    "hp8",     "swe7",   "armscii8", "geostd8", "keybcs2", "macce", "macroman", "filename"};
  for (std::string_view known : names) {
    if (known.size() != name.size()) continue;
    bool equal = true;
    for (std::size_t i = 0; i < name.size() && equal; ++i) equal = known[i] == (name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
    if (equal) return true;
  }
  return false;
}

std::size_t skip_plain(std::string_view text, std::size_t at, unsigned char quote, bool high_stops) {
  const char* bytes = text.data();
#ifdef __SSE2__
  const __m128i quotes = _mm_set1_epi8(static_cast<char>(quote)), escapes = _mm_set1_epi8('\\');
  for (; at + 16 <= text.size(); at += 16) {
    __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    __m128i stops = _mm_or_si128(_mm_cmpeq_epi8(piece, quotes), _mm_or_si128(_mm_cmpeq_epi8(piece, escapes), _mm_cmpeq_epi8(piece, _mm_setzero_si128())));
    if (high_stops) stops = _mm_or_si128(stops, piece);  // the mask is made of the bytes' highest bits
    if (unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(stops)); mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  for (; at < text.size(); ++at) {
    unsigned char c = static_cast<unsigned char>(bytes[at]);
    if (c == quote || c == '\\' || c == 0 || (c >= 0x80 && high_stops)) break;
  }
  return at;
}

bool is_plain_name(std::string_view text, std::size_t at, std::size_t length) {
  const char* bytes = text.data() + at;
  auto between = [](char c, char low, char high) { return c >= low && c <= high; };
  if (length == 0 || between(bytes[0], '0', '9')) return false;
#ifdef __SSE2__
  if (length <= 16 && at + 16 <= text.size()) {
    __m128i piece = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    auto each_between = [](__m128i characters, char low, char high) {
      __m128i outside = _mm_or_si128(_mm_subs_epu8(characters, _mm_set1_epi8(high)), _mm_subs_epu8(_mm_set1_epi8(low), characters));
      return _mm_cmpeq_epi8(outside, _mm_setzero_si128());
    };
    __m128i good = _mm_or_si128(each_between(_mm_or_si128(piece, _mm_set1_epi8(0x20)), 'a', 'z'), each_between(piece, '0', '9'));
    good = _mm_or_si128(good, _mm_or_si128(_mm_cmpeq_epi8(piece, _mm_set1_epi8('_')), _mm_cmpeq_epi8(piece, _mm_set1_epi8('$'))));
    unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(good, piece)));  // made of the bytes' highest bits
    return (~mask & ((1U << length) - 1)) == 0;
  }
#endif
  for (std::size_t i = 0; i < length; ++i) {
    char c = bytes[i];
    bool plain = between(c, 'a', 'z') || between(c, 'A', 'Z') || between(c, '0', '9') || c == '_' || c == '$' || (c & 0x80) != 0;
    if (!plain) return false;
  }
  return true;
}

}  // namespace darktap::sql
