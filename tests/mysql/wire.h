// A small MySQL server and client made of bytes: messages, frames, and a connection that feeds a decoder and keeps what it
// tells. Every test's conversation is written as a script over it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/connection_decoder.h"

namespace wire {

using darktap::Bytes;
using darktap::Direction;
namespace mysql = darktap::mysql;
namespace capability = darktap::mysql::capability;

inline std::string little(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xffU);
  return text;
}
inline std::string lenenc(std::uint64_t value) {
  if (value < 251) return little(value, 1);
  if (value < 0x10000) return "\xfc" + little(value, 2);
  if (value < 0x1000000) return "\xfd" + little(value, 3);
  return "\xfe" + little(value, 8);
}
inline std::string lenenc_text(std::string_view text) { return lenenc(text.size()) + std::string(text); }
inline std::string zero_ended(std::string_view text) { return std::string(text) + '\0'; }

// A message cut into frames of at most `limit` bytes; `sequence` moves on.
inline std::string frames(std::string_view payload, std::uint8_t& sequence, std::size_t limit = 0xffffff) {
  std::string bytes;
  while (true) {
    std::string_view part = payload.substr(0, limit);
    bytes += little(part.size(), 3) + little(sequence++, 1) + std::string(part);
    payload.remove_prefix(part.size());
    if (part.size() < limit) return bytes;
  }
}

inline constexpr mysql::Capabilities plain_41 = capability::long_password | capability::protocol_41 | capability::connect_with_db |
                                                capability::secure_connection | capability::plugin_auth | capability::multi_results |
                                                capability::multi_statements | capability::ps_multi_results | capability::transactions;
inline constexpr std::uint16_t autocommit = mysql::status_flag::autocommit;

inline std::string greeting(mysql::Capabilities capabilities, std::string_view version = "8.0.36") {
  auto low = static_cast<std::uint32_t>(capabilities);
  return "\x0a" + zero_ended(version) + little(7, 4) + "12345678" + '\0' + little(low & 0xffffU, 2) + "\x2d" + little(autocommit, 2) +
         little(low >> 16, 2) + "\x15" + std::string(6, '\0') + little(capabilities >> 32, 4) + "123456789012" + '\0' +
         zero_ended("mysql_native_password");
}
inline std::string login(mysql::Capabilities capabilities, std::string_view user = "app", std::string_view schema = "shop",
                         std::uint8_t collation = 45) {
  auto low = static_cast<std::uint32_t>(capabilities);
  return little(low, 4) + little(1U << 24, 4) + little(collation, 1) + std::string(19, '\0') + little(capabilities >> 32, 4) +
         zero_ended(user) + "\x14" + "SECRETSECRETSECRETSE" + zero_ended(schema) + zero_ended("mysql_native_password");
}
inline std::string tls_request(mysql::Capabilities capabilities) {
  return little(static_cast<std::uint32_t>(capabilities | capability::ssl), 4) + little(1U << 24, 4) + "\x2d" + std::string(23, '\0');
}

inline std::string ok(std::uint64_t affected = 0, std::uint64_t insert_id = 0, std::uint16_t status = autocommit, std::uint16_t warnings = 0,
                      std::string_view tail = {}) {
  return '\0' + lenenc(affected) + lenenc(insert_id) + little(status, 2) + little(warnings, 2) + std::string(tail);
}
inline std::string eof(std::uint16_t status = autocommit, std::uint16_t warnings = 0) { return "\xfe" + little(warnings, 2) + little(status, 2); }
// The end of rows where DEPRECATE_EOF is in force.
inline std::string final_ok(std::uint16_t status = autocommit, std::uint16_t warnings = 0, std::string_view tail = {}) {
  std::string message = ok(0, 0, status, warnings, tail);
  message[0] = '\xfe';
  return message;
}
inline std::string error(std::uint16_t code, std::string_view state, std::string_view text) {
  return "\xff" + little(code, 2) + "#" + std::string(state) + std::string(text);
}
inline std::string column(std::string_view name, mysql::ColumnType type = mysql::ColumnType::var_string, std::uint16_t charset = 45,
                          std::uint16_t flags = 0, std::uint8_t decimals = 0, std::optional<std::string> extended = {}) {
  return lenenc_text("def") + lenenc_text("shop") + lenenc_text("t") + lenenc_text("t") + lenenc_text(name) + lenenc_text(name) +
         (extended ? lenenc_text(*extended) : std::string()) + "\x0c" + little(charset, 2) + little(255, 4) + little(static_cast<std::uint8_t>(type), 1) +
         little(flags, 2) + little(decimals, 1) + little(0, 2);
}
inline std::string text_row(const std::vector<std::optional<std::string>>& cells) {
  std::string row;
  for (const auto& cell : cells) row += cell ? lenenc_text(*cell) : "\xfb";
  return row;
}
inline std::string query(std::string_view text) { return "\x03" + std::string(text); }
inline std::string prepare(std::string_view text) { return "\x16" + std::string(text); }
inline std::string execute(std::uint32_t id, std::string_view parameters = {}, std::uint8_t flags = 0) {
  return "\x17" + little(id, 4) + little(flags, 1) + little(1, 4) + std::string(parameters);
}
inline std::string prepare_ok(std::uint32_t id, std::uint16_t columns, std::uint16_t parameters) {
  return '\0' + little(id, 4) + little(columns, 2) + little(parameters, 2) + '\0' + little(0, 2);
}

// What the tap would see of one connection, with time going on by a millisecond a packet.
class Tap final : public mysql::DecoderSink {
 public:
  explicit Tap(const mysql::DecoderLimits& limits = {}, darktap::StreamOpen::Start start = darktap::StreamOpen::Start::handshake,
               mysql::KeyLog* keys = nullptr)
      : limit_(limits.frame_payload), decoder(*this, limits, start, nullptr, keys) {}

  void on_exchange(mysql::Exchange& exchange) override { exchanges.push_back(std::move(exchange)); }

  // A message as one packet. The client begins a command at sequence number 0; everything else goes on.
  Tap& client(std::string_view message) { return send(Direction::to_server, command_bytes(message)); }
  Tap& client_reply(std::string_view message) { return send(Direction::to_server, frames(message, sequence_, limit_)); }
  Tap& server(std::string_view message) { return send(Direction::to_client, frames(message, sequence_, limit_)); }
  // Several messages in one packet.
  Tap& server_together(const std::vector<std::string>& messages) { return send(Direction::to_client, answer_bytes(messages)); }

  std::string command_bytes(std::string_view message) {
    sequence_ = 0;
    return frames(message, sequence_, limit_);
  }
  std::string answer_bytes(const std::vector<std::string>& messages) {
    std::string bytes;
    for (const std::string& message : messages) bytes += frames(message, sequence_, limit_);
    return bytes;
  }

  Tap& send(Direction direction, std::string_view bytes) {
    tick();
    decoder.feed(darktap::StreamBytes{darktap::ConnectionId{1}, direction, {position_[index(direction)]}, now, {packet}, darktap::as_bytes(bytes)});
    position_[index(direction)] += bytes.size();
    return *this;
  }
  Tap& lose(Direction direction, std::uint64_t length) {
    tick();
    decoder.feed(darktap::StreamGap{darktap::ConnectionId{1}, direction, {position_[index(direction)]}, length, now, {packet}});
    position_[index(direction)] += length;
    return *this;
  }
  Tap& log_in(mysql::Capabilities server_side = plain_41, mysql::Capabilities client_side = plain_41, std::string_view version = "8.0.36") {
    sequence_ = 0;
    server(greeting(server_side, version));
    client_reply(login(client_side));
    return server(ok());
  }
  Tap& end(darktap::StreamEnd::Reason reason = darktap::StreamEnd::Reason::finished) {
    decoder.finish(reason);
    return *this;
  }
  void set_sequence(std::uint8_t sequence) { sequence_ = sequence; }

  std::vector<mysql::Exchange> exchanges;
  darktap::CaptureTime now{std::chrono::hours(500'000)};
  std::uint64_t packet = 0;

 private:
  void tick() {
    now += std::chrono::milliseconds(1);
    ++packet;
  }

  std::size_t limit_;
  std::uint8_t sequence_ = 0;
  std::uint64_t position_[2]{};

 public:
  mysql::ConnectionDecoder decoder;
};

}  // namespace wire
