#include "proxy/declared_regions.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>

#include "base/metrics.h"
#include "logger/places.h"
#include "review/saved_query.h"

namespace gatebook::proxy {
namespace {

using config::SectionId;

constexpr std::string_view kEu[] = {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES",
                                    "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
                                    "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"};
constexpr std::string_view kEeaBesides[] = {"IS", "LI", "NO"};

constexpr const char* kOwnNetworks[] = {"127.0.0.0/8",   "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16",
                                        "100.64.0.0/10", "169.254.0.0/16", "::1",           "fc00::/7",
                                        "fe80::/10"};

// Where something of ours stands.
struct Station {
  std::string what;  // "url: 192.0.2.1"
  base::IpAddress ip;
  SectionId section;
  const char* key;
};

std::vector<base::IpAddress> AddressesOf(const std::string& hostname) {
  std::vector<base::IpAddress> addresses;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(hostname.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (const auto ip = base::IpAddress::FromSockaddr(*one->ai_addr)) addresses.push_back(*ip);
  }
  ::freeaddrinfo(found);
  return addresses;
}

void AddStations(std::vector<Station>& stations, const config::Endpoint& endpoint, SectionId section,
                 const char* key) {
  if (endpoint.kind == config::Endpoint::Kind::kUnix) return;
  if (endpoint.kind == config::Endpoint::Kind::kIp) {
    stations.push_back({fmt::format("{}: {}", key, endpoint.ip.ToText()), endpoint.ip, section, key});
    return;
  }
  // A name without an address yet is no fault (it will be looked at again at the next load).
  for (const base::IpAddress& ip : AddressesOf(endpoint.hostname)) {
    stations.push_back({fmt::format("{}: {} ({})", key, endpoint.hostname, ip.ToText()), ip, section, key});
  }
}

// resolv.conf(5); what c-ares asks when [dns] servers is empty.
void AddSystemServers(std::vector<Station>& stations) {
  std::ifstream file("/etc/resolv.conf");
  for (std::string word; file >> word;) {
    std::string rest;
    if (word == "nameserver" && file >> rest) {
      if (const auto ip = base::IpAddress::Parse(rest.substr(0, rest.find('%')))) {
        stations.push_back(
            {fmt::format("servers: the system's {}", ip->ToText()), *ip, SectionId::kDns, "servers"});
      }
    } else {
      std::getline(file, rest);
    }
  }
}

void CheckRegions(const config::Config& config, const config::PlaceMap& places,
                  config::ProblemList& problems) {
  const std::vector<std::string>& regions = config.declaration.regions;
  if (regions.empty()) return;
  std::vector<Station> stations;
  AddStations(stations, config.redis.server, SectionId::kRedis, "url");
  for (const config::Endpoint& node : config.redis.nodes)
    AddStations(stations, node, SectionId::kRedis, "nodes");
  for (const config::Endpoint& sentinel : config.redis.sentinels) {
    AddStations(stations, sentinel, SectionId::kRedis, "sentinels");
  }
  if (config.dns.enabled) {
    for (const config::Endpoint& server : config.dns.servers)
      AddStations(stations, server, SectionId::kDns, "servers");
    if (config.dns.servers.empty()) AddSystemServers(stations);
  }
  std::erase_if(stations, [](const Station& station) { return IsOwnNetwork(station.ip); });
  if (stations.empty()) return;
  base::MetricsBlock unused;
  logger::Places known(config.geo.databases, unused, logger::Places::Say::kQuiet);
  for (const Station& station : stations) {
    const std::string country(known.Find(station.ip).country);
    if (IsInRegions(country, regions)) continue;
    const std::string where = country.empty() ? "stands nobody knows where" : "stands in " + country;
    problems.Add(places.Of(station.section, 0, station.key),
                 fmt::format("{} {}, and [declaration] regions promises {}", station.what, where,
                             fmt::join(regions, ", ")),
                 country.empty() ? "[geo] databases must know its address" : "");
  }
}

}  // namespace

config::LoadOutcome LoadChecked(const std::string& path, const config::MoreChecks& more) {
  return config::Load(path, [&more](const config::Config& config, const config::PlaceMap& places,
                                    config::ProblemList& problems) {
    CheckRegions(config, places, problems);
    review::CheckQueries(config, places, problems);
    if (more) more(config, places, problems);
  });
}

bool IsInRegions(std::string_view country, const std::vector<std::string>& regions) {
  const auto has = [](const auto& list, std::string_view one) {
    return std::find(std::begin(list), std::end(list), one) != std::end(list);
  };
  return std::any_of(regions.begin(), regions.end(), [&](const std::string& region) {
    if (region == "EU") return has(kEu, country);
    if (region == "EEA") return has(kEu, country) || has(kEeaBesides, country);
    return region == country;
  });
}

bool IsOwnNetwork(const base::IpAddress& ip) {
  return std::any_of(std::begin(kOwnNetworks), std::end(kOwnNetworks),
                     [&](const char* network) { return base::Cidr::Parse(network)->Contains(ip); });
}

}  // namespace gatebook::proxy
