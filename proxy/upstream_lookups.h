// UpstreamLookups: asks for the addresses of upstream servers that are named by host name.
//
// At start, and each name again when its answer's time to live is over, after 5 s at the earliest and
// 30 s at the latest; every second as long as it has no address. While an answer
// fails, the last good one stays in force. A name that has no address yet is no error at start:
// its exchanges get 502 until it has one.
//
// Thread: the main loop's: the system's way to look up hosts reads /etc/hosts, which no
//   worker is to wait for. Owns: the resolver and its queries.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "config/config.h"
#include "net/loop.h"
#include "net/resolver.h"

namespace gatebook::proxy {

class UpstreamLookups {
 public:
  // `on_addresses` is called, later than this, whenever a name's addresses are known anew; never with none.
  using OnAddresses = std::function<void(const std::string& hostname, const std::vector<base::IpAddress>&)>;
  struct Options {
    std::vector<net::DnsServerAddress> servers;  // empty: the system's
    std::chrono::milliseconds at_the_earliest{5'000};
    std::chrono::milliseconds at_the_latest{30'000};
    std::chrono::milliseconds unknown{1'000};
  };
  UpstreamLookups(net::Loop& loop, const config::Config& config, OnAddresses on_addresses)
      : UpstreamLookups(loop, config, std::move(on_addresses), Options()) {}
  UpstreamLookups(net::Loop& loop, const config::Config& config, OnAddresses on_addresses,
                  const Options& when);

 private:
  struct Name {
    std::vector<base::IpAddress> addresses;
    std::unique_ptr<net::Resolver::Query> query;
    net::Timer again;
    bool missed = false;  // said once
  };
  void Ask(const std::string& hostname, Name& name);
  void OnAnswer(const std::string& hostname, Name& name, const net::DnsAnswer& answer);

  net::Loop& loop_;
  const Options when_;
  OnAddresses on_addresses_;
  std::unique_ptr<net::Resolver> resolver_;  // only if any server is a host name
  std::map<std::string, Name> names_;
};

}  // namespace gatebook::proxy
