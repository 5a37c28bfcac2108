// room: base; forbidden: a position in a stream is not compared with a packet's number
#include "base/ids.h"

bool earlier(darktap::PacketNumber packet, darktap::StreamPosition position) {
#ifdef FORBIDDEN
  return packet < position;
#else
  return packet.value < position.value;
#endif
}
