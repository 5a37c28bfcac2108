#include "client/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace darktap::client {
namespace {

std::optional<IpAddress> from_sockaddr(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return IpAddress::from_v4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    IpAddress ip;
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
    return ip;
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpAddress> parse_address(const std::string& text) {
  std::array<std::uint8_t, 4> v4;
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return IpAddress::from_v4(v4);
  IpAddress v6;
  if (inet_pton(AF_INET6, text.c_str(), v6.bytes.data()) == 1) return v6;
  return std::nullopt;
}

Expected<std::vector<Endpoint>, std::string> resolve(const std::string& host, std::uint16_t port) {
  if (auto address = parse_address(host)) return std::vector<Endpoint>{{*address, port}};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  if (error != 0) return Unexpected(host + ": unknown host (" + gai_strerror(error) + "); check the name in the URL");
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    auto address = from_sockaddr(entry->ai_addr);
    Endpoint endpoint{address.value_or(IpAddress{}), port};
    if (address && std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end()) endpoints.push_back(endpoint);
  }
  if (endpoints.empty()) return Unexpected(host + ": has no IPv4 or IPv6 address; check the name in the URL");
  return endpoints;
}

std::vector<IpAddress> local_addresses() {
  std::vector<IpAddress> addresses{IpAddress::from_v4({127, 0, 0, 1}), *parse_address("::1")};
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return addresses;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(found, &freeifaddrs);
  for (const ifaddrs* entry = found; entry != nullptr; entry = entry->ifa_next)
    if (auto address = from_sockaddr(entry->ifa_addr))
      if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
  return addresses;
}

bool is_loopback(const IpAddress& address) {
  if (address.is_v4()) return address.bytes[12] == 127;
  return address == *parse_address("::1");
}

}  // namespace darktap::client
