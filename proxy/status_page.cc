#include "proxy/status_page.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/log.h"
#include "base/rfc3339.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using Json = nlohmann::ordered_json;

template <typename Enum>
uint64_t SumOf(const std::vector<const Tally<Enum>*>& tallies, Enum row) {
  uint64_t sum = 0;
  for (const auto* tally : tallies) sum += tally->Get(row);
  return sum;
}

// In words whether every visit is accounted for, here and now.
std::string SumOfTheBook(const base::MetricsSnapshot& metrics) {
  const uint64_t accepted = metrics.Get(Metric::kVisitsAccepted);
  const uint64_t known = metrics.VisitsKnown();
  if (accepted == known) return "accepted = stored + in_journal + quarantined + dropped";
  return fmt::format("does not hold: accepted {} but stored + in_journal + quarantined + dropped = {}; this is a bug, "
                     "please report it",
                     accepted, known);
}

std::string TextOf(const logger::JournalState& state) {
  switch (state.condition) {
    case logger::JournalState::Condition::kOk:
      return "ok";
    case logger::JournalState::Condition::kFull:
      return "full: journal.max_size is reached";
    case logger::JournalState::Condition::kFailing:
      return state.error;
  }
  return {};
}

// A server that only some workers pass over is "ejected" too: how many do stands beside it.
Json Upstreams(const StatusFacts& facts) {
  Json upstreams = Json::array();
  for (size_t i = 0; i < facts.config.upstreams.size(); ++i) {
    const config::Upstream& upstream = facts.config.upstreams[i];
    Json servers = Json::array();
    for (size_t number = 0; number < upstream.servers.size(); ++number) {
      const HealthBoard::Server& server = facts.health.Of(i)[number];
      const uint32_t ejected = server.ejected.load(std::memory_order_relaxed);
      const bool down = server.down.load(std::memory_order_relaxed);
      servers.push_back({{"server", upstream.servers[number].text},
                         {"state", down ? "down" : ejected > 0 ? "ejected" : "up"},
                         {"ejected_by_workers", ejected}});
    }
    upstreams.push_back({{"name", upstream.name}, {"servers", std::move(servers)}});
  }
  return upstreams;
}

Json Retention(const review::StewardState& state) {
  Json retention = {{"state", state.state}, {"rounds", state.rounds}, {"overdue", state.overdue},
                    {"undated_keys", state.undated}};
  if (state.looked) retention["looked"] = base::ToRfc3339(*state.looked);
  if (state.next_destruction) retention["next_destruction"] = base::ToRfc3339(*state.next_destruction);
  retention["redis_rewrite"] = state.rewrite;
  if (state.rewritten) retention["redis_rewritten"] = base::ToRfc3339(*state.rewritten);
  retention["ledger_lines"] = state.ledger_lines;
  if (!state.ledger_digest.empty()) retention["ledger_digest"] = state.ledger_digest;
  return retention;
}

Json Sinks(const std::vector<review::SinkState>& states) {
  Json sinks = Json::array();
  for (const review::SinkState& sink : states) {
    sinks.push_back({{"name", sink.name},
                     {"state", sink.state},
                     {"queued", sink.queued},
                     {"written", sink.written},
                     {"left_out", sink.left_out}});
  }
  return sinks;
}

void AppendLines(const Json& value, const std::string& name, std::string& out) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items())
      AppendLines(inner, name.empty() ? key : name + "." + key, out);
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) AppendLines(value[i], fmt::format("{}.{}", name, i), out);
  } else {
    out += fmt::format("{:<28} {}\n", name, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

}  // namespace

std::string StatusPage(const StatusFacts& facts) {
  const base::MetricsSnapshot metrics(facts.metrics);
  const auto sum = [&metrics](Metric metric) { return metrics.Get(metric); };
  const auto now = base::Clock::System().WallNow();
  Json status;
  status["version"] = GATEBOOK_VERSION;
  status["edge"] = facts.config.edge.name;
  status["pid"] = getpid();
  status["started"] = base::ToRfc3339(facts.started);
  status["uptime_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(now - facts.started).count();
  status["state"] = facts.draining ? "draining" : facts.stuck ? "a worker is stuck" : "serving";
  status["workers"] = facts.workers;
  status["generation"] = {{"number", facts.reloads.number},
                          {"loaded", base::ToRfc3339(facts.reloads.loaded)},
                          {"in_force", facts.reloads.in_force},
                          {"live", facts.reloads.live}};
  if (facts.reloads.refused_at) {
    status["generation"]["refused"] = base::ToRfc3339(*facts.reloads.refused_at);
    status["generation"]["refused_because"] = facts.reloads.refused_why;
  }
  status["connections"] = {{"open", sum(Metric::kConnectionsOpen)},
                           {"accepted", sum(Metric::kConnectionsAccepted)}};
  status["exchanges_open"] = sum(Metric::kExchangesOpen);
  status["tunnels_open"] = sum(Metric::kTunnelsOpen);
  status["requests"] = sum(Metric::kRequests);
  status["upstream"] = {{"open", sum(Metric::kUpstreamOpen)},
                        {"idle", sum(Metric::kUpstreamIdle)},
                        {"connects_failed", sum(Metric::kUpstreamConnectsFailed) + sum(Metric::kUpstreamConnectsTimedOut)}};
  status["upstreams"] = Upstreams(facts);
  status["visits"] = {{"accepted", sum(Metric::kVisitsAccepted)},
                      {"stored", sum(Metric::kVisitsStored)},
                      {"in_journal", sum(Metric::kVisitsInJournal)},
                      {"held", sum(Metric::kVisitsHeld)},
                      {"quarantined", sum(Metric::kVisitsQuarantined)},
                      {"dropped", metrics.VisitsDropped()},
                      {"sum", SumOfTheBook(metrics)}};
  status["policy"] = {{"version", facts.config.visit.policy}, {"sessions_told", sum(Metric::kPolicyNotices)}};
  status["objections"] = {{"registered", facts.objections},
                          {"visits", sum(Metric::kObjectionsGpc) + sum(Metric::kObjectionsDnt) +
                                         sum(Metric::kObjectionsCookie) + sum(Metric::kObjectionsRegister)}};
  const logger::JournalState journal = facts.journal.state();
  status["journal"] = {{"state", TextOf(journal)},
                       {"segments", sum(Metric::kJournalSegments)},
                       {"bytes", sum(Metric::kJournalBytes)}};
  const logger::RecorderState recorder = facts.recorder.state();
  status["redis"] = {{"state", recorder.redis},
                     {"up", recorder.redis_up},
                     {"durability", recorder.durability},
                     {"lag_ms", recorder.lag.count()}};
  status["dns"] = {
      {"state", recorder.dns}, {"pending", sum(Metric::kDnsPending)}, {"cached", sum(Metric::kDnsCached)}};
  status["geo"] = {{"state", recorder.geo}};
  status["clock"] = {{"state", facts.clock.IsHeld()
                                   ? "held: it leapt ahead, and nothing is destroyed for its age until it is back, or "
                                     "confirmed by gatebook retention --confirm-clock"
                                   : "ok"},
                     {"ahead_ms", facts.clock.Ahead().count()}};
  status["retention"] = Retention(facts.retention);
  if (!facts.sinks.empty()) status["sinks"] = Sinks(facts.sinks);
  if (facts.certificates != nullptr) {
    Json list = Json::array();
    for (const auto& certificate : facts.certificates->certificates()) {
      list.push_back({{"names", fmt::format("{}", fmt::join(certificate.names, " "))},
                      {"not_after", base::ToRfc3339(tls::NotAfter(certificate))}});
    }
    status["certificates"] = std::move(list);
  }
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string MetricsPage(const StatusFacts& facts) {
  std::string text = base::ToPrometheus(facts.metrics);
  text +=
      "# HELP gatebook_refusals_total Requests refused, and answers of upstreams refused, by reason\n"
      "# TYPE gatebook_refusals_total counter\n";
  for (uint8_t row = 0; row < static_cast<uint8_t>(http::Refusal::kCount); ++row) {
    const auto refusal = static_cast<http::Refusal>(row);
    text +=
        fmt::format("gatebook_refusals_total{{reason=\"{}\",status=\"{}\"}} {}\n", http::InfoOf(refusal).slug,
                    http::InfoOf(refusal).status, SumOf(facts.refusals, refusal));
  }
  text +=
      "# HELP gatebook_connections_closed_total Client connections closed, by reason\n"
      "# TYPE gatebook_connections_closed_total counter\n";
  for (uint8_t row = 0; row < static_cast<uint8_t>(CloseReason::kCount); ++row) {
    const auto reason = static_cast<CloseReason>(row);
    text += fmt::format("gatebook_connections_closed_total{{reason=\"{}\"}} {}\n", InfoOf(reason).slug,
                        SumOf(facts.close_reasons, reason));
  }
  text += "# HELP gatebook_upstream_server_up 1 while the server passes its checks and no worker passes it over\n"
          "# TYPE gatebook_upstream_server_up gauge\n";
  for (size_t i = 0; i < facts.config.upstreams.size(); ++i) {
    size_t number = 0;
    for (const HealthBoard::Server& server : facts.health.Of(i)) {
      const bool up = !server.down.load(std::memory_order_relaxed) && server.ejected.load(std::memory_order_relaxed) == 0;
      text += fmt::format("gatebook_upstream_server_up{{upstream=\"{}\",server=\"{}\"}} {}\n",
                          facts.config.upstreams[i].name, number++, up ? 1 : 0);
    }
  }
  text +=
      "# HELP gatebook_http2_ends_total HTTP/2 connections ended, by reason\n"
      "# TYPE gatebook_http2_ends_total counter\n";
  for (uint8_t row = 0; row < static_cast<uint8_t>(http::H2End::kCount); ++row) {
    const auto end = static_cast<http::H2End>(row);
    text += fmt::format("gatebook_http2_ends_total{{reason=\"{}\"}} {}\n", InfoOf(end).slug,
                        SumOf(facts.h2_ends, end));
  }
  text += fmt::format(
      "# HELP gatebook_generation Number of the loading of the configuration in force, from 1\n"
      "# TYPE gatebook_generation gauge\ngatebook_generation {}\n"
      "# HELP gatebook_generations_live Generations under which anything goes on\n"
      "# TYPE gatebook_generations_live gauge\ngatebook_generations_live {}\n",
      facts.reloads.number, facts.reloads.live);
  text += fmt::format(
      "# HELP gatebook_log_lines_dropped_total Lines that the operations log could not take\n"
      "# TYPE gatebook_log_lines_dropped_total counter\ngatebook_log_lines_dropped_total {}\n",
      base::LogSink::dropped());
  if (facts.certificates != nullptr) {
    text +=
        "# HELP gatebook_certificate_not_after_seconds When a certificate ends, seconds since 1970\n"
        "# TYPE gatebook_certificate_not_after_seconds gauge\n";
    size_t index = 0;
    for (const auto& certificate : facts.certificates->certificates()) {
      text += fmt::format(
          "gatebook_certificate_not_after_seconds{{certificate=\"{}\"}} {}\n", index++,
          std::chrono::duration_cast<std::chrono::seconds>(tls::NotAfter(certificate).time_since_epoch()).count());
    }
  }
  text += fmt::format(
      "# HELP gatebook_build_info The running version\n# TYPE gatebook_build_info gauge\n"
      "gatebook_build_info{{version=\"{}\"}} 1\n",
      GATEBOOK_VERSION);
  return text;
}

uint64_t GenerationInForce(const std::string& json) {
  const Json status = Json::parse(json, nullptr, false);
  const Json::json_pointer place("/generation/in_force");
  return status.is_object() && status.contains(place) ? status[place].get<uint64_t>() : 0;
}

base::Result<std::string> StatusForPeople(const std::string& json) {
  const Json status = Json::parse(json, nullptr, false);
  if (!status.is_object()) return base::Error{"the status is not readable", base::ExitCode::kInputOutput};
  std::string text;
  AppendLines(status, "", text);
  return text;
}

}  // namespace gatebook::proxy
