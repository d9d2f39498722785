#include "tests/support/moved_time.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <filesystem>

#include "base/check.h"
#include "base/unique_fd.h"

namespace gatebook::support {

MovedTime::MovedTime(const std::string& gatebook)
    : library_(std::filesystem::absolute(gatebook).parent_path() / "tests/libgatebook_moved_time.so"),
      path_(directory_.Write("time", std::string(2 * sizeof(int64_t), '\0'))) {
  const base::UniqueFd file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  void* const map = ::mmap(nullptr, 2 * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  CHECK(map != MAP_FAILED);
  moved_ = static_cast<volatile int64_t*>(map);
}

MovedTime::~MovedTime() { ::munmap(const_cast<int64_t*>(moved_), 2 * sizeof(int64_t)); }

std::vector<std::string> MovedTime::Environment() const {
  return {"LD_PRELOAD=" + library_, "GATEBOOK_MOVED_TIME=" + path_};
}

// The machine's sleep first: no instant may look like a leap.
void MovedTime::Pass(std::chrono::seconds time) {
  moved_[1] = moved_[1] + time.count();
  moved_[0] = moved_[0] + time.count();
}

void MovedTime::Leap(std::chrono::seconds by) { moved_[0] = moved_[0] + by.count(); }

std::chrono::system_clock::time_point MovedTime::Now() const {
  return std::chrono::system_clock::now() + std::chrono::seconds(moved_[0]);
}

}  // namespace gatebook::support
