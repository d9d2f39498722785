#include "config/consistency.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/units.h"

namespace gatebook::config {
namespace {

using S = SectionId;

void CheckListeners(const Config& config, const PlaceMap& places, ProblemList& problems) {
  if (config.listen.empty()) {
    problems.Add({}, "there is no [[listen]] section",
                 "it takes one with its address, for instance \"0.0.0.0:443\"");
  }
  for (size_t i = 0; i < config.listen.size(); ++i) {
    const Listen& listen = config.listen[i];
    if (listen.tls && listen.redirect_to_https) {
      problems.Add(places.Of(S::kListen, i, "redirect_to_https"),
                   "redirect_to_https: this listener has TLS already; only one with tls = false redirects");
    }
    // Port 0 is a new port each time; an address that failed its own check is empty.
    const Endpoint& address = listen.address;
    if (address.text.empty() || (address.kind == Endpoint::Kind::kIp && address.port == 0)) continue;
    const bool repeated = std::any_of(
        config.listen.begin(), config.listen.begin() + static_cast<ptrdiff_t>(i), [&](const Listen& earlier) {
          return earlier.address.kind == address.kind && earlier.address.ip == address.ip &&
                 earlier.address.port == address.port && earlier.address.path == address.path;
        });
    if (repeated)
      problems.Add(places.Of(S::kListen, i, "address"), "address: another [[listen]] has it already");
  }
}

void CheckTls(const Config& config, const PlaceMap& places, ProblemList& problems) {
  const auto tls =
      std::find_if(config.listen.begin(), config.listen.end(), [](const Listen& l) { return l.tls; });
  if (tls != config.listen.end() && config.certificates.empty()) {
    problems.Add(places.Of(S::kListen, static_cast<size_t>(tls - config.listen.begin())),
                 "a listener with TLS needs a [[certificate]], and there is none",
                 "or did you mean tls = false?");
  }
  if (config.tls.client_certificates != ClientCertificates::kNone && config.tls.client_ca.empty() &&
      !places.IsWritten(S::kTls, 0, "client_ca")) {
    problems.Add(places.Of(S::kTls, 0, "client_certificates"),
                 "client_certificates: client_ca must say who may issue them");
  }
}

void CheckUpstreams(const Config& config, const PlaceMap& places, ProblemList& problems) {
  if (config.upstreams.empty()) {
    problems.Add({}, "there is no [[upstream]] section",
                 "it takes one with its name and servers, for instance [\"127.0.0.1:8080\"]");
  }
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (config.upstreams[i].name.empty() || config.upstreams[earlier].name != config.upstreams[i].name)
        continue;
      problems.Add(places.Of(S::kUpstream, i, "name"), "name: another [[upstream]] has it already");
      break;
    }
  }
}

void CheckServers(const Config& config, const PlaceMap& places, ProblemList& problems) {
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const Upstream& upstream = config.upstreams[i];
    const auto complain = [&](const char* key, const std::string& message) {
      problems.Add(places.Of(S::kUpstream, i, key), fmt::format("{}: {}", key, message));
    };
    const size_t servers = upstream.servers.size();
    if (!upstream.weights.empty() && servers > 0 && upstream.weights.size() != servers) {
      complain("weights", fmt::format("there are {} weights for {} servers; each server has one",
                                      upstream.weights.size(), servers));
    }
    const bool any_tls = std::any_of(upstream.servers.begin(), upstream.servers.end(),
                                     [](const Endpoint& server) { return server.tls; });
    const std::pair<const char*, bool> tls_only[] = {{"tls_name", !upstream.tls_name.empty()},
                                                     {"tls_ca", !upstream.tls_ca.empty()},
                                                     {"tls_certificate", !upstream.tls_certificate.empty()},
                                                     {"tls_key", !upstream.tls_key.empty()},
                                                     {"tls_verify", !upstream.tls_verify}};
    for (const auto& [key, is_set] : tls_only) {
      if (is_set && !any_tls && servers > 0) complain(key, "none of the servers is \"https://…\"");
    }
    if (upstream.tls_certificate.empty() != upstream.tls_key.empty()) {
      const bool lacks_key = upstream.tls_key.empty();
      complain(lacks_key ? "tls_certificate" : "tls_key",
               fmt::format("{} is missing: certificate and key come together",
                           lacks_key ? "tls_key" : "tls_certificate"));
    }
    if (!upstream.tls_ca.empty() && !upstream.tls_verify)
      complain("tls_ca", "of no use with tls_verify = false");
  }
}

void CheckRoutes(const Config& config, const PlaceMap& places, ProblemList& problems) {
  for (size_t i = 0; i < config.routes.size(); ++i) {
    for (size_t earlier = 0; earlier < i; ++earlier) {
      if (config.routes[earlier].host != config.routes[i].host) continue;
      if (config.routes[earlier].path != config.routes[i].path) continue;
      problems.Add(places.Of(S::kRoute, i), "another [[route]] has the same host and path");
      break;
    }
  }
}

}  // namespace

void CheckConsistency(const Config& config, const PlaceMap& places, ProblemList& problems) {
  CheckListeners(config, places, problems);
  CheckTls(config, places, problems);
  CheckUpstreams(config, places, problems);
  CheckServers(config, places, problems);
  CheckRoutes(config, places, problems);
  if (config.session.partitioned && config.session.same_site != SameSite::kNone) {
    problems.Add(places.Of(S::kSession, 0, "partitioned"), "partitioned: only with same_site = \"none\"");
  }
  if (config.redis.cluster) {
    problems.Add(places.Of(S::kRedis, 0, "cluster"),
                 "cluster: Redis Cluster is not supported by this version");
  }
  if (config.journal.max_size < 2 * config.journal.segment_size) {
    const char* key = places.IsWritten(S::kJournal, 0, "max_size") ? "max_size" : "segment_size";
    problems.Add(places.Of(S::kJournal, 0, key),
                 fmt::format("{}: the journal must hold at least two segments of {}, not {}", key,
                             FormatSize(config.journal.segment_size), FormatSize(config.journal.max_size)));
  }
}

}  // namespace gatebook::config
