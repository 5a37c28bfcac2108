// A file that a command writes at its end, opened at its beginning, so that what can't be written is told before a run and
// not after it. It may hold production's rows: readable by its owner only, and never written through a symbolic link.
#pragma once

#include <string>
#include <string_view>

namespace darktap::cli {

class OutputFile {
 public:
  // What stands at the path stays as it is until finish(). Throws Failure(usage) where that is not a plain file, and
  // Failure(environment) where none can be made there.
  explicit OutputFile(std::string path);
  ~OutputFile();  // without finish(): nothing has changed
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Throws Failure(environment) where it can't be written.
  void finish(std::string_view text);

 private:
  std::string path_, part_;
  int file_ = -1;
};

}  // namespace darktap::cli
