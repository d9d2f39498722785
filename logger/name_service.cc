#include "logger/name_service.h"

#include <algorithm>
#include <utility>

namespace gatebook::logger {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr seconds kLeastKept = 60s;
constexpr seconds kMostKept = 24h;
constexpr seconds kMostKeptNone = 1h;
constexpr seconds kKeptNone = 5min;
constexpr seconds kKeptTimeout = 30s;

base::Metric MetricOf(DnsCheck check) {
  switch (check) {
    case DnsCheck::kConfirmed:
      return base::Metric::kDnsConfirmed;
    case DnsCheck::kUnconfirmed:
      return base::Metric::kDnsUnconfirmed;
    case DnsCheck::kNone:
      return base::Metric::kDnsNone;
    case DnsCheck::kTimeout:
      return base::Metric::kDnsTimeout;
    case DnsCheck::kInvalid:
      return base::Metric::kDnsInvalid;
    case DnsCheck::kSkipped:
      break;
  }
  return base::Metric::kDnsSkipped;
}

seconds KeepFor(seconds ttl) { return std::clamp(ttl, kLeastKept, kMostKept); }
seconds KeepNoneFor(seconds ttl) { return ttl < 0s ? kKeptNone : std::clamp(ttl, kLeastKept, kMostKeptNone); }

}  // namespace

NameService::NameService(net::Resolver& resolver, const NameServiceOptions& options, const base::Clock& clock,
                         base::MetricsBlock& metrics)
    : resolver_(resolver), options_(options), clock_(clock), metrics_(metrics), cache_(options.cache_size) {}

NameService::~NameService() {
  pending_.clear();
  ShowGauges();
}

std::optional<Name> NameService::Ask(const base::IpAddress& ip) {
  const base::SteadyTime now = clock_.SteadyNow();
  if (const NameCache::Entry* entry = cache_.Find(ip, now)) {
    metrics_.Add(base::Metric::kDnsCacheHits);
    return Name{entry->check, entry->name};
  }
  if (pending_.contains(ip)) return std::nullopt;
  if (IsBroken()) {
    if (now < next_probe_) {
      metrics_.Add(base::Metric::kDnsTimeout);
      return Name{DnsCheck::kTimeout, {}};
    }
    next_probe_ = now + kProbeEvery;
  }
  if (pending_.size() >= options_.most_pending) {
    metrics_.Add(base::Metric::kDnsSkipped);
    return Name{DnsCheck::kSkipped, {}};
  }
  Lookup& lookup = pending_[ip];
  lookup.query = resolver_.ResolvePtr(ip, [this, ip](const net::DnsAnswer& answer) { OnNames(ip, answer); });
  metrics_.Add(base::Metric::kDnsQueries);
  ShowGauges();
  return std::nullopt;
}

std::optional<Name> NameService::Peek(const base::IpAddress& ip) const {
  if (const NameCache::Entry* entry = cache_.Peek(ip, clock_.SteadyNow()))
    return Name{entry->check, entry->name};
  if (pending_.contains(ip)) return std::nullopt;
  return Name{IsBroken() ? DnsCheck::kTimeout : DnsCheck::kSkipped, {}};
}

void NameService::OnNames(const base::IpAddress& ip, const net::DnsAnswer& answer) {
  Learn(answer.status);
  switch (answer.status) {
    case net::DnsStatus::kOk:
      break;
    case net::DnsStatus::kNone:
      return Finish(ip, DnsCheck::kNone, {}, KeepNoneFor(answer.ttl));
    case net::DnsStatus::kInvalid:
      return Finish(ip, DnsCheck::kInvalid, {}, KeepFor(answer.ttl));
    case net::DnsStatus::kTimeout:
    case net::DnsStatus::kFailed:
      return Finish(ip, DnsCheck::kTimeout, {}, kKeptTimeout);
  }
  Lookup& lookup = pending_.at(ip);
  // Several names come in any order; the same one should be taken each time.
  lookup.name = *std::min_element(answer.names.begin(), answer.names.end());
  lookup.ttl = answer.ttl;
  lookup.query = resolver_.ResolveForward(
      lookup.name, ip.IsV4(), [this, ip](const net::DnsAnswer& forward) { OnForward(ip, forward); });
  metrics_.Add(base::Metric::kDnsQueries);
}

void NameService::OnForward(const base::IpAddress& ip, const net::DnsAnswer& answer) {
  Learn(answer.status);
  Lookup& lookup = pending_.at(ip);
  const bool confirmed =
      answer.status == net::DnsStatus::kOk &&
      std::find(answer.addresses.begin(), answer.addresses.end(), ip) != answer.addresses.end();
  const bool unanswered =
      answer.status == net::DnsStatus::kTimeout || answer.status == net::DnsStatus::kFailed;
  // Unconfirmed for want of an answer should be tried again soon.
  const seconds keep = unanswered ? kKeptTimeout : confirmed ? std::min(lookup.ttl, answer.ttl) : lookup.ttl;
  Finish(ip, confirmed ? DnsCheck::kConfirmed : DnsCheck::kUnconfirmed, std::move(lookup.name),
         unanswered ? keep : KeepFor(keep));
}

void NameService::Learn(net::DnsStatus status) {
  if (status == net::DnsStatus::kTimeout) {
    if (++timeouts_ == kTimeoutsToBreak) next_probe_ = clock_.SteadyNow() + kProbeEvery;
    timeouts_ = std::min(timeouts_, kTimeoutsToBreak);
  } else if (status != net::DnsStatus::kFailed) {
    timeouts_ = 0;
  }
}

void NameService::Finish(const base::IpAddress& ip, DnsCheck check, std::string name, seconds keep) {
  const base::IpAddress resolved = ip;  // `ip` may live in the query that ends here
  cache_.Put(resolved, {check, std::move(name), clock_.SteadyNow() + keep});
  pending_.erase(resolved);
  metrics_.Add(MetricOf(check));
  ShowGauges();
  if (on_resolved_) on_resolved_(resolved);
}

void NameService::ShowGauges() {
  metrics_.Set(base::Metric::kDnsPending, pending_.size());
  metrics_.Set(base::Metric::kDnsCached, cache_.size());
}

}  // namespace gatebook::logger
