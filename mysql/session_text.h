// The two statements that move the session's state by their text: USE and SET NAMES. Only a whole statement of the plain
// form is recognised; anything else leaves the state alone. (The sql room knows far more, but lies above this one.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace darktap::mysql {

struct SessionText {
  std::optional<std::string> schema;        // USE x
  std::optional<std::uint16_t> collation;   // SET NAMES x [COLLATE y], SET CHARACTER SET x
};
SessionText recognise_session_text(std::string_view text);

}  // namespace darktap::mysql
