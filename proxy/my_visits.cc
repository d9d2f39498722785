#include "proxy/my_visits.h"

#include <utility>

namespace gatebook::proxy {
namespace {

using http::Refusal;
using review::RightsDesk;
using Kind = RightsDesk::Answer::Kind;
using Wish = RightsDesk::Wish;

constexpr std::string_view kNoVisits =
    "{\n  \"sessions\": [],\n  \"visits\": [],\n  \"waiting_in_journal\": []\n}\n";
constexpr std::string_view kNothingToErase = "{\n  \"error\": \"nothing is stored of this session\"\n}\n";

class Pending final : public OwnPending {
 public:
  explicit Pending(std::unique_ptr<RightsDesk::Ticket> ticket) : ticket_(std::move(ticket)) {}

 private:
  const std::unique_ptr<RightsDesk::Ticket> ticket_;
};

OwnReply Json(int status, std::string body) {
  auto answer = std::make_unique<OwnAnswer>(status, std::string_view());
  answer->Hold(std::move(body));
  answer->Add("Content-Type", "application/json");
  answer->Add("Cache-Control", "no-store");
  answer->Add("X-Content-Type-Options", "nosniff");
  return {std::move(answer)};
}

OwnReply ReplyTo(Wish wish, RightsDesk::Answer answer) {
  switch (answer.kind) {
    case Kind::kShown:
    case Kind::kErased:
      return Json(200, std::move(answer.json));
    case Kind::kNothing:
      return wish == Wish::kShow ? Json(200, std::string(kNoVisits))
                                 : Json(404, std::string(kNothingToErase));
    case Kind::kFailed:
      break;
  }
  return {nullptr, Refusal::kRightsUnavailable};
}

}  // namespace

OwnReply MyVisits::Answer(const OwnRequest& request) const {
  if (!request.session.is_shown) return {nullptr, Refusal::kNoSessionShown};
  const Wish wish = request.head.method_text == "DELETE" ? Wish::kErase : Wish::kShow;
  if (wish == Wish::kErase && !IsFromOwnPage(request.head, request.secure))
    return {nullptr, Refusal::kOtherSite};
  RightsDesk::Refused refused = RightsDesk::Refused::kNot;
  auto ticket = desk_.Ask(
      request.loop, {wish, request.session.id, request.session.began, request.arrival}, rights_,
      [wish, on_late = request.on_late](RightsDesk::Answer answer) {
        on_late(ReplyTo(wish, std::move(answer)));
      },
      &refused);
  if (refused == RightsDesk::Refused::kLimited) return {nullptr, Refusal::kRightsLimited};
  if (!ticket) return {nullptr, Refusal::kRightsUnavailable};
  OwnReply reply;
  reply.pending = std::make_unique<Pending>(std::move(ticket));
  return reply;
}

}  // namespace gatebook::proxy
