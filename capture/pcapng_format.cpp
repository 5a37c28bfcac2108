// pcapng files (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-04.html): blocks of many kinds, in sections that each
// have their byte order and their interfaces; each interface has its link type, its clock and its own count of drops.
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "capture_format.h"

namespace darktap::capture {

namespace {

namespace block {
constexpr std::uint32_t section = 0x0a0d0d0a, interface = 1, packet = 2, simple_packet = 3, statistics = 5, enhanced_packet = 6,
                        secrets = 10;
}
namespace option {
constexpr std::uint16_t end = 0, ts_resolution = 9, ts_offset = 14;  // of an interface
constexpr std::uint16_t interface_drops = 5, system_drops = 7;       // of statistics
constexpr std::uint16_t drops_before = 4;                            // of an enhanced packet
}
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d, swapped_byte_order_magic = 0x4d3c2b1a;
constexpr std::uint32_t tls_key_log = 0x544c534b;
constexpr std::size_t header_bytes = 8, smallest_block = 12;
constexpr std::uint16_t unknown_drops = 0xffff;

__extension__ using WideUnsigned = unsigned __int128;

// What an interface's time stamps count: 10⁻ⁿ or 2⁻ⁿ seconds, from an offset.
struct Clock {
  bool is_binary = false;
  unsigned exponent = 6;
  std::int64_t offset_seconds = 0;

  CaptureTime time(std::uint64_t stamp) const {
    constexpr std::uint64_t billion = 1'000'000'000;
    std::uint64_t seconds = 0, nanoseconds = 0;
    if (is_binary) {
      if (exponent < 64) {
        seconds = stamp >> exponent;
        const std::uint64_t fraction = exponent == 0 ? 0 : stamp & (~std::uint64_t{0} >> (64 - exponent));
        nanoseconds = static_cast<std::uint64_t>(WideUnsigned{fraction} * billion >> exponent);
      } else {  // less than a second in all
        const unsigned beyond = exponent - 64;
        nanoseconds = beyond >= 64 ? 0 : static_cast<std::uint64_t>(WideUnsigned{stamp} * billion >> 64) >> beyond;
      }
    } else if (exponent <= 19) {
      std::uint64_t unit = 1;  // stamps in a second
      for (unsigned i = 0; i < exponent; ++i) unit *= 10;
      seconds = stamp / unit;
      nanoseconds = static_cast<std::uint64_t>(WideUnsigned{stamp % unit} * billion / unit);
    } else {
      std::uint64_t left = exponent - 9;
      for (nanoseconds = stamp; left > 0 && nanoseconds > 0; --left) nanoseconds /= 10;
    }
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 4;
    const auto whole = static_cast<std::int64_t>(std::min(seconds, most));
    return capture_time(whole + std::clamp<std::int64_t>(offset_seconds, -std::int64_t{most}, std::int64_t{most}), static_cast<std::int64_t>(nanoseconds));
  }
};

struct Interface {
  LinkType link;
  std::uint32_t snapshot_length = 0;  // 0: none
  Clock clock;
  std::uint64_t drops_told = 0;     // the newest statistics
  std::uint64_t drops_by_packet = 0;  // added up from the packets
  std::uint64_t drops() const { return std::max(drops_told, drops_by_packet); }
};

class PcapngFormat final : public CaptureFormat {
 public:
  explicit PcapngFormat(OnSecrets on_secrets) : on_secrets_(std::move(on_secrets)) {}

  FormatStep next(Bytes bytes, PacketView& packet) override {
    if (bytes.size() < smallest_block) return {.kind = FormatStep::Kind::more, .needed = smallest_block};
    ByteReader header(bytes);
    std::uint32_t type = header.u32le();
    if (type == block::section) {
      const std::uint32_t magic = ByteReader(bytes.subspan(header_bytes)).u32le();
      if (magic != byte_order_magic && magic != swapped_byte_order_magic) return broken("a section without a byte order");
      swapped_ = magic == swapped_byte_order_magic;
    } else if (!in_section_) {
      return broken("no section where the file begins");
    } else if (swapped_) {
      type = __builtin_bswap32(type);
    }
    const std::uint32_t length = u32(header);
    if (length < smallest_block || length % 4 != 0) return broken("a block of " + std::to_string(length) + " bytes");
    if (length > longest_block) {
      const bool holds_packet = type == block::enhanced_packet || type == block::packet || type == block::simple_packet;
      if (type == block::section || holds_packet) return broken("a block of " + std::to_string(length) + " bytes, more than any packet has");
      return {.kind = FormatStep::Kind::passed, .consumed = length};
    }
    if (bytes.size() < length) return {.kind = FormatStep::Kind::more, .needed = length};
    ByteReader trailer(bytes.subspan(length - 4, 4));
    if (u32(trailer) != length) return broken("a block whose two lengths differ");

    const Bytes body = bytes.subspan(header_bytes, length - smallest_block);
    FormatStep step = read(type, body, packet);
    step.consumed = length;
    return step;
  }

  std::uint64_t drops() const override {
    std::uint64_t sum = drops_of_earlier_sections_;
    for (const Interface& interface : interfaces_) sum += interface.drops();
    return sum;
  }

 private:
  static FormatStep broken(std::string what) { return {.kind = FormatStep::Kind::broken, .what = std::move(what)}; }
  static FormatStep damaged(std::string what) { return {.kind = FormatStep::Kind::damaged, .what = std::move(what)}; }
  static FormatStep passed() { return {.kind = FormatStep::Kind::passed}; }

  std::uint16_t u16(ByteReader& reader) const { return swapped_ ? reader.u16be() : reader.u16le(); }
  std::uint32_t u32(ByteReader& reader) const { return swapped_ ? reader.u32be() : reader.u32le(); }
  std::uint64_t u64(ByteReader& reader) const { return swapped_ ? reader.u64be() : reader.u64le(); }
  std::uint64_t stamp(ByteReader& reader) const {
    const std::uint64_t high = u32(reader);
    return high << 32 | u32(reader);
  }

  FormatStep read(std::uint32_t type, Bytes body, PacketView& packet) {
    ByteReader reader(body);
    switch (type) {
      case block::section: return read_section(reader);
      case block::interface: return read_interface(reader);
      case block::enhanced_packet: return read_enhanced_packet(reader, packet);
      case block::packet: return read_old_packet(reader, packet);
      case block::simple_packet: return read_simple_packet(reader, packet);
      case block::statistics: return read_statistics(reader);
      case block::secrets: return read_secrets(reader);
      default: return passed();  // names, journals, what others made up
    }
  }

  FormatStep read_section(ByteReader& reader) {
    reader.skip(4);
    const std::uint16_t major = u16(reader);
    if (!reader.ok() || major != 1) return broken("a section of version " + std::to_string(major) + ", which nobody knows");
    drops_of_earlier_sections_ = drops();
    interfaces_.clear();
    in_section_ = true;
    return passed();
  }

  // Calls `use` with the code and value of each option; stops at what is no option.
  template <class Use>
  void each_option(ByteReader& reader, const Use& use) const {
    while (reader.remaining() >= 4) {
      const std::uint16_t code = u16(reader), length = u16(reader);
      if (code == option::end) return;
      const Bytes value = reader.take(length);
      if (!reader.ok()) return;
      use(code, value);
      reader.skip(std::min<std::size_t>((4 - length % 4) % 4, reader.remaining()));
    }
  }

  FormatStep read_interface(ByteReader& reader) {
    Interface interface;
    interface.link = link_of_file(u16(reader));
    reader.skip(2);
    interface.snapshot_length = u32(reader);
    if (!reader.ok()) return damaged("an interface that says too little");
    if (interfaces_.size() == most_interfaces) return damaged("more than " + std::to_string(most_interfaces) + " interfaces");
    each_option(reader, [&](std::uint16_t code, Bytes value) {
      ByteReader at(value);
      if (code == option::ts_resolution && value.size() == 1) {
        const std::uint8_t resolution = at.u8();
        interface.clock.is_binary = (resolution & 0x80) != 0;
        interface.clock.exponent = resolution & 0x7f;
      } else if (code == option::ts_offset && value.size() == 8) {
        interface.clock.offset_seconds = static_cast<std::int64_t>(u64(at));
      }
    });
    interfaces_.push_back(interface);
    return passed();
  }

  Interface* interface_of(std::uint32_t number) { return number < interfaces_.size() ? &interfaces_[number] : nullptr; }
  static FormatStep unknown_interface(std::uint32_t number) { return damaged("a packet of interface " + std::to_string(number) + ", which the section doesn't have"); }

  FormatStep read_enhanced_packet(ByteReader& reader, PacketView& packet) {
    const std::uint32_t number = u32(reader);
    const std::uint64_t when = stamp(reader);
    const std::uint32_t captured = u32(reader), wire = u32(reader);
    const Bytes data = reader.take(captured);
    if (!reader.ok()) return damaged("a packet longer than its block");
    Interface* interface = interface_of(number);
    if (interface == nullptr) return unknown_interface(number);
    if (const std::size_t padding = (4 - captured % 4) % 4; reader.remaining() >= padding + 4) {
      reader.skip(padding);
      each_option(reader, [&](std::uint16_t code, Bytes value) {
        if (code != option::drops_before || value.size() != 8) return;
        ByteReader at(value);
        interface->drops_by_packet += u64(at);
      });
    }
    return give(*interface, interface->clock.time(when), wire, data, packet);
  }

  FormatStep read_old_packet(ByteReader& reader, PacketView& packet) {
    const std::uint16_t number = u16(reader), drops = u16(reader);
    const std::uint64_t when = stamp(reader);
    const std::uint32_t captured = u32(reader), wire = u32(reader);
    const Bytes data = reader.take(captured);
    if (!reader.ok()) return damaged("a packet longer than its block");
    Interface* interface = interface_of(number);
    if (interface == nullptr) return unknown_interface(number);
    if (drops != unknown_drops) interface->drops_by_packet += drops;
    return give(*interface, interface->clock.time(when), wire, data, packet);
  }

  // Without a time of its own: it gets that of the packet before.
  FormatStep read_simple_packet(ByteReader& reader, PacketView& packet) {
    const std::uint32_t wire = u32(reader);
    const Interface* interface = interface_of(0);
    if (!reader.ok() || interface == nullptr) return interface == nullptr ? unknown_interface(0) : damaged("a packet longer than its block");
    std::size_t captured = wire;
    if (interface->snapshot_length != 0) captured = std::min<std::size_t>(captured, interface->snapshot_length);
    captured = std::min(captured, reader.remaining());
    return give(*interface, last_time_, wire, reader.take(captured), packet);
  }

  FormatStep give(const Interface& interface, CaptureTime time, std::uint32_t wire, Bytes data, PacketView& packet) {
    packet.time = last_time_ = time;
    packet.link = interface.link;
    packet.wire_length = wire;
    packet.data = data;
    return {.kind = FormatStep::Kind::packet};
  }

  FormatStep read_statistics(ByteReader& reader) {
    const std::uint32_t number = u32(reader);
    reader.skip(8);
    Interface* interface = interface_of(number);
    if (!reader.ok() || interface == nullptr) return damaged("statistics of an interface that the section doesn't have");
    std::uint64_t drops = 0;
    each_option(reader, [&](std::uint16_t code, Bytes value) {
      if ((code != option::interface_drops && code != option::system_drops) || value.size() != 8) return;
      ByteReader at(value);
      drops += u64(at);
    });
    interface->drops_told = std::max(interface->drops_told, drops);
    return passed();
  }

  FormatStep read_secrets(ByteReader& reader) {
    const std::uint32_t type = u32(reader), length = u32(reader);
    const Bytes secrets = reader.take(length);
    if (!reader.ok()) return damaged("secrets longer than their block");
    if (type == tls_key_log && on_secrets_) on_secrets_(as_text(secrets));
    return passed();
  }

  OnSecrets on_secrets_;
  bool swapped_ = false;  // against little-endian
  bool in_section_ = false;
  std::vector<Interface> interfaces_;
  std::uint64_t drops_of_earlier_sections_ = 0;
  CaptureTime last_time_;
};

}  // namespace

std::unique_ptr<CaptureFormat> make_pcapng(OnSecrets on_secrets) { return std::make_unique<PcapngFormat>(std::move(on_secrets)); }

}  // namespace darktap::capture
