// UpstreamNames: the addresses of upstream servers that are named by host name.
//
// Asked for at start and again every 30 s; while an answer fails the last one stays in
// force. A name that has no address yet is no error at start: its exchanges get 502
// until it has one.
//
// Thread: Find() and the rest on the worker's loop; one object a worker.
// Owns: the resolver and its queries.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "config/config.h"
#include "net/loop.h"
#include "net/resolver.h"

namespace gatebook::proxy {

class UpstreamNames {
 public:
  UpstreamNames(net::Loop& loop, const config::Config& config);
  ~UpstreamNames();

  // The addresses known now; may be empty. In the resolver's order.
  const std::vector<base::IpAddress>& Find(const std::string& hostname) const;

 private:
  struct Name {
    std::vector<base::IpAddress> addresses;
    std::unique_ptr<net::Resolver::Query> query;
  };
  void AskAll();

  net::Loop& loop_;
  std::unique_ptr<net::Resolver> resolver_;  // only if any server is a host name
  std::map<std::string, Name> names_;
  net::Timer again_;
};

}  // namespace gatebook::proxy
