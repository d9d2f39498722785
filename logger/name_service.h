// NameService: the DNS name of an address, for the recorder.
//
// Ask early (as soon as an address is seen, see logger/name_hints.h), look again when
// the visit is to be written. A look-up asks for the PTR name, then for that name's
// addresses: `confirmed` if ours is among them (anybody may claim any name in
// a reverse zone), `unconfirmed` if not. Look-ups of one address are one look-up.
//
// When nothing has been answered for kTimeoutsToBreak look-ups in a row, the servers
// are taken for dead: a few probes a second go on, everything else is `timeout` at
// once. The first answer of any kind heals it.
//
// The recorder holds a visit no longer than dns.timeout for its name; a look-up
// may take up to twice that (two questions), and its result is then there for the next visit.
//
// Kept: names by their TTL, from a minute to a day; `none` by the zone's SOA, from a
// minute to an hour, else 5 minutes; `timeout` (also for refusals) 30 s; `skipped` not at all.
//
// Thread: the loop's. Borrows: resolver, clock, metrics. Ends: cancels what is under way.
// Limits: `most_pending` look-ups under way, beyond them `skipped`; `cache_size` names.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/metrics.h"
#include "logger/name_cache.h"
#include "logger/visit.h"
#include "net/resolver.h"

namespace gatebook::logger {

struct NameServiceOptions {
  size_t cache_size = 65536;
  size_t most_pending = 1024;
};

class NameService {
 public:
  static constexpr int kTimeoutsToBreak = 20;
  static constexpr std::chrono::milliseconds kProbeEvery{250};

  NameService(net::Resolver& resolver, const NameServiceOptions& options, const base::Clock& clock,
              base::MetricsBlock& metrics);
  ~NameService();
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;

  // What is known of `ip`; nothing while a look-up is under way, which this begins if there is
  // none. `kSkipped` and the `kTimeout` of dead servers are answers too. The view is valid until
  // the next call or turn of the loop.
  std::optional<Name> Ask(const base::IpAddress& ip);
  // The same without beginning anything: where nothing is known or under way `kSkipped`, or `kTimeout` if the
  // servers are dead.
  std::optional<Name> Peek(const base::IpAddress& ip) const;
  // Called when a look-up has ended, whatever its result; may Ask and Peek. Never inside Ask.
  void SetOnResolved(std::function<void(const base::IpAddress&)> on_resolved) {
    on_resolved_ = std::move(on_resolved);
  }

  size_t pending() const { return pending_.size(); }
  size_t cached() const { return cache_.size(); }
  // The servers are taken for dead.
  bool IsBroken() const { return timeouts_ >= kTimeoutsToBreak; }

 private:
  struct Lookup {
    std::unique_ptr<net::Resolver::Query> query;
    std::string name;
    std::chrono::seconds ttl{-1};
  };
  using Pending = std::map<base::IpAddress, Lookup>;

  void OnNames(const base::IpAddress& ip, const net::DnsAnswer& answer);
  void OnForward(const base::IpAddress& ip, const net::DnsAnswer& answer);
  void Learn(net::DnsStatus status);
  void Finish(const base::IpAddress& ip, DnsCheck check, std::string name, std::chrono::seconds keep);
  void ShowGauges();

  net::Resolver& resolver_;
  const NameServiceOptions options_;
  const base::Clock& clock_;
  base::MetricsBlock& metrics_;
  NameCache cache_;
  Pending pending_;
  int timeouts_ = 0;  // in a row
  base::SteadyTime next_probe_{};
  std::function<void(const base::IpAddress&)> on_resolved_;
};

}  // namespace gatebook::logger
