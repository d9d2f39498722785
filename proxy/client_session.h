// ClientSession: whose session the requests of one client connection belong to.
//
// The cookie decides; it is looked at again when it changes or a minute has gone by.
// A client without one keeps the id that its first request was given, as long as
// an id may live.
//
// Thread: the worker's. Ends: with its connection.
#pragma once

#include <string>

#include "base/metrics.h"
#include "http/head.h"
#include "proxy/session.h"
#include "proxy/visit_book.h"

namespace gatebook::proxy {

class ClientSession {
 public:
  // `head` null: the request was too broken to have one. `secure`: came over TLS; elsewhere a
  // Secure cookie can neither come nor be set.
  VisitSession Decide(const http::RequestHead* head, bool secure, SessionKeeper& keeper,
                      std::string_view cookie_name, base::SteadyTime now, base::MetricsBlock& metrics);

  // Whether this answer is to bring the cookie; the next one is not.
  bool TakeSetCookie() { return std::exchange(set_cookie_, false); }
  const SessionToken& token() const { return token_; }

 private:
  void Judge(std::string_view cookie, bool secure, SessionKeeper& keeper, base::SteadyTime now,
             base::MetricsBlock& metrics);

  SessionToken token_;
  std::string cookie_seen_;  // the Cookie value that token_ was decided from
  base::SteadyTime decided_at_{};
  base::SteadyTime began_at_{};
  base::SteadyTime used_at_{};
  bool decided_ = false;
  bool told_ = false;  // a visit has opened the session
  bool set_cookie_ = false;
};

}  // namespace gatebook::proxy
