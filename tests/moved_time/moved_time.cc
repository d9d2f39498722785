// Preloaded into a program (LD_PRELOAD): its wall clock, and the clock that counts the machine's sleep, are
// moved by what stands in the file $GATEBOOK_MOVED_TIME: two little-endian 64-bit numbers of seconds, the
// wall clock's and CLOCK_BOOTTIME's. The file is mapped, so a test moves time while the program runs.
//
// Moving both is time that passes; moving the first alone is a clock that leaps. CLOCK_MONOTONIC is left
// alone: what waits by it would wait for real. No allocation: an allocator may ask for the time while it
// begins.
//
// Thread: any. Limits: programs that ask the kernel by themselves are not fooled.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

const volatile int64_t* moved = nullptr;

__attribute__((constructor)) void Open() {
  const char* const path = getenv("GATEBOOK_MOVED_TIME");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void* const map = mmap(nullptr, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (map != MAP_FAILED) moved = static_cast<const volatile int64_t*>(map);
}

int64_t By(clockid_t clock) {
  if (moved == nullptr) return 0;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) return moved[0];
  return clock == CLOCK_BOOTTIME ? moved[1] : 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0) time->tv_sec += By(clock);
  return static_cast<int>(result);
}

int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now;
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return result;
}

time_t time(time_t* result) noexcept {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
