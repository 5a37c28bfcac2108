// TLS session secrets in the NSS key log format (SSLKEYLOGFILE), as a file or a capture's secrets blocks bring them:
// text in, secrets out. They stay in memory, are wiped when they go, and are never written anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace darktap::mysql {

using ClientRandom = std::array<std::byte, 32>;

enum class SecretLabel : std::uint8_t { master, client_handshake, server_handshake, client_traffic, server_traffic };
inline constexpr std::size_t secret_labels = 5;

class KeyLog {
 public:
  static constexpr std::size_t most_sessions = 100'000;           // the oldest are forgotten
  static constexpr std::size_t held_bytes = std::size_t{32} << 20;  // records that wait for their secrets, in all sessions

  KeyLog() = default;
  ~KeyLog();
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;

  // The next piece of the text; a line may be cut anywhere. Lines of other kinds are passed over.
  void add(std::string_view text);
  // The text ends here, at least for now: a last line without its line break is read, too.
  void settle();

  // Somebody who may have more text by now; asked where a session would be given up without it.
  void ask_for_more_by(std::function<void()> more) { more_ = std::move(more); }
  void ask_for_more() {
    if (more_) more_();
  }
  // Secrets may still come; else a session without any is given up at once.
  void expect() { expected_ = true; }
  bool is_expected() const { return expected_ || version_ != 0; }

  // Empty where it isn't known (yet). The view lives until the log is changed.
  Bytes find(const ClientRandom& session, SecretLabel label) const;
  // The sessions in order of their first line.
  const std::deque<ClientRandom>& order() const { return order_; }
  // Moves whenever a secret was added.
  std::uint64_t version() const { return version_; }
  std::size_t sessions() const { return sessions_.size(); }
  std::uint64_t malformed_lines() const { return malformed_; }

  // The share that all sessions have in held_bytes.
  bool reserve(std::size_t bytes);
  void release(std::size_t bytes) { held_ -= bytes; }

 private:
  using Secrets = std::array<std::vector<std::byte>, secret_labels>;
  void add_line(std::string_view line);

  std::map<ClientRandom, Secrets> sessions_;
  std::deque<ClientRandom> order_;
  std::string rest_;
  std::uint64_t version_ = 0, malformed_ = 0;
  std::size_t held_ = 0;
  bool expected_ = false;
  std::function<void()> more_;
};

}  // namespace darktap::mysql
