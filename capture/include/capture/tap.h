// Where packets come from: a capture file, standard input, or a network interface. libpcap stays behind this header.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "capture/packet.h"
#include "capture/server_ports.h"

namespace darktap::capture {

struct TapCounts {
  std::uint64_t packets = 0;       // handed on by next()
  std::uint64_t kernel_drops = 0;  // dropped by the kernel or the interface because nobody was fast enough; a pcapng file may tell of its own tap
};

// Errors that end the run throw Failure: environment (exit 3) for files, interfaces and permissions, usage (exit 2) for a
// filter that does not compile. Each line names the file or interface, what was expected, what was found and the remedy.
class Tap {
 public:
  enum class Read : std::uint8_t {
    packet,   // `packet` views the next one, until the next call
    timeout,  // nothing came within `wait`; call again
    end,      // the file is over, or stop() was called
  };
  virtual ~Tap() = default;
  // Regular files never wait.
  virtual Read next(PacketView& packet, std::chrono::milliseconds wait) = 0;
  // Makes next() answer `end` soon; may be called from a signal handler or another thread.
  virtual void stop() noexcept = 0;
  virtual TapCounts counts() = 0;
  // The file or interface, for messages.
  virtual const std::string& name() const = 0;
};

struct FileTapOptions {
  std::string filter{};  // BPF, of what the link carries: addresses outside a tunnel
  // Whether more may be written behind the end of a regular file; if so, only stop() ends the reading.
  enum class End : std::uint8_t { final, followed } end = End::final;
  // Called from next() with the text of each TLS key log that the file carries (pcapng's Decryption Secrets Blocks: lines as
  // in an SSLKEYLOGFILE), in front of the packets that follow it; the text lives until it returns.
  std::function<void(std::string_view nss_key_log_text)> on_secrets{};
};

// A pcap (µs or ns) or pcapng file, also of several interfaces and link types; "-" is standard input. Packet numbers count
// every packet of the file, also those that the filter drops. next() waits for a pipe's writer and for a followed file's.
class FileTap final : public Tap {
 public:
  explicit FileTap(const std::string& path, const std::string& filter = {});
  FileTap(const std::string& path, FileTapOptions options);
  ~FileTap() override;

  Read next(PacketView& packet, std::chrono::milliseconds wait = std::chrono::seconds(10)) override;
  void stop() noexcept override;
  TapCounts counts() override;
  const std::string& name() const override;

  // Set where the file ended in the middle of a packet, held a damaged block, or broke off in nonsense after at least one
  // packet: a line for the user, with the file's name, the number of the last good packet and the byte.
  const std::optional<std::string>& truncated() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct LiveTapOptions {
  ServerPorts ports{};           // becomes part of the kernel's filter
  std::string filter{};          // BPF of the user, of what the link carries (tunnels: the outside); both must match
  int snapshot_length = 262144;  // bytes; a segmentation-offloaded packet has up to 64 KiB
  int buffer_bytes = 64 << 20;   // the kernel's ring
  std::chrono::milliseconds batch = std::chrono::milliseconds(5);  // how long the kernel may collect packets before it wakes us
};

// A network interface, promiscuous mode off. On "lo" and "any" packets can be seen twice: the reassembler drops the copies.
class LiveTap final : public Tap {
 public:
  explicit LiveTap(const std::string& interface, const LiveTapOptions& options = {});
  ~LiveTap() override;

  Read next(PacketView& packet, std::chrono::milliseconds wait) override;
  void stop() noexcept override;
  TapCounts counts() override;
  const std::string& name() const override;

  // Readable when packets wait (for a loop of one's own); next() with a wait of zero then reads without blocking.
  int descriptor() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The BPF expression for TCP to or from the ports (any(): all TCP), on Ethernet also inside one or two VLAN tags; and for
// whatever may carry it unseen: tunnels, fragments, IPv6 extension headers.
std::string port_filter(const ServerPorts& ports, LinkType link);

}  // namespace darktap::capture
