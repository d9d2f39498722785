#include "proxy/client_session.h"

namespace gatebook::proxy {
namespace {

using base::Metric;

// A session decision holds for so long before the cookie is looked at again.
constexpr std::chrono::seconds kDecisionHolds{60};
constexpr size_t kMostRememberedCookie = 4096;

// The Cookie field with our cookie in it, else any. RFC 6265 §5.4 has user agents send one field;
// ours in a second one is no better than ours twice in one, and counts as none.
std::string_view OurCookieField(const http::RequestHead& head, std::string_view name) {
  std::string_view any;
  std::string_view ours;
  for (const http::Field& field : head.fields) {
    if (field.id != http::FieldId::kCookie) continue;
    any = field.value;
    if (!SessionKeeper::Names(field.value, name)) continue;
    if (!ours.empty()) return {};
    ours = field.value;
  }
  return ours.empty() ? any : ours;
}

}  // namespace

VisitSession ClientSession::Decide(const Exchange::Request& request, const ClientFacts& facts,
                                   Generation& generation, const WorkerContext& context) {
  const base::SteadyTime now = context.loop.now();
  const bool in_order = request.refusal == http::Refusal::kCount;
  std::string_view cookie;
  if (in_order && facts.secure) cookie = OurCookieField(*request.head, generation.config.session.cookie);
  // A session that goes on when the policy changes is to hear of it with its next answer.
  const bool holds =
      decided_ && now - decided_at_ < kDecisionHolds && token_.policy == generation.sessions.policy();
  const bool judged = !holds || (!cookie.empty() && cookie != cookie_seen_);
  if (judged) {
    Judge(cookie, facts.secure, generation.sessions, now, context.metrics);
  }
  used_at_ = now;
  VisitSession session{.id = token_.id, .is_new = !std::exchange(told_, true)};
  session.is_shown = continued_ && !cookie.empty() && (judged || cookie == cookie_seen_);
  session.began = base::WallTime(std::chrono::seconds(token_.created));
  session.objected = ObjectionIn(*request.head, generation.config.objection);
  if (session.objected == Objected::kNo && registered_.Holds(context.objections.get(), facts.ip, token_.id)) {
    session.objected = Objected::kRegister;
  }
  return session;
}

void ClientSession::Judge(std::string_view cookie, bool secure, SessionKeeper& keeper, base::SteadyTime now,
                          base::MetricsBlock& metrics) {
  using Verdict = SessionDecision::Verdict;
  const base::WallTime wall = base::Clock::System().WallNow();
  const SessionDecision decision = keeper.Decide(cookie, wall);
  // One notice a session; of a connection that never takes our cookie, one.
  const bool another_session =
      !decided_ || (decision.verdict == Verdict::kContinued && decision.id != token_.id);
  if ((decided_ && token_.policy != keeper.policy()) || (decision.policy_changed && another_session)) {
    policy_notice_ = true;
  }
  continued_ = decision.verdict == Verdict::kContinued;
  const bool outlived = now - began_at_ > keeper.lifetime() || now - used_at_ > keeper.idle();
  if (decision.verdict == Verdict::kContinued) {
    metrics.Add(Metric::kSessionsContinued);
    token_ = decision.token;
    told_ = true;
    began_at_ = now - (std::chrono::floor<std::chrono::seconds>(wall) -
                       std::chrono::sys_seconds(std::chrono::seconds(decision.token.created)));
    set_cookie_ = decision.set_cookie;
  } else if (!decided_ || decision.verdict == Verdict::kStale || outlived) {
    // Without a good cookie the connection keeps the id it has, as long as an id may live.
    metrics.Add(decision.verdict == Verdict::kForged  ? Metric::kSessionsForged
                : decision.verdict == Verdict::kStale ? Metric::kSessionsStale
                                                      : Metric::kSessionsNew);
    token_ = decision.token;
    told_ = false;
    began_at_ = now;
    set_cookie_ = secure;
  }
  token_.policy = keeper.policy();
  decided_ = true;
  decided_at_ = now;
  cookie_seen_.assign(cookie.size() <= kMostRememberedCookie ? cookie : std::string_view());
}

}  // namespace gatebook::proxy
