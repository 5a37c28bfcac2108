#include "cells.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

#include "compare/rules.h"
#include "json_canonical.h"

namespace darktap::compare {

namespace {

using mysql::ColumnType;

std::optional<double> number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The same DECIMAL value in one spelling: no trailing zeros, no leading ones, no sign on zero. Nothing for other text.
std::optional<std::string> canonical_decimal(std::string_view text) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point), fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  auto digits = [](std::string_view part) { return part.find_first_not_of("0123456789") == std::string_view::npos; };
  if ((whole.empty() && fraction.empty()) || !digits(whole) || !digits(fraction)) return std::nullopt;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  std::string result = negative && !(whole.empty() && fraction.empty()) ? "-" : "";
  result += whole.empty() ? "0" : whole;
  if (!fraction.empty()) (result += '.') += fraction;
  return result;
}

bool is_single(const mysql::Column& column) { return column.type == ColumnType::float_; }

// The same value but for the last place: servers print floating point numbers with different routines.
bool same_float(double a, double b, bool single) {
  if (a == b) return true;
  if (single) {
    auto x = static_cast<float>(a), y = static_cast<float>(b);
    return x == y || std::nextafter(x, y) == y;
  }
  return std::nextafter(a, b) == b;
}

// BIT is bytes, most significant first; a temporary table may hold it as a number, and the server then sends it as one.
bool same_bits(std::string_view bits, std::string_view number_text) {
  std::uint64_t value = 0, printed = 0;
  if (bits.empty() || bits.size() > sizeof value) return false;
  for (char byte : bits) value = value << 8U | static_cast<unsigned char>(byte);
  auto [end, error] = std::from_chars(number_text.data(), number_text.data() + number_text.size(), printed);
  return error == std::errc() && end == number_text.data() + number_text.size() && value == printed;
}

// CHAR(n) and BINARY(n): fixed length, padded or not by the session's mode and the server.
bool is_fixed_length(const mysql::Column& column) {
  return column.type == ColumnType::string && (column.flags & (mysql::column_flag::enum_ | mysql::column_flag::set)) == 0;
}

std::string_view unpadded(std::string_view text, char pad) {
  while (!text.empty() && text.back() == pad) text.remove_suffix(1);
  return text;
}

bool same_but_padding(const mysql::Cell& a, const mysql::Column& column_a, const mysql::Cell& b, const mysql::Column& column_b) {
  if (!is_fixed_length(column_a) && !is_fixed_length(column_b)) return false;
  const mysql::Column& fixed = is_fixed_length(column_a) ? column_a : column_b;
  if (std::max(a.text.size(), b.text.size()) > fixed.length) return false;
  char pad = mysql::is_bytes(fixed) ? '\0' : ' ';
  return unpadded(a.text, pad) == unpadded(b.text, pad);
}

}  // namespace

TypeFamily family_of(const mysql::Column& column) {
  if (column.flags & mysql::column_flag::enum_) return TypeFamily::enum_;
  if (column.flags & mysql::column_flag::set) return TypeFamily::set;
  if (column.extended_type == "json") return TypeFamily::json;
  switch (column.type) {
    case ColumnType::null: return TypeFamily::null;
    case ColumnType::tiny: case ColumnType::short_: case ColumnType::long_: case ColumnType::longlong: case ColumnType::int24:
      return TypeFamily::integer;
    case ColumnType::decimal: case ColumnType::newdecimal: return TypeFamily::decimal;
    case ColumnType::float_: case ColumnType::double_: return TypeFamily::floating;
    case ColumnType::date: case ColumnType::newdate: return TypeFamily::date;
    case ColumnType::time: case ColumnType::time2: return TypeFamily::time;
    case ColumnType::timestamp: case ColumnType::datetime: case ColumnType::timestamp2: case ColumnType::datetime2:
      return TypeFamily::datetime;
    case ColumnType::year: return TypeFamily::year;
    case ColumnType::bit: return TypeFamily::bit;
    case ColumnType::json: return TypeFamily::json;
    case ColumnType::enum_: return TypeFamily::enum_;
    case ColumnType::set: return TypeFamily::set;
    case ColumnType::geometry: return TypeFamily::geometry;
    case ColumnType::vector: return TypeFamily::vector;
    case ColumnType::varchar: case ColumnType::tiny_blob: case ColumnType::medium_blob: case ColumnType::long_blob:
    case ColumnType::blob: case ColumnType::var_string: case ColumnType::string:
      return column.charset == mysql::binary_charset ? TypeFamily::bytes : TypeFamily::text;
  }
  return TypeFamily::bytes;
}

std::string_view to_string(TypeFamily family) {
  constexpr std::array<std::string_view, 16> names{"null", "integer", "decimal", "floating", "text", "bytes", "date", "time",
                                                   "datetime", "year", "bit", "json", "enum", "set", "geometry", "vector"};
  return names[static_cast<std::size_t>(family)];
}

bool is_text(TypeFamily family) { return family == TypeFamily::text || family == TypeFamily::enum_ || family == TypeFamily::set; }

std::optional<std::string> sorted_list(std::string_view value, const sql::ValueBuilder& builder) {
  if (builder.function == "json_arrayagg") return canonical_json(value, ArrayOrder::sorted_at_top);
  if (builder.function == "json_objectagg") return canonical_json(value);
  if (builder.function != "group_concat" || builder.separator.empty()) return std::nullopt;
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    std::size_t end = value.find(builder.separator, begin);
    parts.push_back(value.substr(begin, end - begin));
    if (end == std::string_view::npos) break;
    begin = end + builder.separator.size();
  }
  std::sort(parts.begin(), parts.end());
  std::string result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) result += builder.separator;
    result += parts[i];
  }
  return result;
}

CellComparison compare_cells(const mysql::Cell& a, const mysql::Column& column_a, const mysql::Cell& b,
                             const mysql::Column& column_b, const ColumnPlan& plan) {
  if (a == b) return {CellMatch::equal, {}};
  if (!plan.noise.empty()) return {CellMatch::noise, {}};
  if (a.is_null || b.is_null) return {CellMatch::different, {}};
  if (plan.builder != nullptr) {
    auto x = sorted_list(a.text, *plan.builder), y = sorted_list(b.text, *plan.builder);
    if (x && y && *x == *y) return {CellMatch::reordered, {}};
  }
  TypeFamily family = family_of(column_a), other = family_of(column_b);
  auto numeric = [](TypeFamily f) { return f == TypeFamily::integer || f == TypeFamily::decimal || f == TypeFamily::floating; };
  if (numeric(family) && numeric(other)) {
    auto x = canonical_decimal(a.text), y = canonical_decimal(b.text);
    if (x && y && *x == *y) {
      bool decimal = family == TypeFamily::decimal && other == TypeFamily::decimal;
      bool floating = family == TypeFamily::floating && other == TypeFamily::floating;
      return {CellMatch::normalised, decimal ? rule::decimal_scale : floating ? rule::float_printing : rule::column_type};
    }
    if (family == TypeFamily::floating || other == TypeFamily::floating) {
      auto p = number(a.text), q = number(b.text);
      if (p && q && same_float(*p, *q, is_single(column_a) || is_single(column_b))) return {CellMatch::normalised, rule::float_printing};
    }
    return {CellMatch::different, {}};
  }
  if (family == TypeFamily::bit && other == TypeFamily::integer && same_bits(a.text, b.text)) return {CellMatch::normalised, rule::bit_as_number};
  if (family == TypeFamily::integer && other == TypeFamily::bit && same_bits(b.text, a.text)) return {CellMatch::normalised, rule::bit_as_number};
  if (family == TypeFamily::json || other == TypeFamily::json || plan.as_json) {
    auto x = canonical_json(a.text), y = canonical_json(b.text);
    if (x && y && *x == *y) return {CellMatch::normalised, rule::json_key_order};
  }
  if (same_but_padding(a, column_a, b, column_b)) return {CellMatch::normalised, rule::char_padding};
  return {CellMatch::different, {}};
}

std::string canonical(const mysql::Cell& cell, const mysql::Column& column, const ColumnPlan& plan) {
  if (!plan.noise.empty()) return "~";
  if (cell.is_null) return "N";
  if (plan.builder != nullptr)
    if (auto list = sorted_list(cell.text, *plan.builder)) return "L" + *list;
  if (plan.as_json)
    if (auto value = canonical_json(cell.text)) return "V" + *value;
  switch (family_of(column)) {
    case TypeFamily::integer: case TypeFamily::decimal:
      if (auto value = canonical_decimal(cell.text)) return "V" + *value;
      break;
    case TypeFamily::floating:
      if (auto value = number(cell.text)) {
        char buffer[40];
        // An exact decimal spelling meets DECIMAL and integer columns; what rounding splits is paired afterwards.
        std::snprintf(buffer, sizeof buffer, "%.*g", is_single(column) ? 9 : 17, *value);
        if (auto exact = canonical_decimal(buffer)) return "V" + *exact;
        return std::string("V") + buffer;
      }
      break;
    case TypeFamily::json:
      if (auto value = canonical_json(cell.text)) return "V" + *value;
      break;
    default:
      if (is_fixed_length(column)) return "V" + std::string(unpadded(cell.text, mysql::is_bytes(column) ? '\0' : ' '));
      break;
  }
  return "V" + cell.text;
}

std::span<const std::string_view> normalization_rules() {
  static constexpr std::array names{rule::float_printing, rule::decimal_scale, rule::char_padding, rule::json_key_order, rule::column_type,
                                    rule::vitess_literal_header, rule::computed_number, rule::computed_text, rule::json_as_text};
  return names;
}

}  // namespace darktap::compare
