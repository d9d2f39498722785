// MovedTime: the time of child processes, which a test moves while they run (tests/moved_time/moved_time.cc).
//
// Thread: one. Owns: the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_directory.h"

namespace gatebook::support {

class MovedTime {
 public:
  // `gatebook`: the binary; the library stands beside it in the build.
  explicit MovedTime(const std::string& gatebook);
  ~MovedTime();
  MovedTime(const MovedTime&) = delete;
  MovedTime& operator=(const MovedTime&) = delete;

  // For a Process that is to live in it.
  std::vector<std::string> Environment() const;
  // So much time passes, as if the machine slept.
  void Pass(std::chrono::seconds time);
  // The wall clock is set: that much further, or back.
  void Leap(std::chrono::seconds by);
  std::chrono::system_clock::time_point Now() const;

 private:
  TempDirectory directory_;
  std::string library_;
  std::string path_;
  volatile int64_t* moved_;
};

}  // namespace gatebook::support
