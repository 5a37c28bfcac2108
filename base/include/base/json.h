// The one JSON writer: streams into a string, in the order of the calls, with UTF-8 made valid on the way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace darktap {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& null();
  JsonWriter& string(std::string_view text);  // invalid UTF-8 becomes U+FFFD
  JsonWriter& boolean(bool value);
  JsonWriter& number(double value);
  template <class Integer>
    requires std::is_integral_v<Integer> && (!std::is_same_v<Integer, bool>)
  JsonWriter& number(Integer value) {
    return raw(std::to_string(value));
  }
  // Text that is JSON already: a number with all its digits, a stored object.
  JsonWriter& raw(std::string_view json);

  // key + value in one call.
  JsonWriter& member(std::string_view name, std::string_view text) { return key(name).string(text); }
  JsonWriter& member(std::string_view name, const char* text) { return key(name).string(text); }
  JsonWriter& member(std::string_view name, const std::string& text) { return key(name).string(text); }
  JsonWriter& member(std::string_view name, bool value) { return key(name).boolean(value); }
  template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>)
  JsonWriter& member(std::string_view name, Number value) {
    return key(name).number(value);
  }

  const std::string& text() const { return text_; }
  std::string take() { needs_comma_ = false; return std::move(text_); }
  void clear() { text_.clear(); needs_comma_ = false; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

// True where the bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace darktap
