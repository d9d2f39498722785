// PolicyLog: which version of the privacy policy came into force when, and whether the command of
// policy.on_change was run for it, kept across restarts.
//
// <journal>/policy (logger/register_file.h), a line each, the oldest first:
//
//   <in force since, ms> <command> <version>
//
// command: "-" none was due, "begun", "exit:N" how it ended (N >= 128: by signal N - 128), "failed": it could
// not be run.
//
// Thread: any; also several processes. Limits: the last kMost entries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "logger/register_file.h"

namespace gatebook::proxy {

struct PolicyEntry {
  base::WallTime since{};
  std::string command = "-";
  std::string version;
};

class PolicyLog {
 public:
  static constexpr size_t kMost = 100;

  explicit PolicyLog(const std::string& journal_directory) : file_(journal_directory, "policy") {}

  base::Result<std::vector<PolicyEntry>> Read() const;

  struct Change {
    bool is_new = false;  // another version was in force before, and this one never
    std::string before;   // the version before; empty: none
  };
  // Writes down that `version` is in force from `now` on, if another one was. `command_due`: there is a
  // command; if the version is new, it stands as begun when this returns, so that it can't be run twice.
  base::Result<Change> Enter(const std::string& version, bool command_due, base::WallTime now) const;
  // How the command for `version` ended.
  base::Status SetCommand(const std::string& version, const std::string& command) const;

 private:
  logger::RegisterFile file_;
};

}  // namespace gatebook::proxy
