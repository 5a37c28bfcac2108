// room: base; forbidden: a connection's number is not a session's
#include "base/ids.h"

darktap::SessionId session_of(darktap::SessionId session, darktap::ConnectionId connection) {
#ifdef FORBIDDEN
  return connection;
#else
  return connection.value == 0 ? darktap::SessionId{} : session;
#endif
}
