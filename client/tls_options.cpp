#include "client/tls_options.h"

#include <strings.h>

#include <array>
#include <utility>

namespace darktap::client {

std::optional<TlsOptions::Mode> parse_tls_mode(std::string_view name) {
  using Mode = TlsOptions::Mode;
  constexpr std::array<std::pair<std::string_view, Mode>, 4> modes{{{"disabled", Mode::disabled}, {"preferred", Mode::preferred},
                                                                    {"required", Mode::required}, {"verify_identity", Mode::verify_identity}}};
  for (auto [known, mode] : modes)
    if (known.size() == name.size() && strncasecmp(known.data(), name.data(), name.size()) == 0) return mode;
  return std::nullopt;
}

}  // namespace darktap::client
