#include "config/option_table.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace gatebook::config {
namespace {

using S = SectionId;

template <auto kMember>
constexpr Section Repeated(S id, const char* name, const char* help, const char* more = "") {
  return {id,
          name,
          help,
          more,
          [](const Config& config) { return (config.*kMember).size(); },
          [](Config& config) { (config.*kMember).emplace_back(); }};
}

constexpr Section kSections[] = {
    {S::kEdge, "edge", "This edge: one running gatebook."},
    {S::kLog, "log",
     "The diagnostics log: what the operator should know. It never holds a visitor's address, name or "
     "session."},
    Repeated<&Config::listen>(
        S::kListen, "listen", "Where clients connect. At least one.",
        "\n[[listen]]\naddress = \"0.0.0.0:80\"\ntls = false\nredirect_to_https = true\n"),
    Repeated<&Config::certificates>(
        S::kCertificate, "certificate",
        "Server certificates, chosen by SNI from the names inside; the first is the default. "
        "At least one if any listener has TLS."),
    {S::kTls, "tls", "TLS towards clients."},
    Repeated<&Config::upstreams>(S::kUpstream, "upstream", "Services behind this edge. At least one."),
    Repeated<&Config::routes>(
        S::kRoute, "route",
        "Which requests go to which upstream: an exact host before a wildcard before \"*\", then the "
        "longest path. Without any route, everything goes to the first upstream."),
    {S::kSession, "session", "The visitor's session and its signed cookie."},
    {S::kRedis, "redis", "Where visits are kept until they expire."},
    {S::kJournal, "journal", "The files that hold visits until Redis has them."},
    {S::kVisit, "visit", "What is recorded of a visit, and for how long."},
    {S::kObjection, "objection",
     "How visitors object to being counted. Their visits are recorded for administration only, without "
     "campaign "
     "and referrer."},
    {S::kPolicy, "policy", "The privacy policy: what is shown, and how visitors hear of a change."},
    {S::kDeclaration, "declaration",
     "What has been promised. A config that breaks a promise is refused; what is not declared is not "
     "checked."},
    {S::kRetention, "retention", "How it is proven that visits are destroyed in time."},
    {S::kRights, "rights", "What visitors can do about their own visits by themselves."},
    {S::kDns, "dns", "Names of visitors' addresses."},
    {S::kGeo, "geo", "Countries and networks of visitors' addresses."},
    {S::kStatistics, "statistics",
     "What `gatebook stats publish` may tell, and for how long it is kept (docs/statistics.md)."},
    {S::kAdmin, "admin",
     "The listener for status, metrics, commands and the desk. Status, metrics and commands have no "
     "password, so "
     "keep it private."},
    {S::kDesk, "desk", "The pages for people who review visits, on the admin listener."},
    Repeated<&Config::readers>(S::kReader, "reader",
                               "Who reads visits, and how they show who they are. A viewer sees addresses "
                               "shortened and names cut to "
                               "their domain; an investigator may see them whole, and says why.",
                               ""),
    {S::kAudit, "audit", "The log of who saw what is hidden, when, and why."},
    Repeated<&Config::queries>(S::kQuery, "query", "A query that is asked often, by name.", ""),
    Repeated<&Config::sinks>(S::kSink, "sink",
                             "Where visits are written beside Redis: a file, standard output or syslog.", ""),
    {S::kTimeouts, "timeouts", "How long each phase may last. All are totals unless said otherwise."},
    {S::kLimits, "limits", "How much one client, connection or request may take."},
};

}  // namespace

std::string Section::Heading() const {
  const std::string_view open = IsRepeated() ? "[[" : "[";
  const std::string_view close = IsRepeated() ? "]]" : "]";
  return std::string(open).append(name).append(close);
}

std::span<const Section> Sections() { return kSections; }
std::span<const Option> Options() {
  static const std::vector<Option> options = [] {
    std::vector<Option> all;
    for (const auto rows : {EdgeOptions(), BookOptions(), DeskOptions()})
      all.insert(all.end(), rows.begin(), rows.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const Option& a, const Option& b) { return a.section < b.section; });
    return all;
  }();
  return options;
}

const Section* FindSection(std::string_view name) {
  for (const Section& section : kSections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Option* FindOption(SectionId section, std::string_view key) {
  for (const Option& option : Options()) {
    if (option.section == section && option.key == key) return &option;
  }
  return nullptr;
}

const Section& SectionOf(const Option& option) { return kSections[static_cast<size_t>(option.section)]; }

Config Defaults() {
  Config config;
  auto redis = ParseEndpoint("127.0.0.1:6379", kFormIp);
  config.redis.server = std::move(redis).value();
  auto admin = ParseEndpoint("unix:/run/gatebook/admin.sock", kFormUnix);
  config.admin.address = std::move(admin).value();
  return config;
}

}  // namespace gatebook::config
