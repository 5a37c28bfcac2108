// The PROXY protocol's header, which a load balancer sends before a client's first byte (HAProxy, "The PROXY protocol, versions
// 1 & 2"). Read past: whom it names is not told.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace darktap::mysql {

class ProxyHeader {
 public:
  static constexpr std::size_t longest_line = 107;  // version 1, with its CRLF

  enum class State : std::uint8_t { more, over };
  // Takes what belongs to a header off the front of a client's first bytes. `over`: the rest is MySQL's, or was never a header,
  // and `taken()` then has the bytes of earlier calls that are to go first.
  State take(Bytes& input);
  Bytes taken() const { return held_; }

 private:
  std::vector<std::byte> held_;
  std::size_t skip_ = 0;  // still to come of a version 2 header
};

}  // namespace darktap::mysql
