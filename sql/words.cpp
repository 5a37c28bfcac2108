#include "words.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "base/text.h"

namespace darktap::sql {
namespace {

struct Entry {
  std::string_view text;
  Reserve reserve = Reserve::free;
};

constexpr std::size_t word_count = static_cast<std::size_t>(W::count_of_words);

constexpr Reserve free_ = Reserve::free, some_ = Reserve::some, reserved_ = Reserve::reserved;
constexpr std::array<Entry, word_count> entries{{
    {"", Reserve::free},
#define DARKTAP_WORD(name, reserve) {#name, reserve##_},
#include "words.def"
#undef DARKTAP_WORD
}};

constexpr std::size_t longest_word() {
  std::size_t longest = 0;
  for (const Entry& entry : entries) longest = entry.text.size() > longest ? entry.text.size() : longest;
  return longest;
}

// Up to eight bytes as one number, bit 5 set in each: letters meet their twins.
constexpr std::uint64_t folded(const char* bytes, std::size_t count) {
  std::uint64_t number = 0;
  if (count == 8 && !std::is_constant_evaluated()) {
    std::memcpy(&number, bytes, 8);
  } else if (count >= 4 && !std::is_constant_evaluated()) {  // two halves, which may overlap
    std::uint32_t front = 0, back = 0;
    std::memcpy(&front, bytes, 4);
    std::memcpy(&back, bytes + count - 4, 4);
    number = front | std::uint64_t{back} << 8 * (count - 4);
  } else {
    for (std::size_t i = 0; i < count; ++i) number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
  }
  return number | 0x2020202020202020u;
}
static_assert(std::endian::native == std::endian::little);

// What tells a word from all others of its length, up to 16 bytes of it: its first and its last eight, which may overlap.
struct Key {
  std::uint64_t front = 0, back = 0;
  std::size_t size = 0;
};
constexpr Key key_of(std::string_view text) {
  Key key{folded(text.data(), text.size() < 8 ? text.size() : 8), 0, text.size()};
  if (text.size() > 8) key.back = folded(text.data() + text.size() - 8, 8);
  return key;
}
constexpr std::uint32_t hash(const Key& key) {
  std::uint64_t h = (key.front ^ key.size) * 0x9e3779b97f4a7c15u;
  if (key.size > 8) h = (h ^ h >> 29 ^ key.back) * 0xc2b2ae3d27d4eb4fu;
  return static_cast<std::uint32_t>(h >> 40);
}

// Open addressing with linear steps; less than a third full.
constexpr std::size_t slots = 4096;
static_assert(word_count * 3 < slots);

constexpr std::array<std::uint16_t, slots> build() {
  std::array<std::uint16_t, slots> table{};
  for (std::uint16_t i = 1; i < word_count; ++i) {
    std::size_t at = hash(key_of(entries[i].text)) % slots;
    while (table[at] != 0) at = (at + 1) % slots;
    table[at] = i;
  }
  return table;
}
constexpr std::array<std::uint16_t, slots> table = build();

constexpr std::array<Key, word_count> build_keys() {
  std::array<Key, word_count> keys{};
  for (std::size_t i = 1; i < word_count; ++i) keys[i] = key_of(entries[i].text);
  return keys;
}
constexpr std::array<Key, word_count> keys = build_keys();

// Which first and last letters a word of some length may have: most names are told from all words by it.
constexpr std::size_t sketch_of(char first, char last, std::size_t size) {
  return (static_cast<unsigned char>(first) & 31U) | (static_cast<unsigned char>(last) & 31U) << 5 | (size & 31U) << 10;
}
constexpr std::array<std::uint64_t, 512> build_sketch() {
  std::array<std::uint64_t, 512> sketch{};
  for (std::size_t i = 1; i < word_count; ++i) {
    std::size_t at = sketch_of(entries[i].text.front(), entries[i].text.back(), entries[i].text.size());
    sketch[at / 64] |= std::uint64_t{1} << at % 64;
  }
  return sketch;
}
constexpr std::array<std::uint64_t, 512> sketch = build_sketch();

// The other bytes of known words (underscores and digits) have no twin that could meet them.
bool same_middle(std::string_view known, std::string_view text) {
  for (std::size_t i = 8; i + 8 < known.size(); ++i) {
    if (known[i] != lower(text[i])) return false;
  }
  return true;
}

}  // namespace

// The text holds the characters of a name only: there bit 5 parts nothing but the letters' case.
W find_word(std::string_view text) {
  if (text.size() > longest_word() || text.empty()) return W::none;
  std::size_t seen = sketch_of(text.front(), text.back(), text.size());
  if ((sketch[seen / 64] >> seen % 64 & 1) == 0) return W::none;
  Key key = key_of(text);
  for (std::size_t at = hash(key) % slots; table[at] != 0; at = (at + 1) % slots) {
    const Key& known = keys[table[at]];
    if (known.front == key.front && known.size == key.size && known.back == key.back && same_middle(entries[table[at]].text, text)) {
      return static_cast<W>(table[at]);
    }
  }
  return W::none;
}

std::string_view spelling(W word) { return entries[static_cast<std::size_t>(word)].text; }
Reserve reserve_of(W word) { return entries[static_cast<std::size_t>(word)].reserve; }

}  // namespace darktap::sql
