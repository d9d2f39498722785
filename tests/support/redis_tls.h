// RedisTls: what a redis-server and its client need to speak TLS, made for a test.
//
// Owns: the directory with certificates. A server that is given arguments() wants a client certificate.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "tests/support/process.h"
#include "tests/support/temp_directory.h"
#include "tests/support/test_certificates.h"

namespace gatebook::support {

class RedisTls {
 public:
  RedisTls();

  // For redis-server's command line.
  std::vector<std::string> arguments() const;
  uint16_t port() const { return port_; }
  std::string url(const std::string& user = "") const;
  // The [redis] keys for it, and the same as text.
  config::Redis Config() const;
  std::string ConfigText() const;
  const TempDirectory& directory() const { return directory_; }

 private:
  TempDirectory directory_;
  TestAuthority authority_;
  uint16_t port_ = FreePort();
  std::string ca_, server_chain_, server_key_, client_chain_, client_key_;
};

}  // namespace gatebook::support
