#include "net/signal.h"

#include <event2/event.h>

#include "base/check.h"

namespace gatebook::net {

Signal::Signal(Loop& loop, int number, std::function<void()> on_signal)
    : loop_(loop), on_signal_(std::move(on_signal)) {
  event_ = evsignal_new(loop.base(), number, &Signal::OnSignal, this);
  CHECK(event_ != nullptr);
  CHECK(event_add(event_, nullptr) == 0);
}

Signal::~Signal() { event_free(event_); }

void Signal::OnSignal(evutil_socket_t, short, void* self) {
  auto* signal = static_cast<Signal*>(self);
  signal->loop_.EnterTurn();
  signal->on_signal_();
}

}  // namespace gatebook::net
