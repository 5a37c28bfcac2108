#include "base/bytes.h"
#include "base/histogram.h"
#include "base/json.h"
#include "base/stream.h"
#include "base/time.h"
#include "test_support/property.h"

using namespace darktap;
using namespace std::chrono_literals;

TEST_CASE("a reader past its end answers zero, stays failed and touches nothing") {
  ByteReader reader(as_bytes("\x01\x02\x03"));
  CHECK(reader.u16le() == 0x0201);
  CHECK(reader.u32le() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.u8() == 0);
  CHECK(reader.remaining() == 0);
}

TEST_CASE("JSON strings are escaped and invalid UTF-8 is replaced") {
  JsonWriter json;
  json.begin_object().member("a\"", "x\n\x01\xff\xc3\xa9").key("b").begin_array().number(1).null().end_array().member("c", true).end_object();
  CHECK(json.text() == "{\"a\\\"\":\"x\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\"b\":[1,null],\"c\":true}");
}

TEST_CASE("a surrogate or an overlong form is not UTF-8") {
  CHECK_FALSE(is_utf8("\xed\xa0\x80"));
  CHECK_FALSE(is_utf8("\xc0\xaf"));
  CHECK(is_utf8("\xf0\x9f\xa5\xb3"));
}

TEST_CASE("a time survives its RFC 3339 form to the nanosecond") {
  require_property("round trip", [](std::uint32_t seconds, std::uint32_t nanos) {
    CaptureTime time(std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos % 1'000'000'000));
    RC_ASSERT(parse_rfc3339(to_rfc3339(time)) == time);
  });
  CHECK(to_rfc3339(CaptureTime(1700000000s + 5ns)) == "2023-11-14T22:13:20.000000005Z");
}

TEST_CASE("durations and sizes need a unit") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK_FALSE(parse_duration("10").has_value());
  CHECK_FALSE(parse_duration("10 s").has_value());
  CHECK(parse_size("64MiB") == 64ULL << 20);
  CHECK_FALSE(parse_size("64").has_value());
  CHECK_FALSE(parse_size("64MB").has_value());
}

TEST_CASE("endpoints print as addresses with a port") {
  CHECK(to_string(Endpoint{IpAddress::from_v4({10, 0, 0, 1}), 3306}) == "10.0.0.1:3306");
  Endpoint v6;
  v6.address.bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  v6.port = 3306;
  CHECK(to_string(v6) == "[2001:db8::1]:3306");
}

TEST_CASE("a histogram's quantile is never under the true one and at most 1/128 above it") {
  require_property("relative error", [](std::vector<std::uint32_t> values) {
    RC_PRE(!values.empty());
    Histogram histogram;
    for (auto v : values) histogram.record(v % Histogram::max_value);
    for (auto& v : values) v %= Histogram::max_value;
    std::sort(values.begin(), values.end());
    double exact = values[(values.size() + 1) / 2 - 1];
    auto got = static_cast<double>(histogram.quantile(0.5));
    RC_ASSERT(got >= exact);
    RC_ASSERT(got <= exact * (1 + 1.0 / 128) + 1);
    RC_ASSERT(Histogram::parse(histogram.serialize()) == histogram);
  });
}

// Buckets close together are placed, few or scattered ones listed: which it is depends on the order in which they came.
TEST_CASE("a histogram is the same whatever the order of its values and merges") {
  require_property("order", [](std::vector<std::uint16_t> spread, std::uint8_t shift) {
    std::vector<std::uint64_t> values(spread.begin(), spread.end());
    for (std::uint64_t v = 100; v < 400; ++v) values.push_back(v);
    for (auto& v : values) v <<= shift % 20;
    Histogram forwards, backwards, merged, halves[2];
    for (std::size_t i = 0; i < values.size(); ++i) {
      forwards.record(values[i]);
      backwards.record(values[values.size() - 1 - i]);
      halves[i % 2].record(values[i]);
    }
    for (std::uint64_t far : {std::uint64_t{0}, Histogram::max_value})
      for (Histogram* each : {&forwards, &backwards, &halves[0]}) each->record(far, 3);
    merged.merge(halves[1]);
    merged.merge(halves[0]);
    RC_ASSERT(forwards == backwards);
    RC_ASSERT(forwards == merged);
    RC_ASSERT(forwards.serialize() == merged.serialize());
    RC_ASSERT(Histogram::parse(forwards.serialize()) == forwards);
    RC_ASSERT(forwards.count() == values.size() + 6);
    std::uint64_t sum = 0;
    for (const auto& [number, count] : forwards.buckets()) sum += count;
    RC_ASSERT(sum == forwards.count());
    RC_ASSERT(forwards.quantile(1.0) == Histogram::max_value);
    RC_ASSERT(forwards.count_above(Histogram::max_value - 1) <= 3U + std::uint64_t(std::count_if(values.begin(), values.end(), [](auto v) { return v > Histogram::max_value / 2; })));
  });
}
