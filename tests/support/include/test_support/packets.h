// Builds real packets, layer by layer: TCP, IPv4 or IPv6, link header. Needs the capture room linked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/stream.h"
#include "capture/packet.h"

namespace darktap::test {

inline Endpoint v4(std::uint8_t last, std::uint16_t port) { return {IpAddress::from_v4({10, 0, 0, last}), port}; }
inline Endpoint v6(std::uint8_t last, std::uint16_t port) {
  Endpoint endpoint{{}, port};
  endpoint.address.bytes = {0x20, 0x01, 0x0d, 0xb8};
  endpoint.address.bytes[15] = last;
  return endpoint;
}

constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, ack = 0x10;

inline std::string be16(std::uint64_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
inline std::string be32(std::uint64_t value) { return be16(value >> 16 & 0xffff) + be16(value & 0xffff); }

struct TcpFields {
  Endpoint source = v4(1, 40000), destination = v4(2, 3306);
  std::uint32_t sequence = 1, acknowledgement = 1;
  std::uint8_t flags = ack;
  std::string options{};  // a multiple of four bytes
};

inline std::string tcp_segment(const TcpFields& fields, std::string_view payload) {
  std::string out = be16(fields.source.port) + be16(fields.destination.port) + be32(fields.sequence) + be32(fields.acknowledgement);
  out.push_back(static_cast<char>((5 + fields.options.size() / 4) << 4));
  out.push_back(static_cast<char>(fields.flags));
  return out + be16(65535) + be16(0) + be16(0) + fields.options + std::string(payload);
}

struct Ipv4Fields {
  std::string options{};       // a multiple of four bytes
  int total_length = -1;       // -1: the true one
  std::uint16_t fragment = 0;  // flags and offset
  std::uint8_t protocol = 6;
  std::uint16_t id = 1;
};

inline std::string ipv4_packet(const TcpFields& tcp, const std::string& transport, const Ipv4Fields& ip = {}) {
  const std::size_t header = 20 + ip.options.size();
  std::string out;
  out.push_back(static_cast<char>(0x40 | header / 4));
  out.push_back(0);
  out += be16(ip.total_length < 0 ? header + transport.size() : static_cast<std::size_t>(ip.total_length));
  out += be16(ip.id) + be16(ip.fragment);
  out.push_back(64);
  out.push_back(static_cast<char>(ip.protocol));
  out += be16(0);
  for (const Endpoint& end : {tcp.source, tcp.destination}) out.append(reinterpret_cast<const char*>(end.address.bytes.data()) + 12, 4);
  return out + ip.options + transport;
}

// `extensions` are whole headers whose last one names TCP; `next` is the first one's number.
inline std::string ipv6_packet(const TcpFields& tcp, const std::string& transport, std::uint8_t next = 6, const std::string& extensions = {}) {
  std::string out = be32(0x60000000) + be16(extensions.size() + transport.size());
  out.push_back(static_cast<char>(next));
  out.push_back(64);
  for (const Endpoint& end : {tcp.source, tcp.destination}) out.append(reinterpret_cast<const char*>(end.address.bytes.data()), 16);
  return out + extensions + transport;
}

inline std::string ip_packet(const TcpFields& tcp, std::string_view payload) {
  return tcp.source.address.is_v4() ? ipv4_packet(tcp, tcp_segment(tcp, payload)) : ipv6_packet(tcp, tcp_segment(tcp, payload));
}

inline std::string ethernet(std::uint16_t type, const std::string& rest) { return std::string(12, '\x02') + be16(type) + rest; }

inline std::string udp_datagram(std::uint16_t destination, const std::string& payload) {
  return be16(49152) + be16(destination) + be16(8 + payload.size()) + be16(0) + payload;
}
inline std::string vxlan(const std::string& frame, std::uint32_t network = 7) { return be32(0x08000000) + be32(network << 8) + frame; }

// A packet of any supported link type around an IP packet.
inline std::string with_link(capture::LinkType link, const std::string& ip) {
  const bool is_v6 = static_cast<std::uint8_t>(ip[0]) >> 4 == 6;
  const std::uint16_t ethertype = is_v6 ? 0x86dd : 0x0800;
  switch (link.value) {
    case 0: return std::string{static_cast<char>(is_v6 ? 30 : 2), 0, 0, 0} + ip;
    case 108: return std::string{0, 0, 0, static_cast<char>(is_v6 ? 24 : 2)} + ip;
    case 1: return ethernet(ethertype, ip);
    case 113: return be16(0) + be16(772) + be16(6) + std::string(8, '\0') + be16(ethertype) + ip;
    case 276: return be16(ethertype) + be16(0) + be32(1) + be16(772) + std::string{0, 6} + std::string(8, '\0') + ip;
    default: return ip;
  }
}

// A view of the bytes, which must outlive it.
inline capture::PacketView packet_view(const std::string& bytes, capture::LinkType link = capture::link_type::ethernet,
                                       std::uint64_t number = 1, CaptureTime time = {}) {
  return {.time = time, .link = link, .wire_length = static_cast<std::uint32_t>(bytes.size()), .data = as_bytes(bytes), .number = {number}};
}

}  // namespace darktap::test
