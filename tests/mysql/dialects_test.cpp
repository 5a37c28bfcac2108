// One conversation in every dialect: EOF form × transport × message sizes around the frame limit, and chopped anywhere.
#include <zlib.h>
#include <zstd.h>

#include "test_support/catch.h"
#include "test_support/property.h"
#include "wire.h"

using namespace darktap;
using namespace darktap::mysql;

namespace {

enum class Eofs { classic, deprecated };
enum class Packing { plain, stored, zlib, zstd };

std::string packed(std::string_view bytes, Packing packing, std::size_t piece) {
  if (packing == Packing::plain) return std::string(bytes);
  std::string result;
  std::uint8_t sequence = 0;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    std::string body(part);
    if (packing == Packing::zlib) {
      uLongf size = compressBound(part.size());
      body.resize(size);
      compress(reinterpret_cast<Bytef*>(body.data()), &size, reinterpret_cast<const Bytef*>(part.data()), part.size());
      body.resize(size);
    } else if (packing == Packing::zstd) {
      body.resize(ZSTD_compressBound(part.size()));
      body.resize(ZSTD_compress(body.data(), body.size(), part.data(), part.size(), 3));
    }
    result += wire::little(body.size(), 3) + wire::little(sequence++, 1) + wire::little(packing == Packing::stored ? 0 : part.size(), 3) + body;
  }
  return result;
}

struct Piece {
  Direction direction;
  std::string bytes;
};

struct Dialect {
  Eofs eofs = Eofs::classic;
  Packing packing = Packing::plain;
  std::size_t frame_payload = 0xffffff;
  std::size_t text_length = 20, cell_length = 10;
};

// The bytes of a whole connection, one piece a flight.
std::vector<Piece> connection(const Dialect& dialect) {
  std::vector<Piece> pieces;
  Capabilities caps = wire::plain_41;
  if (dialect.eofs == Eofs::deprecated) caps |= capability::deprecate_eof;
  if (dialect.packing == Packing::stored || dialect.packing == Packing::zlib) caps |= capability::compress;
  if (dialect.packing == Packing::zstd) caps |= capability::zstd;
  std::uint8_t sequence = 0;
  auto flight = [&](Direction direction, const std::vector<std::string>& messages, Packing packing) {
    std::string bytes;
    for (const std::string& message : messages) bytes += wire::frames(message, sequence, dialect.frame_payload);
    pieces.push_back({direction, packed(bytes, packing, 37)});
  };
  auto ask = [&](const std::string& message) {
    sequence = 0;
    flight(Direction::to_server, {message}, dialect.packing);
  };
  auto answer = [&](const std::vector<std::string>& messages) { flight(Direction::to_client, messages, dialect.packing); };
  auto rows = [&](std::vector<std::string> messages, const std::vector<std::string>& data) {
    if (dialect.eofs == Eofs::classic) messages.push_back(wire::eof());
    messages.insert(messages.end(), data.begin(), data.end());
    messages.push_back(dialect.eofs == Eofs::classic ? wire::eof() : wire::final_ok());
    return messages;
  };
  flight(Direction::to_client, {wire::greeting(caps)}, Packing::plain);
  flight(Direction::to_server, {wire::login(caps)}, Packing::plain);
  flight(Direction::to_client, {wire::ok()}, Packing::plain);

  std::string cell(dialect.cell_length, 'x');
  ask(wire::query(std::string(dialect.text_length - 1, 'q')));
  answer(rows({"\x01", wire::column("a")}, {wire::text_row({cell}), wire::text_row({std::nullopt})}));
  ask(wire::prepare("SELECT ?"));
  std::vector<std::string> prepared{wire::prepare_ok(1, 1, 1), wire::column("?")};
  if (dialect.eofs == Eofs::classic) prepared.push_back(wire::eof());
  prepared.push_back(wire::column("a"));
  if (dialect.eofs == Eofs::classic) prepared.push_back(wire::eof());
  answer(prepared);
  ask(wire::execute(1, std::string("\0\1", 2) + std::string("\xfd\x00", 2) + wire::lenenc_text(cell)));
  answer(rows({"\x01", wire::column("a")}, {std::string("\0\0", 2) + wire::lenenc_text(cell), std::string("\0\4", 2)}));
  ask("\x19" + wire::little(1, 4));
  ask(wire::query("UPDATE t SET a=1"));
  answer({wire::ok(3, 4, wire::autocommit, 5)});
  ask("\x01");
  return pieces;
}

struct Heard final : DecoderSink {
  void on_exchange(Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }
  std::vector<Exchange> exchanges;
};

// Everything but packets and times, which chopping may change.
std::string told(const std::vector<Exchange>& exchanges) {
  std::string text;
  for (const Exchange& each : exchanges) {
    text += std::string(command_name(each.command.code)) + " '" + each.command.text + "'";
    for (const Parameter& parameter : each.command.parameters) text += " <" + print_parameter(parameter) + ">";
    text += " " + std::string(to_string(each.answer.kind())) + " " + std::to_string(each.request_bytes) + "/" + std::to_string(each.response_bytes);
    for (const Result& result : each.answer.results) {
      if (const auto* rows = std::get_if<ResultSet>(&result))
        text += " rows " + std::to_string(rows->row_count()) + " " + std::to_string(rows->digests().ordered_low) + " " + std::to_string(rows->rows.byte_size());
      if (const auto* ok = std::get_if<Ok>(&result)) text += " ok " + std::to_string(ok->affected_rows) + " " + std::to_string(ok->warnings);
    }
    text += (each.certainty == Exchange::Certainty::certain ? "\n" : " inferred: " + each.why + "\n");
  }
  return text;
}

// Feeds the pieces, each cut into chunks by the callable.
template <class Chop>
std::vector<Exchange> decode(const std::vector<Piece>& pieces, const Dialect& dialect, Chop&& chop) {
  Heard heard;
  DecoderLimits limits;
  limits.frame_payload = dialect.frame_payload;
  ConnectionDecoder decoder(heard, limits, StreamOpen::Start::handshake);
  std::uint64_t position[2]{}, packet = 0;
  for (const Piece& piece : pieces) {
    std::string_view rest = piece.bytes;
    while (!rest.empty()) {
      std::size_t size = std::min<std::size_t>(rest.size(), std::max<std::size_t>(1, chop(rest.size())));
      ++packet;
      // A copy of its own: reading outside the chunk is seen by the sanitizers.
      std::vector<std::byte> chunk(as_bytes(rest.substr(0, size)).begin(), as_bytes(rest.substr(0, size)).end());
      decoder.feed(StreamBytes{{1}, piece.direction, {position[index(piece.direction)]}, CaptureTime(std::chrono::milliseconds(packet)), {packet}, chunk});
      position[index(piece.direction)] += size;
      rest.remove_prefix(size);
    }
  }
  decoder.finish(StreamEnd::Reason::finished);
  return heard.exchanges;
}

}  // namespace

TEST_CASE("every dialect tells the same conversation, at every message size around the frame limit") {
  constexpr std::size_t limit = 64;
  for (Eofs eofs : {Eofs::classic, Eofs::deprecated})
    for (Packing packing : {Packing::plain, Packing::stored, Packing::zlib, Packing::zstd})
      for (std::size_t multiple : {1, 2})
        for (std::size_t around = 0; around < 5; ++around) {
          Dialect dialect{.eofs = eofs, .packing = packing, .frame_payload = limit, .text_length = multiple * limit + around - 2,
                          .cell_length = multiple * limit + around - 3};  // the row has a length byte before it
          auto exchanges = decode(connection(dialect), dialect, [](std::size_t all) { return all; });
          INFO(told(exchanges));
          REQUIRE(exchanges.size() == 6);
          CHECK(exchanges[0].command.text == std::string(dialect.text_length - 1, 'q'));
          auto first = decode_row(exchanges[0].answer.first_rows()->rows.row(0), exchanges[0].answer.first_rows()->columns, RowFormat::text);
          REQUIRE(first);
          CHECK(first->at(0).text == std::string(dialect.cell_length, 'x'));
          CHECK(print_parameter(exchanges[2].command.parameters.at(0)) == std::string(dialect.cell_length, 'x'));
          CHECK(exchanges[2].answer.row_count() == 2);
          auto null = decode_row(exchanges[2].answer.first_rows()->rows.row(1), exchanges[2].answer.first_rows()->columns, RowFormat::binary);
          REQUIRE(null);
          CHECK(null->at(0).is_null);
          CHECK(exchanges[4].answer.last_ok()->warnings == 5);
          for (const auto& each : exchanges) CHECK(each.certainty == Exchange::Certainty::certain);
        }
}

TEST_CASE("any chopping of the streams tells the same exchanges") {
  require_property("chopping does not matter", [](std::vector<std::uint8_t> sizes, bool deprecated, std::uint8_t packing, std::uint8_t length) {
    Dialect dialect{.eofs = deprecated ? Eofs::deprecated : Eofs::classic, .packing = static_cast<Packing>(packing % 4), .frame_payload = 64,
                    .text_length = 2U + length, .cell_length = 1U + length};
    auto pieces = connection(dialect);
    std::string whole = told(decode(pieces, dialect, [](std::size_t all) { return all; }));
    std::size_t at = 0;
    std::string chopped = told(decode(pieces, dialect, [&](std::size_t all) { return sizes.empty() ? all : std::size_t{sizes[at++ % sizes.size()]}; }));
    RC_ASSERT(whole == chopped);
    RC_ASSERT(std::count(whole.begin(), whole.end(), '\n') == 6);
  });
}

TEST_CASE("byte by byte is the same as at once") {
  for (Packing packing : {Packing::plain, Packing::stored, Packing::zlib, Packing::zstd}) {
    Dialect dialect{.eofs = Eofs::classic, .packing = packing, .frame_payload = 64, .text_length = 130, .cell_length = 200};
    auto pieces = connection(dialect);
    CHECK(told(decode(pieces, dialect, [](std::size_t all) { return all; })) == told(decode(pieces, dialect, [](std::size_t) { return std::size_t{1}; })));
  }
}

TEST_CASE("a hole in a compressed packet costs its own exchange only") {
  Dialect dialect{.eofs = Eofs::classic, .packing = Packing::zlib};
  auto pieces = connection(dialect);
  Heard heard;
  ConnectionDecoder decoder(heard, {}, StreamOpen::Start::handshake);
  std::uint64_t position[2]{}, packet = 0;
  for (const Piece& piece : pieces) {
    ++packet;
    CaptureTime time{std::chrono::milliseconds(packet)};
    std::string_view bytes = piece.bytes;
    if (packet == 5) {  // the rows of the first query: a few bytes inside its first compressed packet
      decoder.feed(StreamBytes{{1}, piece.direction, {position[1]}, time, {packet}, as_bytes(bytes.substr(0, 10))});
      decoder.feed(StreamGap{{1}, piece.direction, {position[1] + 10}, 3, time, {packet}});
      decoder.feed(StreamBytes{{1}, piece.direction, {position[1] + 13}, time, {packet}, as_bytes(bytes.substr(13))});
    } else {
      decoder.feed(StreamBytes{{1}, piece.direction, {position[index(piece.direction)]}, time, {packet}, as_bytes(bytes)});
    }
    position[index(piece.direction)] += bytes.size();
  }
  decoder.finish(StreamEnd::Reason::finished);
  REQUIRE(heard.exchanges.size() == 6);
  CHECK(heard.exchanges[0].answer.kind() == AnswerKind::unobserved);
  CHECK(heard.exchanges[2].answer.row_count() == 2);
  CHECK(heard.exchanges[4].answer.last_ok()->affected_rows == 3);
}

TEST_CASE("nonsense inside a compressed packet is no exchange") {
  wire::Tap tap;
  auto caps = wire::plain_41 | capability::compress;
  tap.log_in(caps, caps);
  std::string nonsense = wire::little(20, 3) + std::string(1, '\0') + wire::little(5000, 3) + std::string(20, 'z');
  tap.send(Direction::to_server, nonsense).end();
  CHECK(tap.exchanges.empty());
}
