// OwnResource: what the edge itself answers at a path of its own (proxy/own_paths.h).
//
// Thread: made by the main thread with an edition, immutable then; asked by any worker.
// Ends: with its edition, which the exchange that is answered holds.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"
#include "net/loop.h"
#include "proxy/own_answer.h"
#include "proxy/visit_book.h"

namespace gatebook::proxy {

// An answer that is being made elsewhere. Destroying it cancels: none comes any more.
class OwnPending {
 public:
  virtual ~OwnPending() = default;
};

// An answer, or why there is none.
struct OwnReply {
  std::unique_ptr<OwnAnswer> answer = {};         // null: refused, or pending
  http::Refusal refusal = http::Refusal::kCount;  // with a null answer
  std::unique_ptr<OwnPending> pending = {};       // set: it comes later
};

// Who asks for what. Everything but on_late is borrowed for the call.
struct OwnRequest {
  const http::RequestHead& head;
  bool secure;  // came over TLS, so that Secure cookies can be set
  const VisitSession& session;
  base::WallTime arrival;  // of the request, as its visit will say it
  net::Loop& loop;         // the worker's
  // Takes the answer that was pending: once, on the loop's thread, never before Answer() has returned.
  std::function<void(OwnReply)> on_late;
};

class OwnResource {
 public:
  virtual ~OwnResource() = default;

  // The methods it takes, as Allow says them: "GET, HEAD". Others are refused with 405.
  virtual std::string_view allow() const = 0;
  // The body of the answer may be a view of this resource. Never waits.
  virtual OwnReply Answer(const OwnRequest& request) const = 0;
};

// Whether a list as in Allow has the method.
bool Allows(std::string_view allow, std::string_view method);

// Whether a request that is to change something comes from a page of this very host, or from no page at
// all: by Sec-Fetch-Site where the browser sends it, and by Origin.
bool IsFromOwnPage(const http::RequestHead& head, bool secure);

}  // namespace gatebook::proxy
