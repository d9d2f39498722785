// SocketEvent: edge-triggered readiness of one descriptor, registered once.
//
// Both directions are registered at Watch() and never changed, so that a
// connection costs one epoll_ctl in its life. The owner keeps what it learned:
// after a read or write that would block there is nothing to do until the next
// call. The same holds after a short read (epoll(7)), unless peer_closed(): the
// peer's FIN may have come with the data, in the same edge, and is still to be read.
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
    peer_closed_ = false;
    event_assign(&event_, loop_.base(), fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, &SocketEvent::OnEvent, this);
    watching_ = event_add(&event_, nullptr) == 0;
    return watching_;
  }
  // Only to read: a descriptor that others write, and which is always writable (eventfd).
  [[nodiscard]] bool WatchReadable(int fd) {
    Stop();
    event_assign(&event_, loop_.base(), fd, EV_READ | EV_ET | EV_PERSIST, &SocketEvent::OnEvent, this);
    watching_ = event_add(&event_, nullptr) == 0;
    return watching_;
  }
  void Stop() {
    if (watching_) event_del(&event_);
    watching_ = false;
  }
  // The peer has ended its direction (EPOLLRDHUP); there may be bytes to read before that end.
  bool peer_closed() const { return peer_closed_; }
  Loop& loop() { return loop_; }

 private:
  static void OnEvent(evutil_socket_t, short what, void* self) {
    auto* me = static_cast<SocketEvent*>(self);
    me->loop_.EnterTurn();
    if ((what & EV_CLOSED) != 0) me->peer_closed_ = true;
    me->handler_.OnReady((what & (EV_READ | EV_CLOSED)) != 0, (what & EV_WRITE) != 0);
  }

  Loop& loop_;
  Handler& handler_;
  event event_{};
  bool watching_ = false;
  bool peer_closed_ = false;
};

}  // namespace gatebook::net
