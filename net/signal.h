// Signal: a POSIX signal as an event of a loop.
//
// Thread: the loop's. Ends: destroying it restores the signal's former action.
// Limits: one object a signal in a process.
#pragma once

#include <functional>

#include "net/loop.h"

namespace gatebook::net {

class Signal {
 public:
  Signal(Loop& loop, int number, std::function<void()> on_signal);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  static void OnSignal(evutil_socket_t number, short what, void* self);

  Loop& loop_;
  std::function<void()> on_signal_;
  event* event_ = nullptr;
};

}  // namespace gatebook::net
