// The triage page while a command runs; nothing where darktap was built without the page.
#pragma once

#include <memory>
#include <string>

namespace darktap::cli {

class Serving {
 public:
  // Throws Failure where the address isn't loopback or is taken.
  Serving(const std::string& store, const std::string& listen);
  ~Serving();
  // With its token; empty without the page.
  std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::cli
