// UpstreamSide: what an exchange asks of the connection (or stream) on which its request is
// answered; the other half of ClientSide.
//
// The exchange speaks in messages; framing, protocol, and what becomes of the connection
// afterwards are this side's. HTTP/1 is proxy/http1_upstream.h, a stream of HTTP/2
// proxy/http2_upstream_stream.h.
//
//   Begin ─► WriteBody … WriteEnd     Send() pushes on what was gathered
//   Read  ─► kInterim … kHead ─► kBytes … kEnd
//                   └─ or kTunnel ─► ReadTunnel, WriteTunnel
//
// Thread: the worker's. Borrows: from Begin() on the user and what the request refers to.
// Ends: by letting go of the lease, at any time, also inside the user's call: what ended exactly is used
// again,
//   anything else is closed, or reset.
// Limits: 64 KiB of payload each way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"
#include "net/stream.h"

namespace gatebook::proxy {

struct OutgoingRequest;

class UpstreamSide {
 public:
  class User {
   public:
    // Something may go on that could not before. From events, never from inside a call of this side.
    virtual void OnUpstreamReady() = 0;

   protected:
    ~User() = default;
  };

  // In upstream.servers.
  size_t server() const { return server_; }
  // Whether its failures may say Repeat::kAlways: what was sent of a body is worth keeping for a while.
  bool may_be_unseen() const { return may_be_unseen_; }

  // ---- the request

  // Once, first: its head. Where its framing is kNone that is all of it.
  virtual void Begin(User& user, const OutgoingRequest& request) = 0;
  // Payload that WriteBody() takes now; bytes.
  virtual size_t room() const = 0;
  // Takes all of it. Requires: no more than room().
  virtual void WriteBody(std::string_view piece) = 0;
  // `trailers` are passed on where the other end can take them.
  virtual void WriteEnd(std::span<const http::Field> trailers) = 0;
  struct Sent {
    enum class Status : uint8_t {
      kAll,      // nothing is left here
      kBlocked,  // the upstream takes no more now; OnUpstreamReady() will come
      kFailed,   // it takes nothing any more, though its answer may still come (RFC 9112 §9.6)
    };
    Status status = Status::kAll;
    size_t bytes = 0;  // that were moved
  };
  virtual Sent Send() = 0;

  // ---- the answer

  enum class Take : uint8_t {
    kInterim,  // head(): 1xx but 101
    kHead,     // head(): the final one; with framing kNone it is all
    kTunnel,   // head(): a 101, whatever the protocol called it, that was asked for
    kBytes,    // `piece` holds payload
    kEnd,      // it is whole: `piece` holds its last bytes, if any are left, trailers() what follows
    kWait,     // nothing more now; OnUpstreamReady() will come
    kFailed,   // failure() says why; nothing follows
  };
  // Piece and head are valid until the next call. After kEnd, kTunnel and kFailed: not to be called.
  virtual Take Read(std::string_view& piece) = 0;
  virtual const http::ResponseHead& head() const = 0;
  virtual std::span<const http::Field> trailers() const = 0;

  // Whether the request may be sent again, as far as this side can know.
  enum class Repeat : uint8_t {
    kNever,
    kIfSafe,  // a used connection that died before a byte of the answer: nobody may have seen it
    kAlways,  // the upstream says that it has not looked at it (RFC 9113 §8.7)
  };
  struct Failure {
    http::Refusal refusal = http::Refusal::kUpstreamClosed;
    Repeat repeat = Repeat::kNever;
  };
  virtual Failure failure() const = 0;

  // ---- after kTunnel

  virtual net::IoResult ReadTunnel(std::span<char> into) = 0;
  virtual net::IoResult WriteTunnel(std::string_view bytes) = 0;
  virtual void ShutdownTunnel() = 0;

  // For the lease: the user is done. This may be gone when it returns.
  virtual void Leave() = 0;

 protected:
  UpstreamSide(size_t server, bool may_be_unseen) : server_(server), may_be_unseen_(may_be_unseen) {}
  ~UpstreamSide() = default;

 private:
  const size_t server_;
  const bool may_be_unseen_;
};

struct LeaseEnd {
  void operator()(UpstreamSide* side) const { side->Leave(); }
};
// One exchange's use of a side.
using UpstreamLease = std::unique_ptr<UpstreamSide, LeaseEnd>;

}  // namespace gatebook::proxy
