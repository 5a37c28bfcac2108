#include "base/stream.h"

#include <arpa/inet.h>

#include <algorithm>

namespace darktap {

namespace {
constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

bool IpAddress::is_v4() const { return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin()); }

IpAddress IpAddress::from_v4(std::array<std::uint8_t, 4> address) {
  IpAddress result;
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), result.bytes.begin());
  std::copy(address.begin(), address.end(), result.bytes.begin() + 12);
  return result;
}

std::string to_string(const IpAddress& address) {
  char buffer[INET6_ADDRSTRLEN] = "";
  if (address.is_v4()) inet_ntop(AF_INET, address.bytes.data() + 12, buffer, sizeof buffer);
  else inet_ntop(AF_INET6, address.bytes.data(), buffer, sizeof buffer);
  return buffer;
}

std::string to_string(const Endpoint& endpoint) {
  std::string host = to_string(endpoint.address);
  if (!endpoint.address.is_v4()) host = "[" + host + "]";
  return host + ":" + std::to_string(endpoint.port);
}

}  // namespace darktap
