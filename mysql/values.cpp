#include "values.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "lenenc.h"

namespace darktap::mysql {

namespace {

// Digits "d.ddd" and exponent of a scientific rendering, as the server's gcvt sees them.
std::string arrange(std::string_view scientific) {
  std::string digits;
  std::string sign;
  std::size_t at = 0;
  if (!scientific.empty() && scientific[0] == '-') { sign = "-"; ++at; }
  for (; at < scientific.size() && scientific[at] != 'e'; ++at)
    if (scientific[at] != '.') digits += scientific[at];
  int exponent = at < scientific.size() ? std::atoi(std::string(scientific.substr(at + 1)).c_str()) : 0;
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (digits == "0") return sign + "0";

  int length = static_cast<int>(digits.size());
  int point = exponent + 1;  // digits before the decimal point
  // The server prefers plain digits up to 15 places on either side, and wherever a fraction is left.
  constexpr int plain_places = 15;
  if (point >= -plain_places + 1 && (point <= plain_places || length > point)) {
    if (point <= 0) return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
    if (point >= length) return sign + digits + std::string(static_cast<std::size_t>(point - length), '0');
    return sign + digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
  }
  std::string text = sign + digits.substr(0, 1);
  if (length > 1) text += "." + digits.substr(1);
  return text + "e" + std::to_string(exponent);
}

std::string fixed(double value, std::uint8_t decimals) {
  std::string text(400, '\0');
  int written = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  text.resize(written > 0 ? static_cast<std::size_t>(written) : 0);
  return text;
}

std::string zero_filled(std::string text, const PrintStyle& style) {
  constexpr std::uint32_t widest = 255;  // no server lets a number be wider
  if ((style.flags & column_flag::zerofill) != 0 && text.size() < style.length && style.length <= widest)
    text.insert(0, style.length - text.size(), '0');
  return text;
}

std::string integer(std::uint64_t bits, unsigned width_bytes, const PrintStyle& style) {
  if ((style.flags & column_flag::unsigned_) != 0) return zero_filled(std::to_string(bits), style);
  unsigned unused = 64 - 8 * width_bytes;
  return std::to_string(static_cast<std::int64_t>(bits << unused) >> unused);
}

void put_fraction(std::string& text, std::uint32_t micros, std::uint8_t decimals) {
  if (decimals == 0) return;
  std::array<char, 8> six{};
  std::snprintf(six.data(), six.size(), "%06u", micros % 1'000'000);
  text += '.';
  text.append(six.data(), decimals > 6 ? 6 : decimals);
}

// A column that doesn't say how many digits shows them only where there are some.
std::uint8_t fraction_digits(const PrintStyle& style, std::uint32_t micros) {
  if (style.decimals <= 6) return style.decimals;
  return micros == 0 ? 0 : 6;
}

std::optional<std::string> date_time(Bytes value, ColumnType type, const PrintStyle& style) {
  if (value.size() != 0 && value.size() != 4 && value.size() != 7 && value.size() != 11) return std::nullopt;
  ByteReader reader(value);
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::uint32_t micros = 0;
  if (value.size() >= 4) { year = reader.u16le(); month = reader.u8(); day = reader.u8(); }
  if (value.size() >= 7) { hour = reader.u8(); minute = reader.u8(); second = reader.u8(); }
  if (value.size() == 11) micros = reader.u32le();
  std::array<char, 48> out{};
  if (type == ColumnType::date || type == ColumnType::newdate) {
    std::snprintf(out.data(), out.size(), "%04u-%02u-%02u", year, month, day);
    return std::string(out.data());
  }
  std::snprintf(out.data(), out.size(), "%04u-%02u-%02u %02u:%02u:%02u", year, month, day, hour, minute, second);
  std::string text(out.data());
  put_fraction(text, micros, fraction_digits(style, micros));
  return text;
}

std::optional<std::string> time_of_day(Bytes value, const PrintStyle& style) {
  if (value.size() != 0 && value.size() != 8 && value.size() != 12) return std::nullopt;
  ByteReader reader(value);
  bool negative = false;
  std::uint64_t hours = 0;
  unsigned minute = 0, second = 0;
  std::uint32_t micros = 0;
  if (value.size() >= 8) {
    negative = reader.u8() != 0;
    hours = std::uint64_t{reader.u32le()} * 24;
    hours += reader.u8();
    minute = reader.u8();
    second = reader.u8();
  }
  if (value.size() == 12) micros = reader.u32le();
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s%02llu:%02u:%02u", negative ? "-" : "", static_cast<unsigned long long>(hours), minute, second);
  std::string text(out.data());
  put_fraction(text, micros, fraction_digits(style, micros));
  return text;
}

}  // namespace

std::string print_double(double value) {
  std::array<char, 64> out{};
  auto [end, error] = std::to_chars(out.data(), out.data() + out.size(), value, std::chars_format::scientific);
  return arrange({out.data(), static_cast<std::size_t>(end - out.data())});
}

std::string print_float(float value) {
  std::array<char, 64> out{};
  // The server rounds to FLT_DIG digits; fewer where they already say it.
  auto [end, error] =
      std::to_chars(out.data(), out.data() + out.size(), static_cast<double>(value), std::chars_format::scientific, 5);
  return arrange({out.data(), static_cast<std::size_t>(end - out.data())});
}

Bytes read_binary_value(ByteReader& reader, ColumnType type) {
  switch (type) {
    case ColumnType::null: return {};
    case ColumnType::tiny: return reader.take(1);
    case ColumnType::short_:
    case ColumnType::year: return reader.take(2);
    case ColumnType::long_:
    case ColumnType::int24:
    case ColumnType::float_: return reader.take(4);
    case ColumnType::longlong:
    case ColumnType::double_: return reader.take(8);
    case ColumnType::date:
    case ColumnType::newdate:
    case ColumnType::datetime:
    case ColumnType::datetime2:
    case ColumnType::timestamp:
    case ColumnType::timestamp2:
    case ColumnType::time:
    case ColumnType::time2: {
      std::uint8_t length = reader.u8();
      if (length > 12) { reader.fail(); return {}; }
      return reader.take(length);
    }
    case ColumnType::decimal:
    case ColumnType::varchar:
    case ColumnType::bit:
    case ColumnType::vector:
    case ColumnType::json:
    case ColumnType::newdecimal:
    case ColumnType::enum_:
    case ColumnType::set:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::geometry: return read_lenenc_bytes(reader);
  }
  reader.fail();  // a type that no server knows
  return {};
}

std::optional<std::string> print_binary_value(Bytes value, ColumnType type, const PrintStyle& style) {
  ByteReader reader(value);
  auto sized = [&](std::size_t size) { return value.size() == size; };
  switch (type) {
    case ColumnType::null: return std::string();
    case ColumnType::tiny:
      if (!sized(1)) return std::nullopt;
      return integer(reader.u8(), 1, style);
    case ColumnType::short_:
      if (!sized(2)) return std::nullopt;
      return integer(reader.u16le(), 2, style);
    case ColumnType::year: {
      if (!sized(2)) return std::nullopt;
      std::array<char, 8> out{};
      std::snprintf(out.data(), out.size(), style.length == 2 ? "%02u" : "%04u", unsigned{reader.u16le()});
      return std::string(out.data());
    }
    case ColumnType::long_:
    case ColumnType::int24:
      if (!sized(4)) return std::nullopt;
      return integer(reader.u32le(), 4, style);
    case ColumnType::longlong:
      if (!sized(8)) return std::nullopt;
      return integer(reader.u64le(), 8, style);
    case ColumnType::float_: {
      if (!sized(4)) return std::nullopt;
      auto number = std::bit_cast<float>(reader.u32le());
      return zero_filled(style.decimals < any_decimals ? fixed(static_cast<double>(number), style.decimals) : print_float(number), style);
    }
    case ColumnType::double_: {
      if (!sized(8)) return std::nullopt;
      auto number = std::bit_cast<double>(reader.u64le());
      return zero_filled(style.decimals < any_decimals ? fixed(number, style.decimals) : print_double(number), style);
    }
    case ColumnType::date:
    case ColumnType::newdate:
    case ColumnType::datetime:
    case ColumnType::datetime2:
    case ColumnType::timestamp:
    case ColumnType::timestamp2: return date_time(value, type, style);
    case ColumnType::time:
    case ColumnType::time2: return time_of_day(value, style);
    case ColumnType::decimal:
    case ColumnType::varchar:
    case ColumnType::bit:
    case ColumnType::vector:
    case ColumnType::json:
    case ColumnType::newdecimal:
    case ColumnType::enum_:
    case ColumnType::set:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::geometry: return std::string(as_text(value));
  }
  return std::nullopt;
}

}  // namespace darktap::mysql
