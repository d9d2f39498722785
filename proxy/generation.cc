#include "proxy/generation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "proxy/route_headers.h"

namespace gatebook::proxy {
namespace {

std::string HstsOf(const config::Tls& tls) {
  if (tls.hsts.count() == 0) return {};
  return fmt::format("max-age={}{}", tls.hsts.count(),
                     tls.hsts_include_subdomains ? "; includeSubDomains" : "");
}

// Where a redirect to https leads: the port of the first TLS listener.
std::string HttpsPortSuffix(const config::Config& config) {
  for (const config::Listen& listen : config.listen) {
    if (!listen.tls || listen.address.kind == config::Endpoint::Kind::kUnix) continue;
    return listen.address.port == 443 ? std::string() : fmt::format(":{}", listen.address.port);
  }
  return {};
}

// A cookie that pages may read, show and delete. What a cookie can't hold of a version is percent-encoded.
std::string PolicyCookie(const config::Config& config, bool secure) {
  std::string version;
  for (const char c : config.visit.policy) {
    const bool plain = base::IsAsciiAlpha(c) || base::IsAsciiDigit(c) || c == '-' || c == '.' || c == '_';
    version += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  constexpr std::chrono::seconds kKept = std::chrono::hours(30 * 24);
  return fmt::format("{}{}={}; Max-Age={}{}", secure ? "__Host-" : "", "gatebook-policy-notice", version,
                     kKept.count(), secure ? "; Path=/; Secure; SameSite=Lax" : "; Path=/; SameSite=Lax");
}

std::unique_ptr<const http::HeaderRules> RulesOf(const std::vector<config::HeaderRule>& rules) {
  return rules.empty() ? nullptr : std::make_unique<const http::HeaderRules>(MakeHeaderRules(rules));
}

std::vector<RouteRules> RulesOf(const std::vector<config::Route>& routes) {
  std::vector<RouteRules> all;
  for (const config::Route& route : routes) {
    all.push_back({RulesOf(route.request_headers), RulesOf(route.response_headers)});
  }
  return all;
}

}  // namespace

Generation::Generation(std::shared_ptr<const Edition> of, const SessionKey& session_key,
                       std::shared_ptr<tls::TlsContext> tls_context)
    : edition(std::move(of)),
      config(*edition->config),
      router(config.routes),
      route_rules(proxy::RulesOf(config.routes)),
      tls(std::move(tls_context)),
      sessions(session_key, config.session, config.visit.policy),
      head_limits{config.limits.target_size, config.limits.header_size, config.limits.header_count},
      recorded(RecordedFields(config.visit)),
      sends_proxy_headers(
          std::any_of(config.upstreams.begin(), config.upstreams.end(),
                      [](const config::Upstream& upstream) { return upstream.proxy_protocol; })),
      hsts(HstsOf(config.tls)),
      https_port_suffix(HttpsPortSuffix(config)),
      policy_link(config.policy.file.empty()
                      ? std::string()
                      : fmt::format("<{}>; rel=\"privacy-policy\"", config.policy.path)),
      policy_notice(config.policy.notice ? config.visit.policy : std::string()),
      policy_cookies{PolicyCookie(config, false), PolicyCookie(config, true)} {}

}  // namespace gatebook::proxy
