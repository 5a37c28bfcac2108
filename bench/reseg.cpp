// Rewrites a capture as a network with 1,500-byte packets would have carried it: each TCP segment in pieces of at most MSS bytes, and
// the receiver's pure ACK behind every second piece. (Loopback and segmentation offload give segments of up to 64 KiB, which flatter
// whoever is measured.) The pieces have their segment's time; nothing is lost or moved.
//
//   bench_reseg IN.pcap OUT.pcap [MSS]    Ethernet and IPv4; MSS defaults to 1448
#include <pcap/pcap.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t ethernet_bytes = 14;

std::uint32_t read_be(const u_char* at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}
void write_be(u_char* at, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) at[i] = static_cast<u_char>(value & 0xff);
}

class Rewriter {
 public:
  Rewriter(pcap_dumper_t* out, std::size_t mss) : out_(out), mss_(mss) {}

  void take(const pcap_pkthdr& header, const u_char* data) {
    const std::size_t ip = ethernet_bytes;
    const bool whole = header.caplen == header.len && header.caplen > ip + 40;
    if (!whole || read_be(data + 12, 2) != 0x0800 || data[ip + 9] != 6) return put(header, data, header.caplen);
    const std::size_t tcp = ip + std::size_t{data[ip] & 0x0fu} * 4;
    const std::size_t payload = tcp + std::size_t{data[tcp + 12]} / 16 * 4;
    const std::size_t end = ip + read_be(data + ip + 2, 2);
    if (end > header.caplen || end <= payload || end - payload <= mss_) return put(header, data, header.caplen);
    const std::uint32_t sequence = read_be(data + tcp + 4, 4);
    std::size_t pieces = 0;
    for (std::size_t at = payload; at < end; at += mss_) {
      const std::size_t size = std::min(mss_, end - at);
      piece_.assign(data, data + payload);
      piece_.insert(piece_.end(), data + at, data + at + size);
      write_be(&piece_[ip + 2], static_cast<std::uint32_t>(piece_.size() - ip), 2);
      write_be(&piece_[tcp + 4], sequence + static_cast<std::uint32_t>(at - payload), 4);
      put(header, piece_.data(), piece_.size());
      if (++pieces % 2 == 0) put_ack(header, data, tcp, sequence + static_cast<std::uint32_t>(at + size - payload));
    }
  }

 private:
  void put_ack(const pcap_pkthdr& header, const u_char* data, std::size_t tcp, std::uint32_t acknowledged) {
    piece_.assign(data, data + tcp + 20);
    std::swap_ranges(&piece_[0], &piece_[6], &piece_[6]);
    std::swap_ranges(&piece_[26], &piece_[30], &piece_[30]);
    std::swap_ranges(&piece_[tcp], &piece_[tcp + 2], &piece_[tcp + 2]);
    write_be(&piece_[16], static_cast<std::uint32_t>(piece_.size() - ethernet_bytes), 2);
    std::memcpy(&piece_[tcp + 4], data + tcp + 8, 4);
    write_be(&piece_[tcp + 8], acknowledged, 4);
    piece_[tcp + 12] = 0x50;
    piece_[tcp + 13] = 0x10;
    put(header, piece_.data(), piece_.size());
  }

  void put(pcap_pkthdr header, const u_char* data, std::size_t size) {
    header.caplen = header.len = static_cast<bpf_u_int32>(size);
    pcap_dump(reinterpret_cast<u_char*>(out_), &header, data);
  }

  pcap_dumper_t* out_;
  std::size_t mss_;
  std::vector<u_char> piece_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_reseg IN.pcap OUT.pcap [MSS]\n");
    return 2;
  }
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_t* in = pcap_open_offline(argv[1], error);
  if (in == nullptr || pcap_datalink(in) != DLT_EN10MB) {
    std::fprintf(stderr, "bench_reseg: %s: expected a capture of Ethernet packets; %s\n", argv[1], error);
    return 3;
  }
  pcap_dumper_t* out = pcap_dump_open(in, argv[2]);
  if (out == nullptr) {
    std::fprintf(stderr, "bench_reseg: %s\n", pcap_geterr(in));
    return 3;
  }
  Rewriter rewriter(out, argc > 3 ? std::max<std::size_t>(1, std::strtoul(argv[3], nullptr, 10)) : 1448);
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (pcap_next_ex(in, &header, &data) == 1) rewriter.take(*header, data);
  pcap_dump_close(out);
  pcap_close(in);
  return 0;
}
