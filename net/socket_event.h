// SocketEvent: edge-triggered readiness of one descriptor, registered once.
//
// Both directions are registered at Watch() and never changed, so that a
// connection costs one epoll_ctl in its life. The owner keeps what it learned:
// after a read or write that would block (or a short read, epoll(7)) there is
// nothing to do until the next call.
//
// Thread: the loop's. Borrows: the descriptor, which must outlive it.
// Ends: destroying it stops the watching.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "net/loop.h"

namespace gatebook::net {

class SocketEvent {
 public:
  class Handler {
   public:
    virtual void OnReady(bool readable, bool writable) = 0;

   protected:
    ~Handler() = default;
  };

  SocketEvent(Loop& loop, Handler& handler) : loop_(loop), handler_(handler) {}
  ~SocketEvent() { Stop(); }
  SocketEvent(const SocketEvent&) = delete;
  SocketEvent& operator=(const SocketEvent&) = delete;

  // False when the kernel refuses (out of watches).
  [[nodiscard]] bool Watch(int fd) {
    Stop();
    event_assign(&event_, loop_.base(), fd, EV_READ | EV_WRITE | EV_ET | EV_PERSIST, &SocketEvent::OnEvent, this);
    watching_ = event_add(&event_, nullptr) == 0;
    return watching_;
  }
  void Stop() {
    if (watching_) event_del(&event_);
    watching_ = false;
  }
  Loop& loop() { return loop_; }

 private:
  static void OnEvent(evutil_socket_t, short what, void* self) {
    auto* me = static_cast<SocketEvent*>(self);
    me->loop_.EnterTurn();
    me->handler_.OnReady((what & EV_READ) != 0, (what & EV_WRITE) != 0);
  }

  Loop& loop_;
  Handler& handler_;
  event event_{};
  bool watching_ = false;
};

}  // namespace gatebook::net
