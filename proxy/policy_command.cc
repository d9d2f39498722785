#include "proxy/policy_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "proxy/policy_log.h"
#include "proxy/what_we_record.h"
#include "review/policy_notice.h"
#include "review/render.h"

namespace gatebook::proxy {
namespace {

using base::ExitCode;
using Json = nlohmann::ordered_json;

int Fail(const base::Error& error) {
  fmt::print(stderr, "gatebook: {}\n", error.message);
  return static_cast<int>(error.exit_code);
}

int What(const config::Config& config, bool json) {
  fmt::print("{}", json ? WhatWeRecordJson(config) : WhatWeRecordText(config));
  return static_cast<int>(ExitCode::kOk);
}

// What the log says, and how many sessions have heard of it.
base::Result<Json> Gather(const config::Config& config) {
  const auto entries = PolicyLog(config.journal.directory).Read();
  if (!entries.ok()) return entries.error();
  Json all;
  all["version"] = config.visit.policy;
  if (!config.policy.date.empty()) all["date"] = config.policy.date;
  all["notice"] = config.policy.notice;
  if (entries->empty() || entries->back().version != config.visit.policy) {
    all["state"] = entries->empty() ? "no edge has run yet" : "not in force yet: reload or start the edge";
    if (!entries->empty()) all["in_force"] = entries->back().version;
    return all;
  }
  const PolicyEntry& entry = entries->back();
  all["state"] = "in force";
  all["since"] = base::ToRfc3339(entry.since);
  if (entries->size() < 2) return all;
  all["before"] = (*entries)[entries->size() - 2].version;
  all["command"] = entry.command == "-" ? "none" : entry.command;
  if (!config.policy.notice) return all;
  auto client = logger::RedisClient::Connect(config.redis);
  if (!client.ok()) return client.error();
  const auto count = review::CountPolicyNotices(**client, config.session, {entry.version, entry.since},
                                                base::Clock::System());
  if (!count.ok()) return count.error();
  all["sessions"] = {{"told", count->told}, {"not_yet_told", count->not_yet_told}, {"gone", count->gone}};
  if (!count->complete) all["sessions"]["complete"] = false;
  return all;
}

int Show(const config::Config& config, bool json) {
  const auto all = Gather(config);
  if (!all.ok()) return Fail(all.error());
  if (json) {
    fmt::print("{}\n", all->dump(2, ' ', false, Json::error_handler_t::replace));
    return static_cast<int>(ExitCode::kOk);
  }
  for (const auto& [key, value] : all->items()) {
    if (!value.is_object()) {
      fmt::print("{:<24} {}\n", key,
                 value.is_string() ? review::Harmless(value.get<std::string>()) : value.dump());
      continue;
    }
    for (const auto& [inner, number] : value.items())
      fmt::print("{:<24} {}\n", key + "." + inner, number.dump());
  }
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace

void AddPolicyCommand(CLI::App& app, std::string& path,
                      std::function<std::shared_ptr<const config::Config>()> load, int* code) {
  struct Options {
    bool json = false;
    bool what = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "policy", "The privacy policy in force, how many sessions have been told of it, and what is recorded");
  command->footer("Example:\n  gatebook policy --what");
  command->add_option("-c,--config", path, "The configuration file")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_flag("--what", options->what, "What is recorded of a visit, in words for visitors");
  command->add_flag("--json", options->json, "As JSON");
  command->callback([options, load, code] {
    const auto config = load();
    *code = config ? options->what ? What(*config, options->json) : Show(*config, options->json)
                   : static_cast<int>(ExitCode::kConfig);
  });
}

}  // namespace gatebook::proxy
