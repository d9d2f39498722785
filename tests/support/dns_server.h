// DnsServer: a real name server (nsd) on loopback, and a deaf one.
//
// Visitors of a test come from addresses of 127.0.0.0/8, which it knows:
//   127.0.0.1, .2   confirmed: localhost.visitors.test, guest.visitors.test
//   127.0.0.3       unconfirmed: its name leads to another address
//   127.0.0.4       no name (NXDOMAIN)
//   127.0.0.5       hostile: escapes, quotes and a line end in its name
//
// Thread: the test's. Ends: stops the server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "tests/support/process.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

inline constexpr char kGuestName[] = "guest.visitors.test";

class DnsServer {
 public:
  // Started when this returns.
  DnsServer();
  // "127.0.0.1:PORT", for the config.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  TempDirectory directory_;
  uint16_t port_;
  std::unique_ptr<Process> process_;
};

// Takes questions and never answers.
class SilentDnsServer {
 public:
  SilentDnsServer();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Datagrams that came so far.
  size_t questions();

 private:
  base::UniqueFd socket_;
  uint16_t port_ = 0;
  size_t questions_ = 0;
};

}  // namespace gatebook::support
