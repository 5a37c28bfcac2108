// The formats of capture files, without I/O: bytes in, one step at a time; "needs more bytes" is a step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/expected.h"
#include "capture/packet.h"

namespace darktap::capture {

// The longest packet that is taken for one; a record that claims more is nonsense.
inline constexpr std::size_t longest_packet = std::size_t{16} << 20;
// Secrets and options longer than that are left out.
inline constexpr std::size_t longest_block = longest_packet + 4096;
// Interfaces of a pcapng section; packets of further ones are damaged blocks.
inline constexpr std::size_t most_interfaces = 4096;

struct FormatStep {
  enum class Kind : std::uint8_t {
    packet,   // the view is filled, but for its number
    passed,   // something else, or a packet that can't be used
    more,     // `needed` bytes are needed in all
    damaged,  // a block that contradicts itself and is left out; `what` says how
    broken,   // from here on nothing can be read
  } kind = Kind::more;
  std::uint64_t consumed = 0;  // may exceed what was given: that much is to be left out
  std::size_t needed = 0;
  std::string what{};
};

class CaptureFormat {
 public:
  virtual ~CaptureFormat() = default;
  // The bytes begin where the last step's consumed bytes ended. The packet's data view them.
  virtual FormatStep next(Bytes bytes, PacketView& packet) = 0;
  // What the file says was dropped before it reached the file.
  virtual std::uint64_t drops() const { return 0; }
  // The link type of all packets where the file has one for all; nothing where each packet has its own.
  virtual const LinkType* link() const { return nullptr; }
};

using OnSecrets = std::function<void(std::string_view nss_key_log_text)>;

// Enough to tell the format by; a shorter file is none.
inline constexpr std::size_t format_magic_bytes = 24;
// Reads a pcap file's header, or nothing of a pcapng file. The error says what was found instead.
struct OpenedFormat {
  std::unique_ptr<CaptureFormat> format;
  std::size_t consumed = 0;
};
Expected<OpenedFormat, std::string> open_format(Bytes first_bytes, OnSecrets on_secrets);
std::unique_ptr<CaptureFormat> make_pcapng(OnSecrets on_secrets);

// Link types have two numbers where history had it: files' and libpcap's. Ours is libpcap's.
LinkType link_of_file(std::uint32_t number);
// A capture time holds 292 years on either side of 1970; a file may claim any.
CaptureTime capture_time(std::int64_t seconds, std::int64_t nanoseconds);

}  // namespace darktap::capture
