// The triage page while a command runs; nothing where darktap was built without the page.
#pragma once

#include <memory>
#include <string>

namespace darktap::cli {

class Serving {
 public:
  // Binds, so that a wrong or taken address is told before anything else is done. Throws Failure.
  Serving(const std::string& store, const std::string& listen);
  ~Serving();
  // The store must be there by now.
  void start();
  // With its token; empty without the page.
  std::string url() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::cli
