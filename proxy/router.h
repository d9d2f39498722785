// Router: host and path to a route.
//
// An exact host wins over "*.example.com", the longest wildcard over shorter ones, those
// over "*"; within a host the longest path prefix wins, where a prefix ends at a segment's
// border ("/api" takes "/api" and "/api/x", not "/apix"). The path is compared as it
// was sent; the upstream sees the same bytes, so there is nothing to disagree about.
//
// Thread: immutable once made. Borrows: the config's routes.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"

namespace gatebook::proxy {

class Router {
 public:
  explicit Router(const std::vector<config::Route>& routes);

  // Null if no route takes it. `host` without port, any case.
  const config::Route* Find(std::string_view host, std::string_view path) const;

 private:
  std::vector<const config::Route*> routes_;  // the most specific first
};

}  // namespace gatebook::proxy
