#include "proxy/own_site.h"

#include <fmt/format.h>

#include "base/rfc3339.h"
#include "proxy/my_visits.h"
#include "proxy/objection_page.h"
#include "proxy/own_page.h"
#include "proxy/policy_document.h"
#include "proxy/what_we_record.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

// The support resource of Global Privacy Control: that the signal is honoured, and since when that is said.
std::string GpcStatement(const config::Config& config) {
  if (config.policy.date.empty()) return "{\"gpc\": true}\n";
  return fmt::format("{{\"gpc\": true, \"lastUpdate\": \"{}\"}}\n", config.policy.date);
}

}  // namespace

base::Result<OwnPaths> MakeOwnPaths(const config::Config& config, review::RightsDesk& desk) {
  OwnPaths paths;
  const auto policy_date = base::ParseRfc3339(config.policy.date + "T00:00:00Z");
  if (config.objection.gpc) {
    paths.Add("/.well-known/gpc.json",
              std::make_unique<OwnPage>("application/json", GpcStatement(config), policy_date));
  }
  if (config.objection.self_service) {
    paths.Add(std::string(kObjectionPath), std::make_unique<ObjectionPage>(config));
  }
  if (config.rights.self_service != config::SelfService::kOff) {
    paths.Add(std::string(kMyVisitsPath), std::make_unique<MyVisits>(config.rights, desk));
  }
  if (config.policy.file.empty()) return paths;
  const auto document = LoadPolicyDocument(config.policy);
  if (!document.ok()) return document.error();
  paths.Add(config.policy.path, std::make_unique<OwnPage>(kHtml, document->html, document->changed));
  paths.Add(
      FeedPath(config.policy),
      std::make_unique<OwnPage>("application/atom+xml; charset=utf-8",
                                PolicyFeed(config.policy, *document, config.visit.policy), policy_date));
  paths.Add(WhatWeRecordPath(config.policy),
            std::make_unique<OwnPage>(kHtml, WhatWeRecordPage(config), std::nullopt));
  return paths;
}

}  // namespace gatebook::proxy
