// Capture files and standard input.
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "capture/tap.h"
#include "pcap_handle.h"

namespace darktap::capture {

namespace {

// stdio's own 4 KiB cost a system call every few packets; and glibc takes a size only with a buffer.
constexpr std::size_t read_buffer_bytes = std::size_t{256} << 10;

void enlarge_buffer(FILE* file, std::vector<char>& buffer) {
  buffer.resize(read_buffer_bytes);
  std::setvbuf(file, buffer.data(), _IOFBF, buffer.size());
}

// Standard input outlives every tap, so its buffer does too.
std::vector<char>& stdin_buffer() {
  static std::vector<char>* const buffer = new std::vector<char>;
  return *buffer;
}

// Opens the file ourselves: the system's reason is better than libpcap's.
FILE* open_file(const std::string& path, std::vector<char>& buffer) {
  const auto failure = [&](const std::string& line) { return Failure(FailureKind::environment, path + ": " + line); };
  FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    switch (errno) {
      case ENOENT: throw failure("no such file; expected a pcap or pcapng capture");
      case EACCES: throw failure("permission denied; make the capture readable for this user");
      default: throw failure(std::string("can't be opened: ") + std::strerror(errno));
    }
  }
  enlarge_buffer(file, buffer);
  struct stat status {};
  if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
    std::fclose(file);
    throw failure("expected a pcap or pcapng capture, found a folder; name one file");
  }
  if (S_ISREG(status.st_mode)) {
    unsigned char magic[2] = {};
    if (std::fread(magic, 1, 2, file) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
      std::fclose(file);
      throw failure("expected a pcap or pcapng capture, found a gzip file; unpack it first: gunzip -k FILE");
    }
    std::rewind(file);
  }
  return file;
}

}  // namespace

struct FileTap::State {
  std::string name;
  std::vector<char> buffer;  // the file's, so it goes after the handle
  PcapHandle handle;
  LinkType link;
  std::unique_ptr<Filter> filter;
  std::uint64_t number = 0;
  TapCounts counts;
  std::optional<std::string> truncated;
  bool over = false;
  std::atomic<bool> stopped = false;

  void broke_off(const std::string& message);
};

FileTap::FileTap(const std::string& path, const std::string& filter) : state_(std::make_unique<State>()) {
  const bool from_stdin = path == "-";
  state_->name = from_stdin ? "standard input" : path;
  FILE* file = from_stdin ? stdin : open_file(path, state_->buffer);
  if (from_stdin && stdin_buffer().empty()) enlarge_buffer(stdin, stdin_buffer());
  char error[PCAP_ERRBUF_SIZE] = "";
  state_->handle.reset(pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error));
  if (!state_->handle) {
    if (!from_stdin) std::fclose(file);
    throw file_failure(state_->name, error);
  }
  state_->link = LinkType{pcap_datalink(state_->handle.get())};
  if (!is_supported(state_->link)) throw link_failure(state_->name, state_->link);
  if (!filter.empty()) state_->filter = std::make_unique<Filter>(state_->handle.get(), state_->name, filter);
}

FileTap::~FileTap() = default;

Tap::Read FileTap::next(PacketView& packet, std::chrono::milliseconds) {
  while (!state_->over && !state_->stopped.load(std::memory_order_relaxed)) {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int status = pcap_next_ex(state_->handle.get(), &header, &data);
    if (status != 1) {
      state_->over = true;
      if (status == PCAP_ERROR && !state_->stopped) state_->broke_off(pcap_geterr(state_->handle.get()));
      break;
    }
    ++state_->number;
    if (state_->filter && !state_->filter->matches(*header, data)) continue;
    view_record(*header, data, state_->link, std::chrono::nanoseconds(1), state_->number, packet);
    ++state_->counts.packets;
    return Read::packet;
  }
  return Read::end;
}

// What was read before stays good; a file of which nothing could be read is an error.
void FileTap::State::broke_off(const std::string& message) {
  if (number == 0 || message.find("different from the") != std::string::npos) throw file_failure(name, message);
  truncated = name + ": the capture ends early, after packet " + std::to_string(number) + " (" + message +
              "); everything before was read";
}

void FileTap::stop() noexcept { state_->stopped.store(true, std::memory_order_relaxed); }
TapCounts FileTap::counts() { return state_->counts; }
const std::string& FileTap::name() const { return state_->name; }
const std::optional<std::string>& FileTap::truncated() const { return state_->truncated; }

}  // namespace darktap::capture
