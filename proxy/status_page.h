// What the running process says of itself: /status as JSON, /metrics as text, and
// the same status for a person's eyes.
//
// Nothing personal: counts, states, times of certificates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "http/h2_end.h"
#include "http/refusal.h"
#include "logger/journal.h"
#include "logger/recorder.h"
#include "proxy/close_reason.h"
#include "proxy/health_board.h"
#include "proxy/tally.h"
#include "review/retention_steward.h"
#include "review/sink.h"
#include "tls/certificate_store.h"

namespace gatebook::proxy {

struct ReloadState {
  uint64_t number;  // of the generation that is served
  base::WallTime loaded;
  uint64_t in_force;  // the oldest that a worker begins exchanges under: `number`, but for a moment
  uint64_t live;      // generations under which anything goes on, with the one in force
  std::optional<base::WallTime> refused_at;  // the last reload that was refused
  std::string refused_why;
};

struct StatusFacts {
  const config::Config& config;
  base::WallTime started;
  uint32_t workers;
  bool draining;
  bool stuck;  // a worker does not answer
  std::vector<const base::MetricsBlock*> metrics;
  std::vector<const Tally<http::Refusal>*> refusals;
  std::vector<const Tally<CloseReason>*> close_reasons;
  std::vector<const Tally<http::H2End>*> h2_ends;
  const HealthBoard& health;
  const logger::Journal& journal;
  const logger::Recorder& recorder;
  const tls::CertificateStore* certificates;  // null: no TLS listener
  ReloadState reloads;
  size_t objections;  // in the register
  review::StewardState retention;
  const base::GuardedClock& clock;
  std::vector<review::SinkState> sinks;
};

std::string StatusPage(const StatusFacts& facts);
std::string MetricsPage(const StatusFacts& facts);
// `json`: a StatusPage; 0 if it is none.
uint64_t GenerationInForce(const std::string& json);
// `json`: a StatusPage. An error if it is none.
base::Result<std::string> StatusForPeople(const std::string& json);

}  // namespace gatebook::proxy
