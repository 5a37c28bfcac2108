// What the wire or a user may get wrong is a value: Expected<T, SomeError>. What ends the run is an exception.
#pragma once

#include <tl/expected.hpp>

#include <stdexcept>
#include <string>

namespace darktap {

template <class T, class E>
using Expected = tl::expected<T, E>;
template <class E>
using Unexpected = tl::unexpected<E>;

// Why a run ends; each kind is one exit status of the command line (docs: design §3).
enum class FailureKind {
  usage = 2,        // an option, a URL, a configuration file
  environment = 3,  // a file or a server
  guard_rail = 4,   // refused before anything was sent, or a limit that the user set
};

// Thrown where the run can't go on; caught once, in main. what() is the whole line for the user: the thing, what was
// expected, what was found, and the remedy.
class Failure : public std::runtime_error {
 public:
  Failure(FailureKind kind, const std::string& line) : std::runtime_error(line), kind_(kind) {}
  FailureKind kind() const { return kind_; }

 private:
  FailureKind kind_;
};

}  // namespace darktap
