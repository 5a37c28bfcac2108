// COM_STMT_EXECUTE payloads against the protocol's page, byte by byte.
#include "client/execute.h"

#include "test_support/catch.h"

using namespace darktap;
using mysql::ColumnType;
using mysql::Parameter;

namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

Parameter parameter(ColumnType type, std::vector<std::byte> bytes, Parameter::Sign sign = Parameter::Sign::signed_) {
  return Parameter{type, sign, Parameter::Presence::value, "", std::move(bytes)};
}

}  // namespace

TEST_CASE("An execute without parameters is the statement's id, no cursor, one iteration") {
  CHECK(client::encode_execute(0x01020304, {}).value() == bytes_of({4, 3, 2, 1, 0, 1, 0, 0, 0}));
}

TEST_CASE("An execute carries the null bitmap, the types with their sign, and the values that are not null") {
  std::vector<Parameter> parameters{parameter(ColumnType::long_, bytes_of({1, 2, 3, 4}), Parameter::Sign::unsigned_),
                                    parameter(ColumnType::var_string, bytes_of({'a', 'b'})),
                                    parameter(ColumnType::date, bytes_of({0xe4, 7, 1, 2}))};
  parameters.push_back(Parameter{ColumnType::null, Parameter::Sign::signed_, Parameter::Presence::null, "", {}});
  CHECK(client::encode_execute(7, parameters).value() ==
        bytes_of({7, 0, 0, 0, 0, 1, 0, 0, 0, 0x08, 1, 3, 0x80, 0xfd, 0, 0x0a, 0, 6, 0, 1, 2, 3, 4, 2, 'a', 'b', 4, 0xe4, 7, 1, 2}));
}

TEST_CASE("A ninth parameter takes a second byte of the null bitmap") {
  std::vector<Parameter> parameters(9, Parameter{ColumnType::long_, Parameter::Sign::signed_, Parameter::Presence::null, "", {}});
  std::vector<std::byte> payload = client::encode_execute(1, parameters).value();
  CHECK(payload.size() == 9 + 2 + 1 + 18);
  CHECK(payload[9] == std::byte{0xff});
  CHECK(payload[10] == std::byte{0x01});
}

TEST_CASE("Lengths are encoded in one, three, four or nine bytes") {
  for (auto [length, prefix] : {std::pair<std::size_t, std::size_t>{250, 1}, {251, 3}, {0xffff, 3}, {0x10000, 4}, {0xffffff, 4}, {0x1000000, 9}}) {
    std::vector<Parameter> parameters{parameter(ColumnType::blob, std::vector<std::byte>(length))};
    CHECK(client::encode_execute(1, parameters).value().size() == 9 + 1 + 1 + 2 + prefix + length);
  }
}

TEST_CASE("A value whose bytes its type never has is refused") {
  CHECK_FALSE(client::encode_execute(1, std::vector{parameter(ColumnType::long_, bytes_of({1, 2, 3}))}));
  CHECK_FALSE(client::encode_execute(1, std::vector{parameter(ColumnType::datetime, bytes_of({1, 2, 3, 4, 5}))}));
  CHECK_FALSE(client::encode_execute(1, std::vector{parameter(ColumnType::null, bytes_of({1}))}));
  CHECK(client::encode_execute(1, std::vector{parameter(ColumnType::time, bytes_of({}))}));
  Parameter bulk = parameter(ColumnType::long_, {});
  bulk.presence = Parameter::Presence::default_;
  CHECK_FALSE(client::encode_execute(1, std::vector{bulk}));
}

TEST_CASE("A bulk execute carries the types once and each value behind its indicator") {
  Parameter null{ColumnType::var_string, Parameter::Sign::signed_, Parameter::Presence::null, "", {}};
  Parameter by_default{ColumnType::long_, Parameter::Sign::signed_, Parameter::Presence::default_, "", {}};
  std::vector<Parameter> rows{parameter(ColumnType::long_, bytes_of({1, 0, 0, 0})), parameter(ColumnType::var_string, bytes_of({'a'})), by_default, null};
  CHECK(client::encode_bulk_execute(7, rows, 2).value() == bytes_of({7, 0, 0, 0, 128, 0, 3, 0, 0xfd, 0, 0, 1, 0, 0, 0, 0, 1, 'a', 2, 1}));
  CHECK_FALSE(client::encode_bulk_execute(7, rows, 3));
  CHECK_FALSE(client::encode_bulk_execute(7, rows, 0));
  rows[2].type = ColumnType::tiny;
  CHECK_FALSE(client::encode_bulk_execute(7, rows, 2));
}
