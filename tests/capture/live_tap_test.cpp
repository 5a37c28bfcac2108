// A real interface: lo, with a real TCP connection over it. Needs the right to capture.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/expected.h"
#include "capture/reassembler.h"
#include "capture/segment.h"
#include "capture/tap.h"
#include "test_support/catch.h"
#include "test_support/packets.h"
#include "test_support/stream_log.h"

using namespace darktap;
using namespace darktap::capture;
using namespace darktap::test;
using namespace std::chrono_literals;

namespace {

// A listening socket on a free port of 127.0.0.1.
struct Listener {
  int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  Listener() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(getsockname(socket_fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    REQUIRE(listen(socket_fd, 1) == 0);
  }
  ~Listener() { close(socket_fd); }
  std::uint16_t port() const { return ntohs(address.sin_port); }
};

void talk_once(const Listener& listener, const std::string& question, const std::string& answer) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&listener.address), sizeof listener.address) == 0);
  const int server = accept(listener.socket_fd, nullptr, nullptr);
  std::thread sends([&] {
    for (std::size_t done = 0; done < question.size();) done += static_cast<std::size_t>(write(client, question.data() + done, question.size() - done));
  });
  std::string buffer(question.size(), '\0');
  REQUIRE(recv(server, buffer.data(), buffer.size(), MSG_WAITALL) == static_cast<ssize_t>(buffer.size()));
  sends.join();
  REQUIRE(write(server, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size()));
  buffer.resize(answer.size());
  REQUIRE(recv(client, buffer.data(), buffer.size(), MSG_WAITALL) == static_cast<ssize_t>(buffer.size()));
  close(client);
  close(server);
}

// Puts a whole frame on lo, as a mirror port would.
void send_frame(const std::string& frame) {
  const int raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  REQUIRE(raw >= 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  REQUIRE(sendto(raw, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == static_cast<ssize_t>(frame.size()));
  close(raw);
}

// Opens the tap, or tells why not: not every machine lets a test capture.
std::unique_ptr<LiveTap> open_tap(const std::string& interface, const LiveTapOptions& options, std::string& refused) {
  try {
    return std::make_unique<LiveTap>(interface, options);
  } catch (const Failure& failure) {
    refused = failure.what();
    return nullptr;
  }
}

}  // namespace

TEST_CASE("a live tap sees a connection on lo and any, whole, each byte once") {
  for (const char* interface : {"lo", "any"}) {
    CAPTURE(interface);
    Listener listener;
    std::string refused;
    const auto tap = open_tap(interface, {.ports = ServerPorts{listener.port()}}, refused);
    if (!tap) DARKTAP_SKIP(refused);
    const std::string question(1'000'000, 'q'), answer = "a";
    talk_once(listener, question, answer);

    StreamLog log;
    log.keep_lines = false;
    Reassembler reassembler(log, {.ports = ServerPorts{listener.port()}});
    PacketView packet;
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while ((log.connections.empty() || !log.connections.at(1).end) && std::chrono::steady_clock::now() < deadline) {
      if (tap->next(packet, 100ms) == Tap::Read::packet) reassembler.feed(packet);
    }
    reassembler.finish(packet.time);
    REQUIRE(log.connections.size() == 1);
    CHECK(log.connections.at(1).open.start == StreamOpen::Start::handshake);
    CHECK(log.side(1, Direction::to_server).bytes == question);
    CHECK(log.side(1, Direction::to_client).bytes == answer);
    CHECK(tap->counts().packets > 0);
    CHECK(tap->counts().kernel_drops == 0);
    CHECK(std::chrono::abs(CaptureClock::now() - packet.time) < 1h);
  }
}

TEST_CASE("a live tap answers timeout while nothing comes, and ends when stopped") {
  std::string refused;
  const auto tap = open_tap("lo", {.ports = ServerPorts{1}}, refused);
  if (!tap) DARKTAP_SKIP(refused);
  PacketView packet;
  CHECK(tap->next(packet, 0ms) == Tap::Read::timeout);
  CHECK(tap->next(packet, 10ms) == Tap::Read::timeout);
  std::thread stops([&] {
    std::this_thread::sleep_for(50ms);
    tap->stop();
  });
  const auto started = std::chrono::steady_clock::now();
  CHECK(tap->next(packet, 30s) == Tap::Read::end);
  CHECK(std::chrono::steady_clock::now() - started < 10s);
  stops.join();
  CHECK(tap->next(packet, 0ms) == Tap::Read::end);
}

TEST_CASE("an interface that isn't there, or a bad filter, is one line") {
  std::string refused;
  CHECK(open_tap("nosuchif0", {}, refused) == nullptr);
  CHECK(refused.find("nosuchif0") != std::string::npos);
  CHECK(refused.find('\n') == std::string::npos);
  if (!open_tap("lo", {}, refused)) DARKTAP_SKIP(refused);
  try {
    LiveTap tap("lo", {.ports = ServerPorts{3306}, .filter = "hots 1.2.3.4"});
    FAIL("expected a failure");
  } catch (const Failure& failure) {
    CHECK(failure.kind() == FailureKind::usage);
    CHECK(std::string(failure.what()).find("hots 1.2.3.4") != std::string::npos);
  }
}

TEST_CASE("the kernel's filter passes the ports in VLAN tags, and what may carry them unseen") {
  std::string refused;
  const std::uint16_t port = 17;  // nobody talks there
  const TcpFields to_port{.destination = v4(2, port), .options{}}, elsewhere{.destination = v4(2, 18), .options{}};
  const TcpFields to_port_v6{.source = v6(1, 40000), .destination = v6(2, port), .options{}};
  const std::string ip = ip_packet(to_port, "wanted"), other = ip_packet(elsewhere, "other");
  const std::string in_vxlan = ipv4_packet(elsewhere, udp_datagram(4789, vxlan(ethernet(0x0800, ip))), {.protocol = 17});
  const std::string in_gre = ipv4_packet(elsewhere, be16(0) + be16(0x0800) + ip, {.protocol = 47});
  const std::string segment = tcp_segment(to_port, "wanted, long enough for two pieces");
  const std::string first_piece = ipv4_packet(to_port, segment.substr(0, 24), {.fragment = 0x2000}), second_piece = ipv4_packet(to_port, segment.substr(24), {.fragment = 3});
  const std::string destination_options{6, 0, 1, 4, 0, 0, 0, 0};
  const std::vector<std::string> wanted = {
      ethernet(0x0800, ip),
      ethernet(0x8100, be16(5) + be16(0x0800) + ip),
      ethernet(0x88a8, be16(6) + be16(0x8100) + be16(5) + be16(0x0800) + ip),
      ethernet(0x0800, in_vxlan),
      ethernet(0x8100, be16(5) + be16(0x0800) + in_vxlan),
      ethernet(0x0800, in_gre),
      ethernet(0x86dd, ip_packet(to_port_v6, "wanted")),
      ethernet(0x86dd, ipv6_packet(to_port_v6, tcp_segment(to_port_v6, "wanted"), 60, destination_options)),
  };
  for (const char* users_filter : {"", "not host 10.0.0.77"}) {
    const auto tap = open_tap("lo", {.ports = ServerPorts{port}, .filter = users_filter}, refused);
    if (!tap) DARKTAP_SKIP(refused);
    send_frame(ethernet(0x0800, other));
    for (const std::string& frame : wanted) send_frame(frame);
    send_frame(ethernet(0x0800, first_piece));
    send_frame(ethernet(0x0800, second_piece));
    SegmentDecoder decoder;
    PacketView packet;
    std::size_t found = 0, fragments = 0;
    for (int quiet = 0; quiet < 5;) {
      if (tap->next(packet, 100ms) != Tap::Read::packet) {
        ++quiet;
        continue;
      }
      const auto decoded = decoder.decode(packet);
      if (!decoded) {
        fragments += decoded.error() == NotSegment::fragment;
        continue;
      }
      if (decoded->destination.port != port) continue;
      CHECK(as_text(decoded->payload).starts_with("wanted"));
      ++found;
    }
    CHECK(found == wanted.size() + 1);
    CHECK(fragments >= 1);
    CHECK(tap->counts().packets < wanted.size() + 10);  // the other one, and what the machine itself sends in tunnels, hardly
  }
}
