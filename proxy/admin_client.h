// Questions and orders to the running process over its admin address, for `gatebook status` and `reload`.
//
// Where the listener speaks TLS, it is believed if it shows the certificate of admin.chain, whatever names
// that has: the file is this machine's own.
//
// Thread: blocks its caller; for commands only. Limits: 5 s (an order: 60 s), 4 MiB.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace gatebook::proxy {

// The body of a 200 answer. Errors carry kUnavailable.
base::Result<std::string> AskAdmin(const config::Admin& admin, const std::string& path);

struct AdminAnswer {
  int status = 0;
  std::string body;
};
// POST. An error, with kUnavailable, only if there was no answer.
base::Result<AdminAnswer> TellAdmin(const config::Admin& admin, const std::string& path);

}  // namespace gatebook::proxy
