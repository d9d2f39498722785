// Resolver: asks DNS servers, never waiting.
//
// c-ares on the loop. Source ports and query ids are c-ares' (random), as are retries
// over several servers and TCP when an answer is cut short; answers are read by
// net/dns_answer.h. The timeout is a total, held by our own timer, whatever
// c-ares still tries.
//
// Thread: the loop's. Borrows: the loop.
// Ends: destroying the resolver cancels all queries. It must not be destroyed inside
//   the callback of a query.
// Limits: kMostQueries under way; beyond, kFailed. A query that timed out counts until
//   c-ares too gives it up.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "net/dns_answer.h"
#include "net/loop.h"

namespace gatebook::net {

struct DnsServerAddress {
  base::IpAddress ip;
  uint16_t port = 53;
};

struct ResolverOptions {
  std::vector<DnsServerAddress> servers;  // empty: the system's
  std::chrono::milliseconds timeout{1500};
};

class Resolver {
 public:
  static constexpr size_t kMostQueries = 8192;

  // A question under way. Destroying it cancels: its callback will not run. May
  // outlive the resolver, and may be destroyed inside its own callback.
  class Query {
   public:
    virtual ~Query() = default;
  };
  // Runs at most once, never before the call that took it returned.
  using Callback = std::function<void(const DnsAnswer&)>;

  // Fails if c-ares can't be set up or takes no such server.
  static base::Result<std::unique_ptr<Resolver>> Make(Loop& loop, const ResolverOptions& options);
  virtual ~Resolver() = default;

  // The names of an address.
  virtual std::unique_ptr<Query> ResolvePtr(const base::IpAddress& ip, Callback callback) = 0;
  // The addresses of a name in DNS, of one family only: for confirming a name.
  virtual std::unique_ptr<Query> ResolveForward(const std::string& name, bool v4, Callback callback) = 0;
  // The addresses of a host as this machine sees it, both families, best first (RFC 6724): /etc/hosts,
  // then DNS. Reads /etc/hosts, so not for where the disk must not be waited for.
  virtual std::unique_ptr<Query> ResolveAddresses(const std::string& hostname, Callback callback) = 0;

  // Queries that were sent, all in all.
  virtual uint64_t queries() const = 0;
};

}  // namespace gatebook::net
