#include "proxy/config_trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "logger/places.h"
#include "proxy/declared_regions.h"
#include "proxy/policy_document.h"
#include "review/desk_readers.h"
#include "tls/certificate_store.h"
#include "tls/tls_client_context.h"
#include "tls/tls_context.h"
#include "tls/trust_store.h"

namespace gatebook::proxy {
namespace {

using config::SectionId;

// One element of a section, whose keys are complained of.
class Section {
 public:
  Section(SectionId section, size_t index, const config::PlaceMap& places, config::ProblemList& problems)
      : section_(section), index_(index), places_(places), problems_(problems) {}

  void Complain(const char* key, const base::Error& error) const {
    problems_.Add(places_.Of(section_, index_, key), fmt::format("{}: {}", key, error.message));
  }
  // Of the two files that belong together, that which the error begins with.
  void ComplainOfPair(const char* chain_key, const char* key_key, const std::string& key_file,
                      const base::Error& error) const {
    Complain(error.message.starts_with(key_file + ":") ? key_key : chain_key, error);
  }

 private:
  const SectionId section_;
  const size_t index_;
  const config::PlaceMap& places_;
  config::ProblemList& problems_;
};

void TryAuthorities(const std::string& file, const char* key, const Section& section) {
  if (file.empty()) return;
  if (const auto trust = tls::TrustStore::Load(file); !trust.ok()) section.Complain(key, trust.error());
}

// A certificate of a listener, by its files.
void TryCertificate(const config::Certificate& files, const config::Tls& rules, const Section& section) {
  std::vector<std::string> unused;  // warnings are said when it is taken
  auto store = tls::CertificateStore::Load({files}, base::Clock::System().WallNow(), unused);
  if (!store.ok()) return section.ComplainOfPair("chain", "key", files.key, store.error());
  config::Tls alone = rules;
  alone.client_certificates = config::ClientCertificates::kNone;
  const auto context = tls::TlsContext::Make(alone, std::move(store).value(), nullptr);
  if (!context.ok()) section.Complain("chain", context.error());
}

// What is needed to speak TLS to somebody.
void TryPeer(const config::TlsPeer& peer, const Section& section) {
  if (peer.tls_verify) TryAuthorities(peer.tls_ca, "tls_ca", section);
  if (peer.tls_certificate.empty()) return;
  config::TlsPeer alone = peer;
  alone.tls_verify = false;
  const auto context = tls::TlsClientContext::Make(alone, {}, {}, nullptr);
  if (!context.ok()) section.ComplainOfPair("tls_certificate", "tls_key", peer.tls_key, context.error());
}

void TryListeners(const config::Config& config, const config::PlaceMap& places,
                  config::ProblemList& problems) {
  const bool any_tls = std::any_of(config.listen.begin(), config.listen.end(),
                                   [](const config::Listen& listen) { return listen.tls; });
  if (any_tls) {
    for (size_t i = 0; i < config.certificates.size(); ++i) {
      TryCertificate(config.certificates[i], config.tls, {SectionId::kCertificate, i, places, problems});
    }
    if (config.tls.client_certificates != config::ClientCertificates::kNone) {
      TryAuthorities(config.tls.client_ca, "client_ca", {SectionId::kTls, 0, places, problems});
    }
  }
  if (config.admin.chain.empty()) return;
  const Section admin(SectionId::kAdmin, 0, places, problems);
  TryCertificate({config.admin.chain, config.admin.key}, {}, admin);
  TryAuthorities(config.admin.client_ca, "client_ca", admin);
}

void TryPeers(const config::Config& config, const config::PlaceMap& places, config::ProblemList& problems) {
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const config::Upstream& upstream = config.upstreams[i];
    const bool any_tls = std::any_of(upstream.servers.begin(), upstream.servers.end(),
                                     [](const config::Endpoint& server) { return server.tls; });
    if (any_tls) TryPeer(upstream, {SectionId::kUpstream, i, places, problems});
  }
  if (config.redis.tls) TryPeer(config.redis, {SectionId::kRedis, 0, places, problems});
  for (size_t i = 0; i < config.sinks.size(); ++i) {
    const config::Sink& sink = config.sinks[i];
    if (sink.kind == config::SinkKind::kSyslog && sink.transport == config::SyslogTransport::kTls) {
      TryPeer(sink, {SectionId::kSink, i, places, problems});
    }
  }
}

void TryTexts(const config::Config& config, const config::PlaceMap& places, config::ProblemList& problems) {
  if (!config.policy.file.empty()) {
    const auto document = LoadPolicyDocument(config.policy);
    if (!document.ok()) Section(SectionId::kPolicy, 0, places, problems).Complain("file", document.error());
  }
  std::vector<config::Reader> good;  // beside them all the next one must stand
  for (size_t i = 0; i < config.readers.size(); ++i) {
    const config::Reader& reader = config.readers[i];
    good.push_back(reader);
    const auto loaded = review::DeskReaders::Load(good);
    if (loaded.ok()) continue;
    good.pop_back();
    const char* key = "name";
    if (loaded.error().message.starts_with(reader.password_file + ":")) key = "password_file";
    if (loaded.error().message.starts_with(reader.token_file + ":")) key = "token_file";
    Section(SectionId::kReader, i, places, problems).Complain(key, loaded.error());
  }
}

}  // namespace

config::LoadOutcome LoadTried(const std::string& path, const config::MoreChecks& also) {
  return LoadChecked(path, [&also](const config::Config& config, const config::PlaceMap& places,
                                   config::ProblemList& problems) {
    TryListeners(config, places, problems);
    TryPeers(config, places, problems);
    TryTexts(config, places, problems);
    if (also) also(config, places, problems);
  });
}

void TryPlaces(const config::Config& config, const config::PlaceMap& places, config::ProblemList& problems) {
  for (const std::string& path : config.geo.databases) {
    if (const auto status = logger::Places::Check(path); !status.ok()) {
      Section(SectionId::kGeo, 0, places, problems).Complain("databases", status.error());
    }
  }
}

}  // namespace gatebook::proxy
