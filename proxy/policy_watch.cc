#include "proxy/policy_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/log.h"

extern char** environ;

namespace gatebook::proxy {
namespace {

using base::Metric;

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(std::vector<std::string> more) {
  for (char** one = environ; *one != nullptr; ++one) {
    if (std::string_view(*one).starts_with("GATEBOOK_POLICY_")) continue;
    more.emplace_back(*one);
  }
  return more;
}

// A group of its own, so that all of it can be killed; signals as any program expects them.
int Spawn(const std::vector<std::string>& command, std::vector<std::string> environment, pid_t* pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  std::vector<std::string> arguments = command;
  const int error = posix_spawn(pid, command.front().c_str(), &files, &attributes, Pointers(arguments).data(),
                                Pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

void PolicyWatch::TakeOver(const config::Config& config, base::WallTime now) {
  const std::string& version = config.visit.policy;
  const auto change = log_.Enter(version, !config.policy.on_change.empty(), now);
  if (!change.ok()) {
    base::LogError("policy", "{}; no command is run for a new version", change.error().message);
    return;
  }
  if (!change->is_new) return;
  base::LogInfo("policy", "version {} is in force, after {}", version, change->before);
  if (!config.policy.on_change.empty()) Begin(config, change->before);
}

void PolicyWatch::Begin(const config::Config& config, const std::string& before) {
  if (command_ != -1) {
    // The one before has not ended: two changes within minutes.
    base::LogError("policy", "policy.on_change still runs for version {}: not run for {}", version_,
                   config.visit.policy);
    static_cast<void>(log_.SetCommand(config.visit.policy, "failed"));
    metrics_.Add(Metric::kPolicyCommandsFailed);
    return;
  }
  version_ = config.visit.policy;
  begun_ = base::Clock::System().SteadyNow();
  killed_ = false;
  const int error =
      Spawn(config.policy.on_change,
            EnvironmentWith({"GATEBOOK_POLICY_VERSION=" + version_, "GATEBOOK_POLICY_BEFORE=" + before,
                             "GATEBOOK_POLICY_DATE=" + config.policy.date,
                             "GATEBOOK_POLICY_PATH=" + config.policy.path}),
            &command_);
  if (error == 0) return;
  command_ = -1;
  base::LogError("policy", "cannot run {}: {}", config.policy.on_change.front(), std::strerror(error));
  End("failed", false);
}

void PolicyWatch::Look() {
  if (command_ == -1) return;
  int status = 0;
  const pid_t ended = ::waitpid(command_, &status, WNOHANG);
  if (ended == 0) {
    if (!killed_ && base::Clock::System().SteadyNow() - begun_ > kMostTime) {
      killed_ = true;
      ::kill(-command_, SIGKILL);
    }
    return;
  }
  command_ = -1;
  const int code = ended < 0 ? 255 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code == 0) {
    base::LogInfo("policy", "policy.on_change has run for version {}", version_);
  } else {
    base::LogError("policy", "policy.on_change for version {} ended with {}; it is not run again", version_,
                   code);
  }
  End(fmt::format("exit:{}", code), code == 0);
}

void PolicyWatch::End(const std::string& how, bool well) {
  metrics_.Add(well ? Metric::kPolicyCommands : Metric::kPolicyCommandsFailed);
  if (const auto written = log_.SetCommand(version_, how); !written.ok()) {
    base::LogError("policy", "{}", written.error().message);
  }
}

}  // namespace gatebook::proxy
