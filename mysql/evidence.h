// Where does MySQL begin? After a gap, or where the tap joined in the middle, framing is lost; these rules find it again by
// evidence, at the first byte of a packet. They would rather wait for the next command than take one wrongly.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "mysql/protocol.h"

namespace darktap::mysql {

// A client's packet that begins with a command: sequence number 0, a known code, a body that suits the code, and messages
// that fill the packet exactly (or one long text that goes on in the next).
bool looks_like_command(Bytes packet, std::size_t frame_payload);

// What a message may be, told by its payload alone.
struct ResponseStart {
  CommandCode command{};
  std::optional<std::uint8_t> sequence;  // the first one of its answer; unknown inside the compressed protocol
};
// A server's packet that begins with the answer to that command; looks at the second frame too where it is there.
bool looks_like_response(Bytes packet, const ResponseStart& expected, std::size_t frame_payload);
// The same for a message whose framing is sure.
bool payload_starts_response(Bytes payload, std::uint64_t length, CommandCode command);

// A stream joined in the middle that is compressed: a compressed packet that holds a command.
bool looks_like_compressed_command(Bytes packet, std::size_t frame_payload);

}  // namespace darktap::mysql
