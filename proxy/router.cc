#include "proxy/router.h"

#include <algorithm>

#include "base/ascii.h"

namespace gatebook::proxy {
namespace {

// Larger is more specific.
size_t HostRank(std::string_view host) {
  if (host == "*") return 0;
  if (host.starts_with("*.")) return host.size();
  return SIZE_MAX;
}

bool HostMatches(std::string_view pattern, std::string_view host) {
  if (pattern == "*") return true;
  if (!pattern.starts_with("*.")) return base::EqualsIgnoreCase(pattern, host);
  const std::string_view suffix = pattern.substr(1);  // ".example.com"
  return host.size() > suffix.size() &&
         base::EqualsIgnoreCase(host.substr(host.size() - suffix.size()), suffix);
}

bool PathMatches(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return prefix == "/" && path == "*";
  return prefix.back() == '/' || path.size() == prefix.size() || path[prefix.size()] == '/';
}

}  // namespace

Router::Router(const std::vector<config::Route>& routes) {
  for (const config::Route& route : routes) routes_.push_back(&route);
  std::stable_sort(routes_.begin(), routes_.end(), [](const config::Route* a, const config::Route* b) {
    const size_t rank_a = HostRank(a->host);
    const size_t rank_b = HostRank(b->host);
    if (rank_a != rank_b) return rank_a > rank_b;
    return a->path.size() > b->path.size();
  });
}

const config::Route* Router::Find(std::string_view host, std::string_view path) const {
  if (host.ends_with('.')) host.remove_suffix(1);
  for (const config::Route* route : routes_) {
    if (HostMatches(route->host, host) && PathMatches(route->path, path)) return route;
  }
  return nullptr;
}

}  // namespace gatebook::proxy
