#include "config/consistency.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "config/sink_path.h"
#include "config/syslog_facility.h"
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

using Complain = std::function<void(const char* key, const std::string& message)>;

// `speaks`: TLS is spoken at all; else `otherwise` says why the keys are of no use.
void CheckTlsPeer(const TlsPeer& peer, bool speaks, const char* otherwise, const Complain& complain) {
  const std::pair<const char*, bool> tls_only[] = {{"tls_name", !peer.tls_name.empty()},
                                                   {"tls_ca", !peer.tls_ca.empty()},
                                                   {"tls_certificate", !peer.tls_certificate.empty()},
                                                   {"tls_key", !peer.tls_key.empty()},
                                                   {"tls_verify", !peer.tls_verify}};
  for (const auto& [key, is_set] : tls_only) {
    if (is_set && !speaks) complain(key, otherwise);
  }
  if (peer.tls_certificate.empty() != peer.tls_key.empty()) {
    const bool lacks_key = peer.tls_key.empty();
    complain(lacks_key ? "tls_certificate" : "tls_key",
             fmt::format("{} is missing: certificate and key come together",
                         lacks_key ? "tls_key" : "tls_certificate"));
  }
  if (!peer.tls_ca.empty() && !peer.tls_verify) complain("tls_ca", "of no use with tls_verify = false");
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
    CheckTlsPeer(upstream, any_tls || servers == 0, "none of the servers is \"https://…\"", complain);
  }
}

void CheckRedis(const Redis& redis, const PlaceMap& places, ProblemList& problems) {
  const auto complain = [&](const char* key, const std::string& message) {
    problems.Add(places.Of(S::kRedis, 0, key), fmt::format("{}: {}", key, message));
  };
  CheckTlsPeer(redis, redis.tls, "url is not \"rediss://…\"", complain);
  if (redis.cluster) {
    if (!redis.sentinels.empty())
      complain("sentinels", "a Cluster fails over by itself; it has no sentinels");
    if (redis.database != 0) complain("url", "a Cluster has the database 0 only");
    if (redis.server.kind == Endpoint::Kind::kUnix)
      complain("url",
               "the nodes of a Cluster are reached by address; a Unix socket leads to one of them only");
  } else if (!redis.nodes.empty()) {
    complain("nodes", "only with cluster = true");
  }
  if (redis.sentinels.empty() != redis.sentinel_master.empty()) {
    const bool lacks_master = redis.sentinel_master.empty();
    complain(
        lacks_master ? "sentinels" : "sentinel_master",
        fmt::format("{} is missing: the two come together", lacks_master ? "sentinel_master" : "sentinels"));
  }
  if (!redis.sentinels.empty() && redis.server.kind == Endpoint::Kind::kUnix)
    complain("url", "with sentinels it is \"redis://…\" or \"rediss://…\"");
  if (redis.sentinels.empty() && !redis.sentinel_password_file.empty())
    complain("sentinel_password_file", "there are no sentinels");
  if (!redis.sentinel_user.empty() && redis.sentinel_password_file.empty())
    complain("sentinel_user", "sentinel_password_file is missing");
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

void CheckPolicySection(const Config& config, const PlaceMap& places, ProblemList& problems) {
  const Policy& policy = config.policy;
  if (!policy.version.empty() && places.IsWritten(S::kVisit, 0, "policy") &&
      config.visit.policy != policy.version) {
    problems.Add(places.Of(S::kVisit, 0, "policy"),
                 fmt::format("policy: [policy] version says \"{}\"; leave this one out", policy.version));
  }
  if (policy.path.starts_with("/.well-known/")) {
    problems.Add(places.Of(S::kPolicy, 0, "path"), "path: not below /.well-known/, which has fixed names");
  }
  if (!policy.on_change.empty() && policy.on_change.front().front() != '/') {
    problems.Add(places.Of(S::kPolicy, 0, "on_change"),
                 "on_change: it begins with the absolute path of a program");
  }
}

void CheckSink(const Config& config, size_t i, const PlaceMap& places, ProblemList& problems) {
  const Sink& sink = config.sinks[i];
  const auto complain = [&](const char* key, const std::string& message) {
    problems.Add(places.Of(S::kSink, i, key), fmt::format("{}: {}", key, message));
  };
  const auto is_repeated = [&](const auto& same) {
    return std::any_of(config.sinks.begin(), config.sinks.begin() + static_cast<ptrdiff_t>(i), same);
  };
  if (!sink.name.empty() && is_repeated([&](const Sink& one) { return one.name == sink.name; }))
    complain("name", "another [[sink]] has it already");
  if (SyslogFacility(sink.facility) == std::nullopt)
    complain("facility", "none of user, daemon, auth, authpriv, local0 to local7");
  if (config.visit.retention < sink.keep) {
    complain("keep", fmt::format("{} is longer than visits are kept at all (visit.retention): {}",
                                 FormatDuration(sink.keep), FormatDuration(config.visit.retention)));
  }
  const bool is_syslog = sink.kind == SinkKind::kSyslog;
  CheckTlsPeer(sink, is_syslog && sink.transport == SyslogTransport::kTls, "transport is not \"tls\"",
               complain);
  if (sink.kind != SinkKind::kFile) {
    if (!sink.path.empty()) complain("path", "only of kind \"file\"");
  } else if (is_repeated([&](const Sink& one) {
               return one.kind == SinkKind::kFile && SinkPath(one) == SinkPath(sink);
             })) {
    complain("path", "another [[sink]] writes there already");
  }
  if (sink.kind == SinkKind::kStdout &&
      is_repeated([](const Sink& one) { return one.kind == SinkKind::kStdout; }))
    complain("kind", "another [[sink]] writes to standard output already");
  if (!is_syslog) {
    if (!(sink.server == Sink().server)) complain("server", "only of kind \"syslog\"");
    if (sink.transport != Sink().transport) complain("transport", "only of kind \"syslog\"");
  } else if ((sink.server.kind == Endpoint::Kind::kUnix) != (sink.transport == SyslogTransport::kUnix)) {
    complain(places.IsWritten(S::kSink, i, "server") ? "server" : "transport",
             sink.transport == SyslogTransport::kUnix
                 ? "with transport = \"unix\" it is \"unix:/dev/log\" or the like"
                 : "udp, tcp and tls need a server = \"host:port\"");
  }
}

void CheckDeclaration(const Config& config, const PlaceMap& places, ProblemList& problems) {
  const Declaration& declared = config.declaration;
  if (declared.retention.count() != 0 && config.visit.retention > declared.retention) {
    problems.Add(places.Of(S::kVisit, 0, "retention"),
                 fmt::format("retention: {} is longer than [declaration] promises: {}",
                             FormatDuration(config.visit.retention), FormatDuration(declared.retention)));
  }
  for (size_t i = 0; declared.retention.count() != 0 && i < config.sinks.size(); ++i) {
    if (config.sinks[i].keep <= declared.retention) continue;
    problems.Add(places.Of(S::kSink, i, "keep"),
                 fmt::format("keep: {} is longer than [declaration] promises: {}",
                             FormatDuration(config.sinks[i].keep), FormatDuration(declared.retention)));
  }
  if (declared.fields.empty()) return;
  const VisitFieldSet promised(declared.fields);
  const VisitFieldSet recorded = RecordedFields(config.visit);
  for (size_t i = 0; i < static_cast<size_t>(VisitField::kCount); ++i) {
    const auto field = static_cast<VisitField>(i);
    // A name that is never asked for is none.
    if (!recorded.Has(field) || promised.Has(field) || (field == VisitField::kDns && !config.dns.enabled))
      continue;
    problems.Add(
        places.Of(S::kVisit, 0, "fields"),
        fmt::format("fields: {} would be recorded, which [declaration] does not name", InfoOf(field).name),
        "leave it out here, or declare it");
  }
}

void CheckAdmin(const Config& config, const PlaceMap& places, ProblemList& problems) {
  const Admin& admin = config.admin;
  if (admin.chain.empty() != admin.key.empty()) {
    const char* key = admin.chain.empty() ? "key" : "chain";
    problems.Add(places.Of(S::kAdmin, 0, key), fmt::format("{}: chain and key go together", key));
  }
  if (!admin.client_ca.empty() && admin.chain.empty()) {
    problems.Add(places.Of(S::kAdmin, 0, "client_ca"), "client_ca: only with chain and key");
  }
}

// Of two readers who are called alike, or known by the same, the order in the file would say who somebody is.
void CheckOneHas(const Config& config, const char* key, std::string Reader::*has, const PlaceMap& places,
                 ProblemList& problems) {
  std::set<std::string_view> known;
  for (size_t i = 0; i < config.readers.size(); ++i) {
    const std::string& value = config.readers[i].*has;
    if (!value.empty() && !known.insert(value).second)
      problems.Add(places.Of(S::kReader, i, key), fmt::format("{}: another [[reader]] has it already", key));
  }
}

void CheckReaders(const Config& config, const PlaceMap& places, ProblemList& problems) {
  CheckOneHas(config, "name", &Reader::name, places, problems);
  CheckOneHas(config, "unix_user", &Reader::unix_user, places, problems);
  CheckOneHas(config, "certificate", &Reader::certificate, places, problems);
  for (size_t i = 0; i < config.readers.size(); ++i) {
    if (!config.readers[i].certificate.empty() && config.admin.client_ca.empty()) {
      problems.Add(places.Of(S::kReader, i, "certificate"),
                   "certificate: admin.client_ca must say who may issue it");
    }
  }
}

}  // namespace

void CheckStatistics(const Config& config, const PlaceMap& places, ProblemList& problems) {
  if (config.statistics.round < 2 * config.statistics.k) {
    const char* key = places.IsWritten(S::kStatistics, 0, "round") ? "round" : "k";
    problems.Add(
        places.Of(S::kStatistics, 0, key),
        fmt::format(
            "{}: round, {}, must be at least twice k, {}: figures would be finer than what they may tell",
            key, config.statistics.round, 2 * config.statistics.k));
  }
}

void CheckConsistency(const Config& config, const PlaceMap& places, ProblemList& problems) {
  CheckListeners(config, places, problems);
  CheckTls(config, places, problems);
  CheckUpstreams(config, places, problems);
  CheckServers(config, places, problems);
  CheckRoutes(config, places, problems);
  CheckPolicySection(config, places, problems);
  CheckDeclaration(config, places, problems);
  CheckAdmin(config, places, problems);
  CheckReaders(config, places, problems);
  for (size_t i = 0; i < config.sinks.size(); ++i) CheckSink(config, i, places, problems);
  if (config.session.partitioned && config.session.same_site != SameSite::kNone) {
    problems.Add(places.Of(S::kSession, 0, "partitioned"), "partitioned: only with same_site = \"none\"");
  }
  CheckRedis(config.redis, places, problems);
  CheckStatistics(config, places, problems);
  if (config.journal.max_size < 2 * config.journal.segment_size) {
    const char* key = places.IsWritten(S::kJournal, 0, "max_size") ? "max_size" : "segment_size";
    problems.Add(places.Of(S::kJournal, 0, key),
                 fmt::format("{}: the journal must hold at least two segments of {}, not {}", key,
                             FormatSize(config.journal.segment_size), FormatSize(config.journal.max_size)));
  }
}

}  // namespace gatebook::config
