// libpcap for this room's .cpp files: ownership, filters, and what its messages mean to the user. Never part of a public header.
#pragma once

#include <pcap/pcap.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/expected.h"
#include "capture/packet.h"

namespace darktap::capture {

struct PcapClose {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using PcapHandle = std::unique_ptr<pcap_t, PcapClose>;

// A compiled BPF filter. One that does not compile is a usage failure, which names the tap and the expression.
class Filter {
 public:
  Filter(pcap_t* handle, const std::string& tap, const std::string& expression);
  Filter(LinkType link, const std::string& tap, const std::string& expression);
  ~Filter() { pcap_freecode(&program_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  bpf_program* program() { return &program_; }
  bool matches(const PacketView& packet) const;

  // Throws where the expression compiles for no link type.
  static void check(const std::string& tap, const std::string& expression);

 private:
  bpf_program program_{};
};

// The error lines; each names the thing, what was expected, what was found and the remedy.
Failure link_failure(const std::string& name, LinkType link);
Failure interface_failure(const std::string& interface, int status, const std::string& message);

// Fills the view from a record; `unit` is what the fraction in its time stamp counts.
void view_record(const pcap_pkthdr& header, const u_char* data, LinkType link, std::chrono::nanoseconds unit, std::uint64_t number,
                 PacketView& view);

}  // namespace darktap::capture
