#include "proxy/router.h"

#include <gtest/gtest.h>

#include <optional>

#include <algorithm>

namespace gatebook::proxy {
namespace {

std::optional<size_t> UpstreamOf(const Router& router, std::string_view host, std::string_view path) {
  const config::Route* const route = router.Find(host, path);
  return route == nullptr ? std::nullopt : std::optional(route->upstream);
}

std::vector<config::Route> Routes(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<config::Route> routes;
  for (const auto& [host, path] : pairs) routes.push_back({host, path, routes.size()});
  return routes;
}

TEST(Router, AnExactHostWinsOverAWildcardAndThatOverAny) {
  auto routes =
      Routes({{"*", "/"}, {"*.example.com", "/"}, {"*.eu.example.com", "/"}, {"a.eu.example.com", "/"}});
  std::vector<size_t> order = {0, 1, 2, 3};
  do {  // however they are written down
    std::vector<config::Route> written;
    for (const size_t i : order) written.push_back(routes[i]);
    const Router router(written);
    EXPECT_EQ(UpstreamOf(router, "a.eu.example.com", "/x"), 3U);
    EXPECT_EQ(UpstreamOf(router, "b.eu.example.com", "/x"), 2U);
    EXPECT_EQ(UpstreamOf(router, "b.c.eu.example.com", "/x"), 2U);
    EXPECT_EQ(UpstreamOf(router, "www.example.com", "/x"), 1U);
    EXPECT_EQ(UpstreamOf(router, "example.com", "/x"), 0U);
    EXPECT_EQ(UpstreamOf(router, "badexample.com", "/x"), 0U);
    EXPECT_EQ(UpstreamOf(router, "192.0.2.1", "/x"), 0U);
    EXPECT_EQ(UpstreamOf(router, "[2001:db8::1]", "/x"), 0U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Router, HostsAreComparedWithoutCaseAndWithoutTheLastDot) {
  const auto routes = Routes({{"www.example.com", "/"}, {"*.example.org", "/"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "WWW.Example.COM", "/"), 0U);
  EXPECT_EQ(UpstreamOf(router, "www.example.com.", "/"), 0U);
  EXPECT_EQ(UpstreamOf(router, "A.EXAMPLE.ORG.", "/"), 1U);
  EXPECT_EQ(UpstreamOf(router, "www.example.com..", "/"), std::nullopt);
}

TEST(Router, AWildcardNeedsSomethingInItsPlace) {
  const auto routes = Routes({{"*.example.com", "/"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "example.com", "/"), std::nullopt);
  EXPECT_EQ(UpstreamOf(router, ".example.com", "/"), std::nullopt);
  EXPECT_EQ(UpstreamOf(router, "", "/"), std::nullopt);
}

TEST(Router, TheLongestPrefixWinsAndEndsAtASegment) {
  const auto routes = Routes({{"*", "/"}, {"*", "/api"}, {"*", "/api/v2"}, {"*", "/static/"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "h", "/"), 0U);
  EXPECT_EQ(UpstreamOf(router, "h", "/apix"), 0U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api"), 1U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api/"), 1U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api/v1"), 1U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api/v20"), 1U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api/v2"), 2U);
  EXPECT_EQ(UpstreamOf(router, "h", "/api/v2/x"), 2U);
  EXPECT_EQ(UpstreamOf(router, "h", "/static"), 0U);
  EXPECT_EQ(UpstreamOf(router, "h", "/static/x"), 3U);
  EXPECT_EQ(UpstreamOf(router, "h", "/API"), 0U);  // paths have case
}

TEST(Router, PathsAreComparedAsTheyWereSent) {
  const auto routes = Routes({{"*", "/"}, {"*", "/admin"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "h", "/%61dmin"), 0U);
  EXPECT_EQ(UpstreamOf(router, "h", "/x/../admin"), 0U);
  EXPECT_EQ(UpstreamOf(router, "h", "//admin"), 0U);
}

TEST(Router, TheHostDecidesBeforeThePath) {
  const auto routes = Routes({{"*", "/long/path"}, {"a.example", "/"}, {"b.example", "/only"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "a.example", "/long/path"), 1U);
  EXPECT_EQ(UpstreamOf(router, "b.example", "/long/path"), 0U);  // its own routes do not take it
  EXPECT_EQ(UpstreamOf(router, "b.example", "/other"), std::nullopt);
}

TEST(Router, AnAsteriskGoesWhereTheRootGoes) {
  const auto routes = Routes({{"*", "/"}, {"api.example", "/v1"}});
  const Router router(routes);
  EXPECT_EQ(UpstreamOf(router, "h", "*"), 0U);
  EXPECT_EQ(UpstreamOf(router, "api.example", "*"), 0U);
}

}  // namespace
}  // namespace gatebook::proxy
