// The TLS secrets of a run's input: a key log file, followed as it grows, and what the capture itself carries.
#pragma once

#include <string>
#include <string_view>

#include "mysql/key_log.h"

namespace darktap::run {

class TlsSecrets {
 public:
  // Only what the capture carries.
  TlsSecrets() = default;
  // `awaited`: the file may come later, with the first client that writes it; else Failure(environment) where it is missing.
  enum class Missing : std::uint8_t { refused, awaited };
  TlsSecrets(std::string path, Missing missing);
  ~TlsSecrets();
  TlsSecrets(const TlsSecrets&) = delete;
  TlsSecrets& operator=(const TlsSecrets&) = delete;

  // A line for the user, where others may read the file; else empty.
  const std::string& warning() const { return warning_; }
  void add(std::string_view text) { log_.add(text); }
  // Reads what the file has gained; a file that was replaced or cut is read from its beginning.
  void poll();
  // The input is over: a last line counts without its line break, too.
  void settle();
  mysql::KeyLog& log() { return log_; }

 private:
  bool open();

  std::string path_, warning_;
  int file_ = -1;
  std::uint64_t offset_ = 0;
  mysql::KeyLog log_;
};

}  // namespace darktap::run
