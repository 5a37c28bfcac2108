// Sealed answers: each row, and the digests over them, stand for themselves as keyed digests (SipHash-2-4-128, a keyed
// pseudo-random function). Who has the key can tell whether another server's rows are the same; nobody can read them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "session/exchange.h"

namespace darktap::session {

// A file of 16 random bytes in hexadecimal, 0600, apart from the recordings that it opens.
class SealKey {
 public:
  // Makes the file where there is none, never through a symlink. Throws Failure: environment where it can't be read or made,
  // usage where others can read it or it holds no key.
  static SealKey load_or_make(const std::string& path);
  static SealKey load(const std::string& path);
  // Tells keys apart without telling them.
  std::uint64_t id() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

class RowSeal {
 public:
  explicit RowSeal(const SealKey& key);
  ~RowSeal();
  RowSeal(RowSeal&&) noexcept;

  // Replaces rows and digests by their keyed digests, and the texts of errors, which may quote rows. Whatever the answer says
  // of itself: sealed twice it compares with nothing, but passed over it would tell.
  void seal(mysql::Answer& answer);

  // Gives the sealed result sets of `answer` their rows back, as far as `other` holds the same: where they agree whole, or
  // where each row is one of the other's. True if nothing sealed is left.
  enum class Opened : std::uint8_t { all, not_all };
  Opened open(mysql::Answer& answer, const mysql::Answer& other);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

bool is_sealed(const mysql::Answer& answer);

}  // namespace darktap::session
