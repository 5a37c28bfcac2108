// Any bytes as a capture file: pcap and pcapng, their blocks, clocks and secrets; what comes out is within the file's bounds.
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "base/expected.h"
#include "capture/tap.h"

// Input: one byte whose lowest bit asks for a filter, then the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace darktap;
  if (size == 0) return 0;
  static const int file = memfd_create("capture", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data + 1, size - 1, 0) != static_cast<ssize_t>(size - 1)) std::abort();
  try {
    std::size_t secrets = 0;
    capture::FileTapOptions options;
    if (data[0] & 1) options.filter = "tcp port 3306";
    options.on_secrets = [&](std::string_view text) { secrets += text.size(); };
    capture::FileTap tap(path, options);
    capture::PacketView packet;
    std::uint64_t last = 0, bytes = 0;
    while (tap.next(packet) == capture::Tap::Read::packet) {
      if (packet.number.value <= last) std::abort();
      last = packet.number.value;
      for (const std::byte byte : packet.data) bytes += std::to_integer<unsigned>(byte) & 1;  // every byte can be read
      if (packet.data.size() > size) std::abort();
    }
    if (secrets > size || bytes > size) std::abort();
    tap.counts();
  } catch (const Failure&) {
    // Nothing of it can be read: a line for the user.
  }
  return 0;
}
