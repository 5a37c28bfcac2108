// A network interface. Packets are read without a system call while the kernel's ring holds any; else we wait on the ring
// and on an eventfd, which is what stop() writes to.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture/tap.h"
#include "pcap_handle.h"

namespace darktap::capture {

struct LiveTap::State {
  std::string name;
  PcapHandle handle;
  LinkType link;
  std::chrono::nanoseconds time_unit{1};
  int descriptor = -1;
  int wakeup = -1;
  std::uint64_t number = 0;
  TapCounts counts;
  std::uint32_t last_drops = 0, last_interface_drops = 0;  // libpcap's counters, which wrap
  std::atomic<bool> stopped = false;

  ~State() {
    if (wakeup >= 0) close(wakeup);
  }
  Failure failure(const std::string& line) const { return Failure(FailureKind::environment, "interface " + name + ": " + line); }
  void set_filter(const LiveTapOptions& options);
};

LiveTap::LiveTap(const std::string& interface, const LiveTapOptions& options) : state_(std::make_unique<State>()) {
  state_->name = interface;
  char error[PCAP_ERRBUF_SIZE] = "";
  state_->handle.reset(pcap_create(interface.c_str(), error));
  if (!state_->handle) throw state_->failure(std::string("can't capture: ") + error);
  pcap_t* handle = state_->handle.get();
  pcap_set_snaplen(handle, options.snapshot_length);
  pcap_set_buffer_size(handle, options.buffer_bytes);
  pcap_set_promisc(handle, 0);
  pcap_set_timeout(handle, static_cast<int>(std::max<std::int64_t>(options.batch.count(), 1)));
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle);
  if (status < 0) throw interface_failure(interface, status, status == PCAP_ERROR_PERM_DENIED ? "" : pcap_geterr(handle));

  if (pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_MICRO) state_->time_unit = std::chrono::microseconds(1);
  state_->link = LinkType{pcap_datalink(handle)};
  if (!is_supported(state_->link)) throw link_failure("interface " + interface, state_->link);
  state_->set_filter(options);
  if (pcap_setnonblock(handle, 1, error) != 0) throw state_->failure(std::string("can't be polled: ") + error);
  state_->descriptor = pcap_get_selectable_fd(handle);
  state_->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (state_->descriptor < 0 || state_->wakeup < 0) throw state_->failure("can't be polled; capture to a file with tcpdump instead");
}

LiveTap::~LiveTap() = default;

void LiveTap::State::set_filter(const LiveTapOptions& options) {
  // The user's filter alone first, so that an error line shows what the user wrote.
  if (!options.filter.empty()) const Filter check(handle.get(), "interface " + name, options.filter);
  std::string expression = port_filter(options.ports, link);
  // The user's comes first: "vlan" in ours would shift it.
  if (!options.filter.empty()) expression = "(" + options.filter + ") and (" + expression + ")";
  Filter filter(handle.get(), "interface " + name, expression);
  if (pcap_setfilter(handle.get(), filter.program()) != 0) {
    throw failure(std::string("the filter can't be installed: ") + pcap_geterr(handle.get()));
  }
}

Tap::Read LiveTap::next(PacketView& packet, std::chrono::milliseconds wait) {
  bool waited = false;
  while (!state_->stopped.load(std::memory_order_relaxed)) {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int status = pcap_next_ex(state_->handle.get(), &header, &data);
    if (status == 1) {
      view_record(*header, data, state_->link, state_->time_unit, ++state_->number, packet);
      ++state_->counts.packets;
      return Read::packet;
    }
    if (status != 0 && errno != EINTR) throw state_->failure(std::string("capture broke off: ") + pcap_geterr(state_->handle.get()));
    if (waited || wait.count() <= 0) return Read::timeout;
    pollfd waits[2] = {{state_->descriptor, POLLIN, 0}, {state_->wakeup, POLLIN, 0}};
    poll(waits, 2, static_cast<int>(std::min<std::int64_t>(wait.count(), 60'000)));
    waited = true;
  }
  return Read::end;
}

void LiveTap::stop() noexcept {
  state_->stopped.store(true, std::memory_order_relaxed);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(state_->wakeup, &one, sizeof one);
}

TapCounts LiveTap::counts() {
  pcap_stat now{};
  if (pcap_stats(state_->handle.get(), &now) == 0) {
    state_->counts.kernel_drops += now.ps_drop - state_->last_drops;
    state_->counts.kernel_drops += now.ps_ifdrop - state_->last_interface_drops;
    state_->last_drops = now.ps_drop;
    state_->last_interface_drops = now.ps_ifdrop;
  }
  return state_->counts;
}

const std::string& LiveTap::name() const { return state_->name; }
int LiveTap::descriptor() const { return state_->descriptor; }

}  // namespace darktap::capture
