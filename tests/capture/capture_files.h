// Builds capture files, block by block, in either byte order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace darktap::test {

struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("darktap-tap-" + std::to_string(getpid()));
  TemporaryFolder() { std::filesystem::create_directories(path); }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path / name, std::ios::binary) << content;
    return path / name;
  }
};

inline std::string le16(std::uint64_t value) { return {static_cast<char>(value), static_cast<char>(value >> 8)}; }
inline std::string le32(std::uint64_t value) { return le16(value & 0xffff) + le16(value >> 16 & 0xffff); }

// A classic pcap file; each record is one packet.
inline std::string pcap_header(std::uint32_t link = 1, std::uint32_t magic = 0xa1b23c4d) {
  return le32(magic) + le16(2) + le16(4) + le32(0) + le32(0) + le32(262144) + le32(link);
}
inline std::string record(const std::string& packet, std::uint32_t seconds = 1700000000, std::uint32_t fraction = 123456789) {
  return le32(seconds) + le32(fraction) + le32(packet.size()) + le32(packet.size()) + packet;
}

// pcapng blocks (draft-ietf-opsawg-pcapng), in the byte order of their section.
struct Pcapng {
  enum class Order { little, big } order = Order::little;

  std::string u16(std::uint64_t value) const {
    const std::string bytes = le16(value);
    return order == Order::little ? bytes : std::string(bytes.rbegin(), bytes.rend());
  }
  std::string u32(std::uint64_t value) const {
    const std::string bytes = le32(value);
    return order == Order::little ? bytes : std::string(bytes.rbegin(), bytes.rend());
  }
  std::string u64(std::uint64_t value) const {
    const std::string low = u32(value & 0xffffffff), high = u32(value >> 32);
    return order == Order::little ? low + high : high + low;
  }
  static std::string padded(std::string body) {
    body.resize((body.size() + 3) / 4 * 4);
    return body;
  }
  std::string block(std::uint32_t type, const std::string& body) const {
    const std::string whole = padded(body), length = u32(whole.size() + 12);
    return u32(type) + length + whole + length;
  }
  std::string option(std::uint16_t code, const std::string& value) const { return u16(code) + u16(value.size()) + padded(value); }
  std::string section() const { return block(0x0a0d0d0a, u32(0x1a2b3c4d) + u16(1) + u16(0) + u32(0xffffffff) + u32(0xffffffff)); }
  std::string interface(std::uint16_t link, const std::string& options = {}, std::uint32_t snapshot_length = 262144) const {
    return block(1, u16(link) + u16(0) + u32(snapshot_length) + options + (options.empty() ? "" : option(0, "")));
  }
  std::string packet(std::uint32_t interface, const std::string& data, std::uint64_t stamp = 0x00060a24181c1f80, const std::string& options = {}) const {
    return block(6, u32(interface) + u32(stamp >> 32) + u32(stamp & 0xffffffff) + u32(data.size()) + u32(data.size()) + padded(data) + options);
  }
  std::string old_packet(std::uint16_t interface, std::uint16_t drops, const std::string& data, std::uint64_t stamp) const {
    return block(2, u16(interface) + u16(drops) + u32(stamp >> 32) + u32(stamp & 0xffffffff) + u32(data.size()) + u32(data.size()) + data);
  }
  std::string simple_packet(const std::string& data, std::uint32_t wire_length) const { return block(3, u32(wire_length) + data); }
  std::string statistics(std::uint32_t interface, const std::string& options) const {
    return block(5, u32(interface) + u32(0) + u32(0) + options + option(0, ""));
  }
  std::string secrets(std::uint32_t type, const std::string& text) const { return block(10, u32(type) + u32(text.size()) + text); }
};

}  // namespace darktap::test
