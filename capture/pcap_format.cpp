// pcap files (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html): a header, then records; in either byte order,
// with microseconds or nanoseconds, also with the longer records of Kuznetzov's tcpdump.
#include <algorithm>

#include "base/header_fields.h"
#include "capture_format.h"

namespace darktap::capture {

LinkType link_of_file(std::uint32_t number) {
  return number == 101 ? link_type::raw : LinkType{static_cast<int>(number)};
}

CaptureTime capture_time(std::int64_t seconds, std::int64_t nanoseconds) {
  constexpr std::int64_t last_second = 9'000'000'000;
  return CaptureTime(std::chrono::seconds(std::clamp(seconds, -last_second, last_second)) +
                     std::chrono::nanoseconds(std::clamp<std::int64_t>(nanoseconds, 0, 999'999'999)));
}

namespace {

enum class ByteOrder : std::uint8_t { little, big };

constexpr std::uint32_t magic_microseconds = 0xa1b2c3d4, magic_nanoseconds = 0xa1b23c4d, magic_kuznetzov = 0xa1b2cd34;
constexpr std::uint32_t magic_section = 0x0a0d0d0a;
constexpr std::size_t file_header_bytes = 24, record_header_bytes = 16, kuznetzov_header_bytes = 24;

class PcapFormat final : public CaptureFormat {
 public:
  struct Layout {
    ByteOrder order;
    std::int64_t nanoseconds_per_unit;
    std::size_t header_bytes;
    // Version 2.3 and older had the two lengths the other way round, or either way.
    enum class Lengths : std::uint8_t { usual, swapped, either } lengths;
    LinkType link;
  };
  explicit PcapFormat(const Layout& layout) : layout_(layout) {}

  FormatStep next(Bytes bytes, PacketView& packet) override {
    if (bytes.size() < layout_.header_bytes) return {.kind = FormatStep::Kind::more, .needed = layout_.header_bytes};
    const HeaderFields<record_header_bytes> header(bytes);
    const bool little = layout_.order == ByteOrder::little;
    const std::uint32_t seconds = little ? header.u32le<0>() : header.u32be<0>(), fraction = little ? header.u32le<4>() : header.u32be<4>();
    std::uint32_t captured = little ? header.u32le<8>() : header.u32be<8>(), wire = little ? header.u32le<12>() : header.u32be<12>();
    using Lengths = Layout::Lengths;
    if (layout_.lengths == Lengths::swapped || (layout_.lengths == Lengths::either && captured > wire)) std::swap(captured, wire);
    if (captured > longest_packet) {
      return {.kind = FormatStep::Kind::broken,
              .what = "a record says that it holds " + std::to_string(captured) + " bytes, more than any packet has"};
    }
    const std::size_t whole = layout_.header_bytes + captured;
    if (bytes.size() < whole) return {.kind = FormatStep::Kind::more, .needed = whole};
    packet.time = capture_time(seconds, fraction * layout_.nanoseconds_per_unit);
    packet.link = layout_.link;
    packet.wire_length = wire;
    packet.data = bytes.subspan(layout_.header_bytes, captured);
    return {.kind = FormatStep::Kind::packet, .consumed = whole};
  }
  const LinkType* link() const override { return &layout_.link; }

 private:
  Layout layout_;
};

bool is_pcap(std::uint32_t magic) { return magic == magic_microseconds || magic == magic_nanoseconds || magic == magic_kuznetzov; }

Expected<OpenedFormat, std::string> open_pcap(Bytes bytes, std::uint32_t magic, ByteOrder order) {
  using Error = Unexpected<std::string>;
  if (bytes.size() < file_header_bytes) return Error("found a file that ends before its first packet; capture again");
  ByteReader reader(bytes.first(file_header_bytes));
  const auto u16 = [&] { return order == ByteOrder::little ? reader.u16le() : reader.u16be(); };
  const auto u32 = [&] { return order == ByteOrder::little ? reader.u32le() : reader.u32be(); };
  reader.skip(4);
  const std::uint16_t major = u16(), minor = u16();
  reader.skip(12);  // time zone and accuracy, never used; the snapshot length, which packets may exceed
  const std::uint32_t link = u32() & 0x03ffffff;  // above it stands the length of the frame check sequence
  const bool is_old_digital = major == 543 && minor == 0;
  if (!is_old_digital && (major != 2 || minor > 4)) {
    return Error("found a pcap file of version " + std::to_string(major) + "." + std::to_string(minor) + ", which nobody knows; capture with tcpdump -w");
  }
  using Lengths = PcapFormat::Layout::Lengths;
  return OpenedFormat{std::make_unique<PcapFormat>(PcapFormat::Layout{
                          .order = order,
                          .nanoseconds_per_unit = magic == magic_nanoseconds ? 1 : 1000,
                          .header_bytes = magic == magic_kuznetzov ? kuznetzov_header_bytes : record_header_bytes,
                          .lengths = is_old_digital || minor < 3 ? Lengths::swapped : minor == 3 ? Lengths::either : Lengths::usual,
                          .link = link_of_file(link)}),
                      file_header_bytes};
}

}  // namespace

Expected<OpenedFormat, std::string> open_format(Bytes bytes, OnSecrets on_secrets) {
  using Error = Unexpected<std::string>;
  if (bytes.empty()) return Error("found an empty file; capture again");
  const auto begins = [&](std::string_view magic) { return as_text(bytes).starts_with(magic); };
  if (begins("\x1f\x8b")) return Error("found a gzip file; unpack it first: gunzip -k FILE");
  if (begins("\x28\xb5\x2f\xfd")) return Error("found a zstd file; unpack it first: unzstd FILE");
  if (begins("\xfd" "7zXZ")) return Error("found an xz file; unpack it first: unxz -k FILE");
  const std::uint32_t little = ByteReader(bytes).u32le(), big = ByteReader(bytes).u32be();
  if (is_pcap(little)) return open_pcap(bytes, little, ByteOrder::little);
  if (is_pcap(big)) return open_pcap(bytes, big, ByteOrder::big);
  if (little == magic_section) {
    if (bytes.size() < format_magic_bytes) return Error("found a file that ends before its first packet; capture again");
    return OpenedFormat{make_pcapng(std::move(on_secrets)), 0};
  }
  return Error("found another kind of file; capture with tcpdump -w");
}

}  // namespace darktap::capture
