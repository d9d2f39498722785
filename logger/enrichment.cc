#include "logger/enrichment.h"

#include "base/log.h"
#include "logger/name_service.h"
#include "logger/places.h"
#include "net/resolver.h"

namespace gatebook::logger {

Enrichment::Enrichment(net::Loop& loop, const config::Config& config, const base::Clock& clock,
                       base::MetricsBlock& metrics)
    : recorded_(RecordedFields(config.visit)),
      places_(std::make_unique<Places>(config.geo.databases, metrics)) {
  if (!config.dns.enabled) return;
  net::ResolverOptions options;
  for (const config::Endpoint& server : config.dns.servers) {
    options.servers.push_back({server.ip, server.port == 0 ? uint16_t{53} : server.port});
  }
  options.timeout = config.dns.timeout;
  auto resolver = net::Resolver::Make(loop, options);
  if (!resolver) {
    names_error_ = resolver.error().message;
    base::LogError("dns", "{}; visits are recorded without names", names_error_);
    return;
  }
  resolver_ = std::move(*resolver);
  names_ = std::make_unique<NameService>(
      *resolver_, NameServiceOptions{config.dns.cache_size, config.dns.max_pending}, clock, metrics);
}

Enrichment::~Enrichment() = default;

void Enrichment::Ask(const base::IpAddress& ip) {
  if (names_ != nullptr && !ip.IsUnspecified() && Records(config::VisitField::kDns)) names_->Ask(ip);
}

void Enrichment::TakeHints(NameHints& hints) {
  base::IpAddress ip;
  for (size_t i = 0; i < NameHints::kCapacity && hints.Take(ip); ++i) Ask(ip);
}

void Enrichment::SetOnNamed(std::function<void(const base::IpAddress&)> on_named) {
  if (names_ != nullptr) names_->SetOnResolved(std::move(on_named));
}

std::optional<Name> Enrichment::NameOf(const base::IpAddress& ip) const {
  if (names_ == nullptr || ip.IsUnspecified() || !Records(config::VisitField::kDns)) return Name{};
  return names_->Peek(ip);
}

Place Enrichment::PlaceOf(const base::IpAddress& ip) {
  using enum config::VisitField;
  Place place = places_->Find(ip);
  if (!Records(kCountry)) place.country = {};
  if (!Records(kCity)) place.city = {};
  if (!Records(kNetwork)) {
    place.as_org = {};
    place.asn = 0;
  }
  return place;
}

void Enrichment::Housekeep() { places_->ReloadIfChanged(); }

std::string Enrichment::names_state() const {
  if (!names_error_.empty()) return names_error_;
  if (names_ == nullptr) return "off";
  return names_->IsBroken() ? "no server answers; names are recorded as timeout" : "ok";
}

std::string Enrichment::places_state() const {
  std::string state;
  for (const Places::FileState& file : places_->state()) {
    if (file.error.empty()) continue;
    if (!state.empty()) state.append("; ");
    state.append(file.path).append(": ").append(file.error);
    if (file.open) state.append(" (the one read before stays in use)");
  }
  if (!state.empty()) return state;
  return places_->state().empty() ? "off" : "ok";
}

}  // namespace gatebook::logger
