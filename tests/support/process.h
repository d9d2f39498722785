// Process: a child process of a test.
//
// Its standard output and error go to files, so that no pipe can fill up and
// stop it; what they hold can be read at any time and is shown by Describe().
// The kernel kills the child when the test program dies.
//
// Thread: one at a time; start it from the thread that will outlive it.
// Ends: a child that still runs is killed and reaped. No other process is ever
//   signalled: only the pid that was started here.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::support {

class Process {
 public:
  // Runs `arguments` ([0] is looked up in PATH) with `environment` ("NAME=value") added to ours.
  // A program that can't be run exits with 127.
  explicit Process(std::vector<std::string> arguments, std::vector<std::string> environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool IsRunning();
  // Requires: not reaped yet (IsRunning() or an exit nobody waited for); otherwise does nothing.
  void Signal(int signal);
  // Waits for its end: the exit code, or 128 + the signal that ended it; nothing if it still runs.
  std::optional<int> WaitExit(std::chrono::milliseconds patience = kPatience);

  std::string Output() const;  // standard output so far
  std::string Errors() const;  // standard error so far
  // Command line, how it ended, and both outputs, for the message of a failing test.
  std::string Describe();

 private:
  TempDirectory directory_;
  std::string command_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

struct Finished {
  int exit_code = -1;
  std::string output;
  std::string errors;
};
// Runs to its end; a child that takes longer than `patience` is killed and has exit code -1.
Finished Run(std::vector<std::string> arguments, std::vector<std::string> environment = {},
             std::chrono::milliseconds patience = kPatience);

// A TCP and UDP port of 127.0.0.1 that is free now.
uint16_t FreePort();

}  // namespace gatebook::support
