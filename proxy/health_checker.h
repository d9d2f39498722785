// HealthChecker: the active checks of a configuration: one HealthCheck for each server of each
// upstream that has a health_path.
//
// Thread: the loop's. Borrows: loop, metrics, config and board. Ends: destroying it ends all checks;
// the board keeps what it says.
#pragma once

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "proxy/health_check.h"

namespace gatebook::proxy {

class HealthChecker {
 public:
  HealthChecker(net::Loop& loop, base::MetricsBlock& metrics, const config::Config& config,
                HealthBoard& board, const UpstreamTls& tls);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  void SetUpstreamAddresses(const std::string& hostname, std::vector<base::IpAddress> addresses) {
    names_.Set(hostname, std::move(addresses));
  }

 private:
  net::Loop& loop_;
  base::BufferPool buffers_;
  UpstreamNames names_;
  std::vector<std::unique_ptr<HealthCheck>> checks_;
};

}  // namespace gatebook::proxy
