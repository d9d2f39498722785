// ClientConnection: a connection of a client, whatever it speaks, as its worker
// holds it.
//
//   ArrivingConnection ──┬─► Http1Connection
//    PROXY header, TLS   └─► Http2Connection
//
// Thread: the worker's. Owns: its seat among the connections that may be open.
// Ends: it tells its owner, who disposes of it.
#pragma once

#include "guard/connection_limiter.h"
#include "net/loop.h"
#include "proxy/close_reason.h"
#include "proxy/worker_context.h"

namespace gatebook::proxy {

class ClientConnection : public net::Disposable {
 public:
  class Owner {
   public:
    // The connection is closed; to be disposed of.
    virtual void OnClosed(ClientConnection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  // The process is ending: close now if idle, else after what is under way.
  virtual void Drain() = 0;
  // Close whatever is under way.
  virtual void Abort() = 0;
  // The journal has been brought to the disk: answers may wait for that.
  virtual void OnJournalFlushed() {}

  size_t index = 0;  // the owner's place for it

 protected:
  ClientConnection(WorkerContext& context, Owner& owner, guard::ConnectionSeat seat)
      : context_(context), owner_(owner), seat_(std::move(seat)) {}

  // At most once.
  void TellClosed(CloseReason reason) {
    context_.close_reasons.Count(reason);
    owner_.OnClosed(*this);
  }

  WorkerContext& context_;
  Owner& owner_;
  guard::ConnectionSeat seat_;
};

}  // namespace gatebook::proxy
