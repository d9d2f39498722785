#include "base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace gatebook::base {

std::thread StartThread(std::string name, std::function<void()> body, Niceness niceness) {
  constexpr size_t kMostName = 15;  // pthread_setname_np(3)
  name.resize(std::min(name.size(), kMostName));
  return std::thread([name = std::move(name), body = std::move(body), niceness] {
    static_cast<void>(::pthread_setname_np(::pthread_self(), name.c_str()));
    // On Linux it is the thread's alone (setpriority(2)). That it may not be given is no matter.
    if (niceness != Niceness::kNone) {
      static_cast<void>(
          ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), static_cast<int>(niceness)));
    }
    body();
  });
}

}  // namespace gatebook::base
