#include "tests/support/gatebook_process.h"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "tests/support/test_certificates.h"

namespace gatebook::support {
namespace {

// Name (with labels) to value.
std::map<std::string, uint64_t> ParseMetrics(const std::string& text) {
  std::map<std::string, uint64_t> metrics;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string::npos) continue;
    uint64_t value = 0;
    std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
    metrics[line.substr(0, space)] = value;
  }
  return metrics;
}

uint64_t SumOf(const std::map<std::string, uint64_t>& metrics, std::string_view prefix) {
  uint64_t sum = 0;
  for (const auto& [name, value] : metrics) {
    if (name.starts_with(prefix)) sum += value;
  }
  return sum;
}

// What a sanitizer needs to be strict and small, and what a test wants.
std::vector<std::string> Environment(const std::vector<std::string>& more) {
  std::vector<std::string> all = {
      "ASAN_OPTIONS=abort_on_error=0:exitcode=99:quarantine_size_mb=8:detect_leaks=1:"
      "verify_asan_link_order=0",
      "UBSAN_OPTIONS=print_stacktrace=1", "TSAN_OPTIONS=exitcode=98"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Shared by all processes of a test program: making keys takes time.
const TestAuthority& Authority() {
  static const TestAuthority authority;
  return authority;
}
const CertificateText& LocalhostCertificate() {
  static const CertificateText text = [] {
    CertificateRequest request;
    request.dns_names = {"localhost"};
    request.ip_addresses = {"127.0.0.1"};
    return Authority().Issue(request);
  }();
  return text;
}

// The same tests look at a binary that was built in another way, with a sanitizer.
std::string OrAnother(std::string binary) {
  const char* const another = std::getenv("GATEBOOK_BINARY");
  return another != nullptr ? another : std::move(binary);
}

}  // namespace

GatebookProcess::GatebookProcess(std::string binary, GatebookOptions options)
    : binary_(OrAnother(std::move(binary))),
      tls_port_(FreePort()),
      plain_port_(FreePort()),
      redirect_port_(FreePort()) {
  directory_.Write("authority.pem", Authority().certificate());
  directory_.Write("chain.pem", LocalhostCertificate().chain);
  directory_.Write("key.pem", LocalhostCertificate().key);
  Configure(std::move(options));
}

GatebookProcess::~GatebookProcess() = default;

void GatebookProcess::Configure(GatebookOptions options) {
  if (options.chain_file.empty()) {
    options.chain_file = directory_.Path("chain.pem");
    options.key_file = directory_.Path("key.pem");
  }
  if (options.admin_tls && admin_port_ == 0) admin_port_ = FreePort();
  config_path_ = directory_.Write("gatebook.toml", Config(options));
  environment_ = std::move(options.environment);
}

std::string GatebookProcess::Config(const GatebookOptions& options) const {
  std::map<std::string, std::string> sections = {
      {"edge", "name = \"" + options.edge + "\"\nworkers = " + std::to_string(options.workers) + "\n"},
      {"session", "key_file = \"" + directory_.Path("session.key") + "\"\n"},
      {"redis", "url = \"" + options.redis_url + "\"\n"},
      {"journal", "directory = \"" + journal_directory() + "\"\n"},
      {"retention", "ledger = \"" + directory_.Path("retention.ledger") + "\"\n"},
      {"audit", "file = \"" + directory_.Path("audit.log") + "\"\n"},
      {"dns", options.dns.empty() ? "enabled = false\n" : "servers = [\"" + options.dns + "\"]\n"},
      {"admin", options.admin_tls ? "address = \"127.0.0.1:" + std::to_string(admin_port_) + "\"\nchain = \"" +
                                        options.chain_file + "\"\nkey = \"" + options.key_file + "\"\n"
                                  : "address = \"unix:" + directory_.Path("admin.sock") + "\"\n"},
  };
  // Small segments start quicker; a test that says its own sizes has its way.
  const auto journal = options.sections.find("journal");
  if (journal == options.sections.end() || journal->second.find("_size") == std::string::npos) {
    sections["journal"] += "max_size = \"64MiB\"\nsegment_size = \"1MiB\"\n";
  }
  for (const auto& [name, lines] : options.sections) sections[name] += lines;
  const std::string loopback = "127.0.0.1:";
  std::string text = "[[listen]]\naddress = \"" + loopback + std::to_string(tls_port_) + "\"\n";
  text += "[[listen]]\naddress = \"" + loopback + std::to_string(plain_port_) + "\"\ntls = false\n" +
          options.plain_listener;
  text += "[[listen]]\naddress = \"" + loopback + std::to_string(redirect_port_) +
          "\"\ntls = false\nredirect_to_https = true\n";
  text += "[[certificate]]\nchain = \"" + options.chain_file + "\"\nkey = \"" + options.key_file + "\"\n";
  text += options.upstreams.empty()
              ? "[[upstream]]\nname = \"service\"\nservers = [\"" + options.upstream + "\"]\n"
              : options.upstreams;
  for (const auto& [name, lines] : sections) text.append("[").append(name).append("]\n").append(lines);
  return text + options.more;
}

void GatebookProcess::Launch() {
  process_.reset();
  process_ = std::make_unique<Process>(std::vector<std::string>{binary_, "run", "-c", config_path_},
                                       Environment(environment_));
}

bool GatebookProcess::Start() {
  Launch();
  return WaitUntil([this] { return !IsRunning() || Admin("/readyz").status() == 200; }) && IsRunning();
}

std::optional<int> GatebookProcess::Stop() {
  process_->Signal(SIGTERM);
  return process_->WaitExit();
}

void GatebookProcess::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitExit();
}

ClientOptions GatebookProcess::Tls(const std::string& source) const {
  ClientOptions options;
  options.port = tls_port_;
  options.source = source;
  return options;
}

ClientOptions GatebookProcess::Plain(const std::string& source) const {
  ClientOptions options = Tls(source);
  options.port = plain_port_;
  options.tls = false;
  return options;
}

ClientOptions GatebookProcess::Redirecting() const {
  ClientOptions options = Plain();
  options.port = redirect_port_;
  return options;
}

ClientOptions GatebookProcess::AdminListener() const {
  ClientOptions options;
  options.port = admin_port_;
  if (admin_port_ == 0) options.unix_path = directory_.Path("admin.sock");
  return options;
}

HttpMessage GatebookProcess::Admin(const std::string& path) const {
  RawClient client(AdminListener());
  if (!client.Send("GET " + path + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n")) return {};
  return client.ReadResponse().value_or(HttpMessage{});
}

uint64_t GatebookProcess::Metric(const std::string& name) const {
  const auto metrics = ParseMetrics(Admin("/metrics").body);
  const auto found = metrics.find(name);
  return found == metrics.end() ? 0 : found->second;
}

uint64_t GatebookProcess::MetricSum(const std::string& prefix) const {
  return SumOf(ParseMetrics(Admin("/metrics").body), prefix);
}

std::map<std::string, uint64_t> GatebookProcess::CountedRefusals() const {
  constexpr std::string_view kBegin = "gatebook_refusals_total{reason=\"";
  std::map<std::string, uint64_t> refusals;
  for (const auto& [name, count] : ParseMetrics(Admin("/metrics").body)) {
    if (!name.starts_with(kBegin) || count == 0) continue;
    refusals[name.substr(kBegin.size(), name.find('"', kBegin.size()) - kBegin.size())] += count;
  }
  return refusals;
}

std::map<std::string, uint64_t> GatebookProcess::RecordedRefusals() const {
  std::map<std::string, uint64_t> refusals;
  for (const nlohmann::json& visit : Visits()) {
    if (visit.contains("denied")) ++refusals[visit["denied"].get<std::string>()];
  }
  return refusals;
}

Finished GatebookProcess::Command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), binary_);
  arguments.insert(arguments.end(), {"-c", config_path_});
  return Run(std::move(arguments), Environment(environment_));
}

std::vector<nlohmann::json> GatebookProcess::Visits(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"visits", "--since", "1h", "--json"});
  const Finished finished = Command(std::move(arguments));
  std::vector<nlohmann::json> visits;
  std::istringstream lines(finished.output);
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json visit = nlohmann::json::parse(line, nullptr, false);
    visits.push_back(visit.is_discarded() ? nlohmann::json{{"not json", line}} : std::move(visit));
  }
  return visits;
}

std::vector<nlohmann::json> GatebookProcess::WaitForVisits(size_t count,
                                                           std::vector<std::string> arguments) const {
  std::vector<nlohmann::json> visits;
  WaitUntil([&] {
    visits = Visits(arguments);
    return visits.size() >= count;
  });
  return visits;
}

bool GatebookProcess::WaitDelivered() const {
  return WaitUntil([this] {
    const HttpMessage metrics = Admin("/metrics");
    return metrics.status() == 200 && ParseMetrics(metrics.body)["gatebook_visits_in_journal"] == 0;
  });
}

uint64_t GatebookProcess::ResidentKib() const {
  std::istringstream lines(ReadFile("/proc/" + std::to_string(process_->pid()) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

std::string GatebookProcess::WhatIsLeft() const {
  const HttpMessage answer = Admin("/metrics");
  if (answer.status() != 200) return "no metrics\n";
  auto metrics = ParseMetrics(answer.body);
  std::string wrong;
  const uint64_t accepted = metrics["gatebook_visits_accepted_total"];
  const uint64_t stored = metrics["gatebook_visits_stored_total"];
  const uint64_t in_journal = metrics["gatebook_visits_in_journal"];
  const uint64_t quarantined = metrics["gatebook_visits_quarantined_total"];
  const uint64_t dropped = SumOf(metrics, "gatebook_visits_dropped_total");
  if (accepted != stored + in_journal + quarantined + dropped) {
    std::ostringstream sum;
    sum << "accepted " << accepted << " != stored " << stored << " + in journal " << in_journal
        << " + quarantined " << quarantined << " + dropped " << dropped << "\n";
    wrong += sum.str();
  }
  for (const char* open : {"gatebook_connections_open", "gatebook_exchanges_open", "gatebook_tunnels_open"}) {
    if (metrics[open] != 0) wrong += std::string(open) + " is " + std::to_string(metrics[open]) + "\n";
  }
  const uint64_t upstream_open = metrics["gatebook_upstream_connections_open"];
  const uint64_t upstream_idle = metrics["gatebook_upstream_connections_idle"];
  if (upstream_open != upstream_idle) {
    wrong += std::to_string(upstream_open) + " upstream connections are open and " +
             std::to_string(upstream_idle) + " idle\n";
  }
  return wrong;
}

std::string GatebookProcess::Verify() {
  if (!IsRunning()) return "it does not run:\n" + process_->Describe();
  std::string wrong;
  WaitUntil([&] { return (wrong = WhatIsLeft()).empty(); });
  const std::optional<int> exit_code = Stop();
  if (exit_code != 0) wrong += "it did not end well\n";
  for (const char* finding :
       {"ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "bug: "}) {
    if (process_->Errors().find(finding) != std::string::npos)
      wrong += std::string("found: ") + finding + "\n";
  }
  return wrong.empty() ? wrong : wrong + process_->Describe();
}

}  // namespace gatebook::support
