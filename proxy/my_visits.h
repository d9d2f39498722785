// MyVisits: /.well-known/gatebook/my-visits, where a visitor sees what is stored of their session (GET), and
// has it erased (DELETE) if rights.self_service allows it.
//
// Only who shows the session's signed cookie in this very request is answered: a connection may carry several
// visitors. DELETE is not taken from other sites' pages. The answer comes later, from the desk
// (review/rights_desk.h): it is the JSON of `gatebook subject export`, or an erasure's receipt.
//
// Thread, Ends: see OwnResource. Borrows: the desk, which outlives all editions.
#pragma once

#include "config/config.h"
#include "proxy/own_resource.h"
#include "review/rights_desk.h"

namespace gatebook::proxy {

inline constexpr std::string_view kMyVisitsPath = "/.well-known/gatebook/my-visits";

class MyVisits final : public OwnResource {
 public:
  MyVisits(const config::Rights& rights, review::RightsDesk& desk) : rights_(rights), desk_(desk) {}

  std::string_view allow() const override {
    return rights_.self_service == config::SelfService::kErase ? "GET, HEAD, DELETE" : "GET, HEAD";
  }
  OwnReply Answer(const OwnRequest& request) const override;

 private:
  const config::Rights rights_;
  review::RightsDesk& desk_;
};

}  // namespace gatebook::proxy
