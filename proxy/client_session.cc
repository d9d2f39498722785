// The part of ClientConnection that decides whose session a request belongs to.

#include "proxy/client_connection.h"

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

VisitSession ClientConnection::DecideSession(const http::RequestHead* head) {
  const base::SteadyTime now = context_.loop.now();
  std::string_view cookie;
  if (head != nullptr && facts_.tls_version != 0) {
    cookie = OurCookieField(*head, context_.config.session.cookie);
  }
  const bool holds = session_decided_ && now - session_decided_at_ < kDecisionHolds;
  if (!holds || (!cookie.empty() && cookie != cookie_seen_)) JudgeSession(cookie, now);
  session_used_at_ = now;
  const VisitSession session{session_.id, !session_told_};
  session_told_ = true;
  return session;
}

void ClientConnection::JudgeSession(std::string_view cookie, base::SteadyTime now) {
  using Verdict = SessionDecision::Verdict;
  const SessionDecision decision = context_.sessions.Decide(cookie, base::Clock::System().WallNow());
  const bool outlived = now - session_began_at_ > context_.config.session.lifetime ||
                        now - session_used_at_ > context_.config.session.idle;
  if (decision.verdict == Verdict::kContinued) {
    context_.metrics.Add(Metric::kSessionsContinued);
    session_ = decision.token;
    session_told_ = true;
    session_began_at_ = now - (std::chrono::floor<std::chrono::seconds>(base::Clock::System().WallNow()) -
                               std::chrono::sys_seconds(std::chrono::seconds(decision.token.created)));
    set_cookie_ = decision.set_cookie;
  } else if (!session_decided_ || decision.verdict == Verdict::kStale || outlived) {
    // Without a good cookie the connection keeps the id it has, as long as an id may live.
    context_.metrics.Add(decision.verdict == Verdict::kForged  ? Metric::kSessionsForged
                         : decision.verdict == Verdict::kStale ? Metric::kSessionsStale
                                                               : Metric::kSessionsNew);
    session_ = decision.token;
    session_told_ = false;
    session_began_at_ = now;
    set_cookie_ = facts_.tls_version != 0;
  }
  session_decided_ = true;
  session_decided_at_ = now;
  cookie_seen_.assign(cookie.size() <= kMostRememberedCookie ? cookie : std::string_view());
}

}  // namespace gatebook::proxy
