// Any bytes as a recording: the reader ends with what can be read, or with a Failure.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/expected.h"
#include "session/recording.h"

namespace {

class Nothing final : public darktap::session::ExchangeSink {
 public:
  void on_session(const darktap::session::SessionInfo&) override {}
  void on_exchange(darktap::session::Exchange&) override {}
  void on_session_end(darktap::SessionId, darktap::CaptureTime) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("recording", MFD_CLOEXEC);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  Nothing nothing;
  try {
    darktap::session::RecordingReader reader("/proc/self/fd/" + std::to_string(file));
    reader.read(nothing);
  } catch (const darktap::Failure&) {
  }
  close(file);
  return 0;
}
