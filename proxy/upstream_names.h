// UpstreamNames: a thread's copy of what the upstream servers' host names stand for now.
//
// Thread: one; proxy/upstream_lookups.h brings a worker what is new by a post.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip_address.h"

namespace gatebook::proxy {

class UpstreamNames {
 public:
  void Set(const std::string& hostname, std::vector<base::IpAddress> addresses) {
    names_[hostname] = std::move(addresses);
    ++version_;
  }
  // Empty: none known yet. In the resolver's order, the best first.
  const std::vector<base::IpAddress>& Find(const std::string& hostname) const {
    static const std::vector<base::IpAddress> kNone;
    const auto found = names_.find(hostname);
    return found == names_.end() ? kNone : found->second;
  }
  // Grows with every Set(): whoever holds an address of an older version looks again.
  uint64_t version() const { return version_; }

 private:
  std::map<std::string, std::vector<base::IpAddress>> names_;
  uint64_t version_ = 0;
};

}  // namespace gatebook::proxy
