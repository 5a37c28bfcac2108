// Asks one server questions on a few read-only connections: re-reads, tie-scoped queries, A/A runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/expected.h"
#include "client/server_session.h"

namespace darktap::client {

struct AskerOptions {
  SessionOptions session;
  std::size_t connections = 2;
  std::size_t waiting = 10'000;  // questions beyond this are answered at once with a reason
};

// Session variables, and user variables ("@x"), each with its value as SQL writes it.
using Variables = std::map<std::string, std::string>;

class Asker {
 public:
  using Answered = std::function<void(Expected<Reply, std::string>&&)>;  // a reply, or one line why there is none

  Asker(EventLoop& loop, const AskerOptions& options);
  ~Asker();  // questions that wait are dropped without an answer
  // Leads to exactly one call of `answered`, from the loop. `variables`: what the question is asked under; all others stand as
  // at the login. One that the server refuses stands as it stood.
  void ask(std::string schema, std::uint16_t collation, mysql::Command command, Answered answered, Variables variables = {});
  std::size_t waiting() const;  // asked and not yet answered
  std::vector<Endpoint> local_endpoints() const;  // our ends, so that the tap can leave them out

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace darktap::client
