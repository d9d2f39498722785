// The handler runs at any instruction of any thread, so it takes no lock and calls the kernel only. A row is
// published by its last store, `begin`; it is taken back by the first. A row that is being made or taken back
// belongs to a mapping that nobody touches yet, or any more.
#include "logger/journal_guard.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "base/check.h"

namespace gatebook::logger {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kRows = 8192;

struct Row {
  std::atomic<uintptr_t> begin{0};  // 0: free, or unguarded
  std::atomic<uintptr_t> end{0};
  std::atomic<std::atomic<bool>*> hit{nullptr};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free &&
              std::atomic<std::atomic<bool>*>::is_always_lock_free);

std::array<Row, kRows> rows;
std::mutex rows_mutex;         // who makes and takes back rows; never the handler
std::array<bool, kRows> used;  // guarded by rows_mutex
struct sigaction before;

// False if no page could be had.
bool Replace(uintptr_t page) {
  void* const fresh = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (fresh == MAP_FAILED) return false;
  ::madvise(fresh, kPage, MADV_DONTDUMP);  // as the mapping: it holds visits
  // A plain copy could be the same signal again; this is an error where the page can't be read: then zeros.
  iovec to{fresh, kPage};
  iovec from{reinterpret_cast<void*>(page), kPage};
  [[maybe_unused]] const ssize_t copied = ::process_vm_readv(::getpid(), &to, 1, &from, 1, 0);
  return ::mremap(fresh, kPage, kPage, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(page)) !=
         MAP_FAILED;
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Row& row : rows) {
    const uintptr_t begin = row.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= row.end.load(std::memory_order_relaxed)) continue;
    if (!Replace(address & ~uintptr_t{kPage - 1})) break;
    row.hit.load(std::memory_order_relaxed)->store(true, std::memory_order_relaxed);
    errno = error;
    return;  // the instruction is tried again
  }
  // Not ours: as if there had been no handler. A default that returns meets the same fault again, and ends.
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(signal, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(signal);
  struct sigaction end {};
  end.sa_handler = SIG_DFL;
  ::sigaction(SIGBUS, &end, nullptr);
}

void Install() {
  struct sigaction action {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  CHECK(::sigaction(SIGBUS, &action, &before) == 0);
}

}  // namespace

JournalGuard::JournalGuard(char* data, uint64_t size, std::atomic<bool>& hit) : row_(kRows) {
  static std::once_flag installed;
  std::call_once(installed, Install);
  const std::lock_guard lock(rows_mutex);
  for (size_t row = 0; row < kRows && row_ == kRows; ++row) {
    if (!used[row]) row_ = row;
  }
  if (row_ == kRows) return;
  used[row_] = true;
  Row& row = rows[row_];
  row.hit.store(&hit, std::memory_order_relaxed);
  row.end.store(reinterpret_cast<uintptr_t>(data) + size, std::memory_order_relaxed);
  row.begin.store(reinterpret_cast<uintptr_t>(data), std::memory_order_release);
}

JournalGuard::~JournalGuard() {
  if (row_ == kRows) return;
  const std::lock_guard lock(rows_mutex);
  rows[row_].begin.store(0, std::memory_order_release);
  used[row_] = false;
}

}  // namespace gatebook::logger
