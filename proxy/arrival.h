// Arrival: a client that has come in: who it is, and the stream on which its
// protocol begins.
#pragma once

#include <memory>
#include <optional>

#include "guard/connection_limiter.h"
#include "net/stream.h"
#include "proxy/client_facts.h"

namespace gatebook::proxy {

struct Arrival {
  std::unique_ptr<net::Stream> stream;
  ClientFacts facts;
  guard::ConnectionSeat seat;
  bool http2 = false;  // what ALPN chose
  bool redirect_to_https = false;
};

}  // namespace gatebook::proxy
