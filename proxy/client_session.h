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
#include "proxy/exchange.h"
#include "proxy/session.h"
#include "proxy/visit_book.h"

namespace gatebook::proxy {

class ClientSession {
 public:
  // Also says whether the visitor has objected. Of a refused request no cookie is read; elsewhere than over
  // TLS a Secure cookie can neither come nor be set.
  VisitSession Decide(const Exchange::Request& request, const ClientFacts& facts, Generation& generation,
                      const WorkerContext& context);

  // Whether this answer is to bring the cookie; the next one is not.
  bool TakeSetCookie() { return std::exchange(set_cookie_, false); }
  const SessionToken& token() const { return token_; }
  // Whether this answer is to tell of a new version of the policy; the next one is not.
  bool TakePolicyNotice() { return std::exchange(policy_notice_, false); }

 private:
  void Judge(std::string_view cookie, bool secure, SessionKeeper& keeper, base::SteadyTime now,
             base::MetricsBlock& metrics);

  SessionToken token_;
  RegisteredObjection registered_;
  std::string cookie_seen_;  // the Cookie value that token_ was decided from
  base::SteadyTime decided_at_{};
  base::SteadyTime began_at_{};
  base::SteadyTime used_at_{};
  bool decided_ = false;
  bool continued_ = false;  // it was, by cookie_seen_
  bool told_ = false;  // a visit has opened the session
  bool set_cookie_ = false;
  bool policy_notice_ = false;
};

}  // namespace gatebook::proxy
