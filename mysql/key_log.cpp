#include "mysql/key_log.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <optional>

namespace darktap::mysql {

namespace {

constexpr std::size_t longest_line = 4096;  // far more than any label with its secret
constexpr std::size_t master_bytes = 48, sha256_bytes = 32, sha384_bytes = 48;

std::optional<SecretLabel> label_of(std::string_view word) {
  if (word == "CLIENT_RANDOM") return SecretLabel::master;
  if (word == "CLIENT_HANDSHAKE_TRAFFIC_SECRET") return SecretLabel::client_handshake;
  if (word == "SERVER_HANDSHAKE_TRAFFIC_SECRET") return SecretLabel::server_handshake;
  if (word == "CLIENT_TRAFFIC_SECRET_0") return SecretLabel::client_traffic;
  if (word == "SERVER_TRAFFIC_SECRET_0") return SecretLabel::server_traffic;
  return std::nullopt;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::byte>(high << 4 | low);
  }
  return bytes;
}

void wipe(std::vector<std::byte>& secret) {
  if (!secret.empty()) OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace

KeyLog::~KeyLog() {
  for (auto& [random, secrets] : sessions_)
    for (std::vector<std::byte>& secret : secrets) wipe(secret);
  OPENSSL_cleanse(rest_.data(), rest_.size());
}

void KeyLog::add(std::string_view text) {
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view part = text.substr(0, end);
    if (end == std::string_view::npos) {
      if (rest_.size() < longest_line) rest_ += part;  // what is longer is no line of ours: its end is awaited
      return;
    }
    text.remove_prefix(end + 1);
    if (rest_.empty()) {
      add_line(part);
    } else {
      rest_ += part.substr(0, longest_line);
      add_line(rest_);
      OPENSSL_cleanse(rest_.data(), rest_.size());
      rest_.clear();
    }
  }
}

void KeyLog::settle() {
  // The line may go on later: then it is read again, as a whole.
  if (!rest_.empty()) add_line(rest_);
}

void KeyLog::add_line(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.empty() || line.front() == '#') return;
  std::size_t first = line.find(' ');
  std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) { ++malformed_; return; }
  auto label = label_of(line.substr(0, first));
  if (!label) return;  // early data, exporters: nothing that a MySQL connection needs
  auto random = from_hex(line.substr(first + 1, second - first - 1));
  auto secret = from_hex(line.substr(second + 1));
  bool fits = random && secret && random->size() == sizeof(ClientRandom) &&
              (*label == SecretLabel::master ? secret->size() == master_bytes : secret->size() == sha256_bytes || secret->size() == sha384_bytes);
  if (!fits) { ++malformed_; return; }
  ClientRandom session;
  std::copy(random->begin(), random->end(), session.begin());
  auto [found, added] = sessions_.try_emplace(session);
  if (added) {
    order_.push_back(session);
    if (order_.size() > most_sessions) {
      auto oldest = sessions_.find(order_.front());
      for (std::vector<std::byte>& each : oldest->second) wipe(each);
      sessions_.erase(oldest);
      order_.pop_front();
    }
  }
  std::vector<std::byte>& slot = found->second[static_cast<std::size_t>(*label)];
  wipe(slot);
  slot = std::move(*secret);
  ++version_;
}

Bytes KeyLog::find(const ClientRandom& session, SecretLabel label) const {
  auto found = sessions_.find(session);
  if (found == sessions_.end()) return {};
  const std::vector<std::byte>& secret = found->second[static_cast<std::size_t>(label)];
  return secret;
}

bool KeyLog::reserve(std::size_t bytes) {
  if (held_ + bytes > held_bytes) return false;
  held_ += bytes;
  return true;
}

}  // namespace darktap::mysql
