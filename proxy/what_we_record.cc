#include "proxy/what_we_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <vector>

#include "base/html.h"
#include "config/units.h"
#include "proxy/html.h"
#include "proxy/objection.h"

namespace gatebook::proxy {
namespace {

using config::VisitField;

std::string Span(std::chrono::milliseconds time) {
  using namespace std::chrono;
  const auto say = [](auto count, const char* unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  if (time % hours(24) == milliseconds(0)) return say(time / hours(24), "day");
  if (time % hours(1) == milliseconds(0)) return say(time / hours(1), "hour");
  if (time % minutes(1) == milliseconds(0)) return say(time / minutes(1), "minute");
  return config::FormatDuration(time);
}

bool IsAsked(const config::Config& config, VisitField field) {
  if (field == VisitField::kDns) return config.dns.enabled;
  const bool place =
      field == VisitField::kCountry || field == VisitField::kNetwork || field == VisitField::kCity;
  return !place || !config.geo.databases.empty();
}

std::string WhatOf(const config::Config& config, VisitField field) {
  std::string what(InfoOf(field).what);
  if (field == VisitField::kIp && config.visit.truncate_address == config::TruncateAddress::kAlways)
    what += ", without its end (/24 or /48)";
  if (field == VisitField::kQuery) {
    what += config.visit.query_allow.empty() ? ": none"
                                             : fmt::format(": {}", fmt::join(config.visit.query_allow, ", "));
  }
  return what;
}

std::string PurposeOf(const config::Config& config, VisitField field) {
  if (field != VisitField::kSession) return std::string(InfoOf(field).purpose);
  return fmt::format("to tell visits of one sitting from others; it lives {} at most",
                     Span(config.session.lifetime));
}

// The rows that hold under this config.
std::vector<VisitField> Recorded(const config::Config& config) {
  const config::VisitFieldSet recorded = RecordedFields(config.visit);
  std::vector<VisitField> fields;
  for (size_t i = 0; i < static_cast<size_t>(VisitField::kCount); ++i) {
    const auto field = static_cast<VisitField>(i);
    if (recorded.Has(field) && IsAsked(config, field)) fields.push_back(field);
  }
  return fields;
}

// Sentences around the table.
std::vector<std::string> Sentences(const config::Config& config) {
  std::vector<std::string> all;
  all.push_back(
      fmt::format("Each visit destroys itself {} after it was made.", Span(config.visit.retention)));
  all.push_back(fmt::format(
      "A session identifier ends {} after the last visit, and after {} in any case; the next visit "
      "has another.",
      Span(config.session.idle), Span(config.session.lifetime)));
  all.push_back(
      "Never recorded: what is written and read, forms, passwords, cookies, credentials. Telephone numbers, "
      "e-mail "
      "addresses and tokens in the address of a page are masked before anything is written.");
  all.push_back("Statistics know an address only without its end (/24 of IPv4, /48 of IPv6).");
  std::vector<std::string> ways;
  if (config.objection.gpc) ways.emplace_back("Global Privacy Control (Sec-GPC: 1)");
  if (config.objection.dnt) ways.emplace_back("Do Not Track (DNT: 1)");
  if (config.objection.self_service) ways.push_back(fmt::format("a choice at {}", kObjectionPath));
  ways.emplace_back("word to us");
  all.push_back(fmt::format(
      "Who objects is left out of statistics, and neither referring site nor campaign is kept. Ways: {}.",
      fmt::join(ways, "; ")));
  return all;
}

}  // namespace

std::string WhatWeRecordPage(const config::Config& config) {
  std::string body = "<h1>What is recorded of a visit</h1>\n";
  body += fmt::format("<p>Made from the configuration in force. Version of the privacy policy: {}.</p>\n",
                      base::EscapeHtml(config.visit.policy));
  body += "<table>\n<tr><th>Field</th><th>What it is</th><th>What for</th></tr>\n";
  for (const VisitField field : Recorded(config)) {
    body += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", InfoOf(field).name,
                        base::EscapeHtml(WhatOf(config, field)), base::EscapeHtml(PurposeOf(config, field)));
  }
  body += "</table>\n";
  for (const std::string& sentence : Sentences(config)) body += "<p>" + base::EscapeHtml(sentence) + "</p>\n";
  if (!config.policy.file.empty())
    body += fmt::format("<p><a href=\"{}\">Privacy policy</a></p>\n", base::EscapeHtml(config.policy.path));
  return WholePage("What is recorded of a visit", body);
}

std::string WhatWeRecordText(const config::Config& config) {
  std::string text;
  for (const VisitField field : Recorded(config)) {
    text +=
        fmt::format("{:<12} {} ({})\n", InfoOf(field).name, WhatOf(config, field), PurposeOf(config, field));
  }
  for (const std::string& sentence : Sentences(config)) text += "\n" + sentence + "\n";
  return text;
}

std::string WhatWeRecordJson(const config::Config& config) {
  nlohmann::ordered_json all;
  all["policy"] = config.visit.policy;
  all["retention_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(config.visit.retention).count();
  for (const VisitField field : Recorded(config)) {
    all["fields"].push_back({{"name", std::string(InfoOf(field).name)},
                             {"what", WhatOf(config, field)},
                             {"purpose", PurposeOf(config, field)}});
  }
  all["notes"] = Sentences(config);
  return all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace gatebook::proxy
