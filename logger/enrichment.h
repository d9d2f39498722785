// Enrichment: what the recorder adds to a visit, names and places, behind one face.
//
// Thread: the recorder's, but for what says otherwise. Owns: the resolver, the name service and the places.
// Ends: destroying cancels all look-ups.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "logger/name_hints.h"
#include "logger/visit.h"
#include "net/loop.h"

namespace gatebook::net {
class Resolver;
}

namespace gatebook::logger {

class NameService;
class Places;

class Enrichment {
 public:
  Enrichment(net::Loop& loop, const config::Config& config, const base::Clock& clock,
             base::MetricsBlock& metrics);
  ~Enrichment();

  // What may be recorded from now on; until then all that config.visit says. Any thread.
  void SetRecorded(config::VisitFieldSet recorded) { recorded_.store(recorded, std::memory_order_relaxed); }

  // Begins to look the name up, if that is not done or under way. Clients of a Unix socket have no
  // address, and with dns.enabled = false, or where names are not recorded, nothing is asked: then the name
  // is `skipped` at once.
  void Ask(const base::IpAddress& ip);
  // Asks for the addresses that workers have seen.
  void TakeHints(NameHints& hints);
  // Called whenever NameOf(ip) has become known; never from inside Ask().
  void SetOnNamed(std::function<void(const base::IpAddress&)> on_named);

  // Nothing while it is being looked up. Views, of names and places, are valid until the next call.
  std::optional<Name> NameOf(const base::IpAddress& ip) const;
  Place PlaceOf(const base::IpAddress& ip);

  // To be called every few seconds: opens place files that were replaced.
  void Housekeep();

  std::string names_state() const;
  std::string places_state() const;

 private:
  bool Records(config::VisitField field) const {
    return recorded_.load(std::memory_order_relaxed).Has(field);
  }

  std::atomic<config::VisitFieldSet> recorded_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<NameService> names_;  // null when dns.enabled is false, or names_error_ says why
  std::string names_error_;
  std::unique_ptr<Places> places_;
};

}  // namespace gatebook::logger
