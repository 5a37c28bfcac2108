#include "pcap_handle.h"

#include <algorithm>

namespace darktap::capture {

namespace {

std::string interface_names() {
  std::string names;
  pcap_if_t* all = nullptr;
  char error[PCAP_ERRBUF_SIZE] = "";
  if (pcap_findalldevs(&all, error) != 0) return names;
  for (const pcap_if_t* one = all; one != nullptr; one = one->next) {
    if ((one->flags & PCAP_IF_UP) == 0) continue;
    names += (names.empty() ? "" : ", ") + std::string(one->name);
  }
  pcap_freealldevs(all);
  return names;
}

PcapHandle dead_handle(LinkType link) {
  constexpr int snapshot_length = 262144;
  return PcapHandle(pcap_open_dead(link.value, snapshot_length));
}

}  // namespace

Filter::Filter(pcap_t* handle, const std::string& tap, const std::string& expression) {
  if (pcap_compile(handle, &program_, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    throw Failure(FailureKind::usage, tap + ": the filter '" + expression + "' does not compile: " + pcap_geterr(handle) +
                                          "; see pcap-filter(7) for the syntax");
  }
}

Filter::Filter(LinkType link, const std::string& tap, const std::string& expression) : Filter(dead_handle(link).get(), tap, expression) {}

void Filter::check(const std::string& tap, const std::string& expression) {
  // Ethernet knows nearly all there is; what is left is known to Linux's cooked packets.
  try {
    const Filter here(link_type::linux_sll, tap, expression);
  } catch (const Failure&) {
    const Filter there(link_type::ethernet, tap, expression);
  }
}

bool Filter::matches(const PacketView& packet) const {
  pcap_pkthdr header{};
  header.caplen = static_cast<bpf_u_int32>(packet.data.size());
  header.len = packet.wire_length;
  return pcap_offline_filter(&program_, &header, reinterpret_cast<const u_char*>(packet.data.data())) != 0;
}

Failure link_failure(const std::string& name, LinkType link) {
  const char* known_as = pcap_datalink_val_to_name(link.value);
  const char* description = pcap_datalink_val_to_description(link.value);
  std::string found = known_as != nullptr ? known_as : "unknown";
  if (description != nullptr) found += ", " + std::string(description);
  return Failure(FailureKind::environment, name + ": expected link type " + supported_link_types() + ", found " +
                                               std::to_string(link.value) + " (" + found +
                                               "); capture on an Ethernet interface, lo or any");
}

Failure interface_failure(const std::string& interface, int status, const std::string& message) {
  const auto failure = [&](const std::string& line) { return Failure(FailureKind::environment, "interface " + interface + ": " + line); };
  const std::string detail = message.empty() ? pcap_statustostr(status) : message;
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE: return failure("no such interface (" + detail + "); there are: " + interface_names());
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return failure("no permission to capture (" + detail + "); run as root, or give the program the capability: setcap cap_net_raw+ep darktap");
    case PCAP_ERROR_IFACE_NOT_UP: return failure("the interface is down; bring it up: ip link set " + interface + " up");
    default: return failure("can't capture: " + detail + "; there are: " + interface_names());
  }
}

void view_record(const pcap_pkthdr& header, const u_char* data, LinkType link, std::chrono::nanoseconds unit, std::uint64_t number,
                 PacketView& view) {
  // A file may claim any time; CaptureTime holds 292 years on either side of 1970.
  constexpr std::int64_t last_second = 9'000'000'000;
  const auto seconds = std::clamp<std::int64_t>(header.ts.tv_sec, -last_second, last_second);
  const auto fraction = std::clamp<std::int64_t>(header.ts.tv_usec, 0, 999'999'999) * unit;
  view.time = CaptureTime(std::chrono::seconds(seconds) + fraction);
  view.link = link;
  view.wire_length = header.len;
  view.data = {reinterpret_cast<const std::byte*>(data), header.caplen};
  view.number = PacketNumber{number};
}

}  // namespace darktap::capture
