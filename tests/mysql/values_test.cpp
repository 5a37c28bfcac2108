// Binary values are printed as the server prints them in the text protocol.
#include <bit>

#include "mysql/row.h"
#include "mysql/command.h"
#include "test_support/catch.h"
#include "wire.h"

using namespace darktap::mysql;
using darktap::as_bytes;
using wire::little;

namespace {

std::string printed(ColumnType type, const std::string& bytes, std::uint16_t flags = 0, std::uint8_t decimals = 31, std::uint32_t length = 11) {
  std::string row = std::string(2, '\0') + bytes;
  std::vector<Column> columns{Column{.length = length, .type = type, .flags = flags, .decimals = decimals}};
  auto cells = decode_row(as_bytes(row), columns, RowFormat::binary);
  return cells ? cells->at(0).text : "undecodable";
}
std::string printed_double(double value) { return printed(ColumnType::double_, little(std::bit_cast<std::uint64_t>(value), 8)); }
std::string printed_float(float value) { return printed(ColumnType::float_, little(std::bit_cast<std::uint32_t>(value), 4)); }

}  // namespace

TEST_CASE("integers print with their sign, width and zero fill") {
  CHECK(printed(ColumnType::tiny, "\xff") == "-1");
  CHECK(printed(ColumnType::tiny, "\xff", column_flag::unsigned_) == "255");
  CHECK(printed(ColumnType::short_, little(0x8000, 2)) == "-32768");
  CHECK(printed(ColumnType::int24, little(0xff800000, 4)) == "-8388608");
  CHECK(printed(ColumnType::long_, little(4294967295, 4), column_flag::unsigned_) == "4294967295");
  CHECK(printed(ColumnType::longlong, little(1ULL << 63, 8)) == "-9223372036854775808");
  CHECK(printed(ColumnType::longlong, little(~0ULL, 8), column_flag::unsigned_) == "18446744073709551615");
  CHECK(printed(ColumnType::long_, little(7, 4), column_flag::unsigned_ | column_flag::zerofill, 0, 5) == "00007");
  CHECK(printed(ColumnType::year, little(0, 2), column_flag::unsigned_ | column_flag::zerofill, 0, 4) == "0000");
  CHECK(printed(ColumnType::year, little(2155, 2), 0, 0, 4) == "2155");
}

TEST_CASE("doubles print with the shortest digits that read back, plain up to fifteen places") {
  CHECK(printed_double(0) == "0");
  CHECK(printed_double(-0.5) == "-0.5");
  CHECK(printed_double(0.1) == "0.1");
  CHECK(printed_double(0.1 + 0.2) == "0.30000000000000004");
  CHECK(printed_double(1e14) == "100000000000000");
  CHECK(printed_double(1e15) == "1e15");
  CHECK(printed_double(123456789012345680.0) == "1.2345678901234568e17");
  CHECK(printed_double(1234567890123456.7) == "1234567890123456.8");
  CHECK(printed_double(1e-15) == "0.000000000000001");
  CHECK(printed_double(1e-16) == "1e-16");
  CHECK(printed_double(1.7976931348623157e308) == "1.7976931348623157e308");
  CHECK(printed_double(-2.2250738585072014e-308) == "-2.2250738585072014e-308");
}

TEST_CASE("floats print six significant digits, and a declared number of decimals is kept") {
  CHECK(printed_float(1.5F) == "1.5");
  CHECK(printed_float(0.1F) == "0.1");
  CHECK(printed_float(16777216.0F) == "16777200");
  CHECK(printed_float(-3.402823466e38F) == "-3.40282e38");
  CHECK(printed(ColumnType::double_, little(std::bit_cast<std::uint64_t>(2.5), 8), 0, 2) == "2.50");
}

TEST_CASE("temporal values print their column's decimals") {
  CHECK(printed(ColumnType::date, "\x04" + little(2024, 2) + "\x02\x1d") == "2024-02-29");
  CHECK(printed(ColumnType::date, std::string("\0", 1)) == "0000-00-00");
  CHECK(printed(ColumnType::datetime, std::string("\0", 1), 0, 6) == "0000-00-00 00:00:00.000000");
  CHECK(printed(ColumnType::datetime, "\x04" + little(2024, 2) + "\x02\x1d", 0, 0) == "2024-02-29 00:00:00");
  CHECK(printed(ColumnType::timestamp, "\x07" + little(2024, 2) + "\x02\x1d\x17\x3b\x3b", 0, 3) == "2024-02-29 23:59:59.000");
  CHECK(printed(ColumnType::datetime, "\x0b" + little(2024, 2) + "\x02\x1d\x17\x3b\x3b" + little(120000, 4), 0, 2) == "2024-02-29 23:59:59.12");
  CHECK(printed(ColumnType::time, "\x0c\x01" + little(34, 4) + "\x16\x3b\x3b" + little(999999, 4), 0, 6) == "-838:59:59.999999");
  CHECK(printed(ColumnType::time, std::string("\0", 1), 0, 0) == "00:00:00");
}

TEST_CASE("a row that does not fit its columns is undecodable, not read past") {
  CHECK(printed(ColumnType::long_, "\x01\x02") == "undecodable");
  CHECK(printed(ColumnType::string, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff") == "undecodable");
  CHECK(printed(ColumnType::datetime, "\x05....." ) == "undecodable");
  std::vector<Column> columns(3);
  CHECK_FALSE(decode_row(as_bytes("\x01" "a\x01"), columns, RowFormat::text));
  CHECK_FALSE(decode_row(as_bytes(""), columns, RowFormat::binary));
}

TEST_CASE("row digests tell order, content and multiplicity apart") {
  auto digests = [](std::initializer_list<const char*> rows) {
    RowDigests all;
    for (const char* row : rows) all.add(as_bytes(row));
    return all;
  };
  CHECK(digests({"a", "b"}).same_order(digests({"a", "b"})));
  CHECK_FALSE(digests({"a", "b"}).same_order(digests({"b", "a"})));
  CHECK(digests({"a", "b", "a"}).same_multiset(digests({"a", "a", "b"})));
  CHECK_FALSE(digests({"a", "a"}).same_multiset(digests({"b", "b"})));  // XOR would call them equal
  CHECK_FALSE(digests({"a", "a", "b"}).same_multiset(digests({"b"})));
  CHECK_FALSE(digests({"ab", ""}).same_multiset(digests({"a", "b"})));
}

TEST_CASE("a value of the binary charset is bytes only where its type holds strings") {
  CHECK(is_bytes(Column{.charset = 63, .type = ColumnType::blob}));
  CHECK_FALSE(is_bytes(Column{.charset = 45, .type = ColumnType::blob}));
  CHECK_FALSE(is_bytes(Column{.charset = 63, .type = ColumnType::long_}));
  CHECK_FALSE(is_bytes(Column{.charset = 63, .type = ColumnType::json}));
  CHECK(is_bytes(Column{.charset = 45, .type = ColumnType::bit}));
  CHECK(is_integer(Column{.type = ColumnType::longlong}));
  CHECK_FALSE(is_integer(Column{.type = ColumnType::long_, .flags = column_flag::zerofill}));
  CHECK_FALSE(is_integer(Column{.type = ColumnType::newdecimal}));
}
