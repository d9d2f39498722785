// PolicyWatch: notices that another version of the privacy policy came into force, and has the operator's
// command run for it, once (config policy.on_change).
//
// The command is started by the main thread and never waited for: it is looked at once a second. It gets
// GATEBOOK_POLICY_VERSION, GATEBOOK_POLICY_BEFORE, GATEBOOK_POLICY_DATE and GATEBOOK_POLICY_PATH in its
// environment, /dev/null for input and our standard error for output. That it was begun is on the disk before
// it is, so that it is run at most once, also across restarts and kills: proxy/policy_log.h.
//
// Thread: main. Owns: the running command, if any.
// Ends: a command that runs is left running.
// Limits: one command at a time; kMostTime, then it is killed.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "proxy/policy_log.h"

namespace gatebook::proxy {

class PolicyWatch {
 public:
  static constexpr std::chrono::minutes kMostTime{10};

  PolicyWatch(const std::string& journal_directory, base::MetricsBlock& metrics)
      : log_(journal_directory), metrics_(metrics) {}

  // `config` came into force.
  void TakeOver(const config::Config& config, base::WallTime now);
  // Looks whether the command has ended.
  void Look();

 private:
  void Begin(const config::Config& config, const std::string& before);
  void End(const std::string& how, bool well);

  PolicyLog log_;
  base::MetricsBlock& metrics_;
  pid_t command_ = -1;
  std::string version_;  // for which it runs
  base::SteadyTime begun_{};
  bool killed_ = false;
};

}  // namespace gatebook::proxy
