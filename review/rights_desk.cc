#include "review/rights_desk.h"

#include <atomic>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "logger/redis_client.h"

namespace gatebook::review {
namespace {

using base::Metric;
using Kind = RightsDesk::Answer::Kind;

constexpr size_t kMostSessions = 4096;
// Of the session's beginning as the cookie has it, whole seconds of a clock that may be another edge's.
constexpr std::chrono::minutes kSlack{6};

Metric MetricOf(Kind kind) {
  switch (kind) {
    case Kind::kShown:
      return Metric::kRightsShown;
    case Kind::kErased:
      return Metric::kRightsErased;
    case Kind::kNothing:
      return Metric::kRightsNothing;
    case Kind::kFailed:
      break;
  }
  return Metric::kRightsFailed;
}

}  // namespace

struct RightsDesk::Ticket::State {
  OnAnswer on_answer;  // the loop's thread; empty: cancelled, or answered
  std::atomic<bool> is_cancelled{false};
};

RightsDesk::Ticket::~Ticket() {
  state_->on_answer = nullptr;
  state_->is_cancelled.store(true, std::memory_order_relaxed);
}

RightsDesk::RightsDesk(const config::Config& config, const base::Clock& clock, base::MetricsBlock& metrics)
    : config_(config), clock_(clock), metrics_(metrics) {}

void RightsDesk::Start(logger::ErasureKey key, SubjectRights::TellEdge tell) {
  key_.emplace(key);
  tell_ = std::move(tell);
  open_ = true;
  thread_ = base::StartThread(
      "gb:rights", [this] { Run(); }, base::Niceness::kBehindAll);
}

void RightsDesk::Stop() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    waiting_.clear();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<RightsDesk::Ticket> RightsDesk::Ask(net::Loop& loop, const Question& question,
                                                    const config::Rights& limits, OnAnswer on_answer,
                                                    Refused* refused) {
  const std::lock_guard lock(mutex_);
  if (!IsWithin(limits, question.session)) {
    *refused = Refused::kLimited;
    return nullptr;
  }
  if (!open_ || waiting_.size() >= kMostWaiting) {
    *refused = Refused::kBusy;
    return nullptr;
  }
  auto state = std::make_shared<Ticket::State>();
  state->on_answer = std::move(on_answer);
  waiting_.push_back({question, &loop, state, clock_.SteadyNow()});
  wake_.notify_one();
  *refused = Refused::kNot;
  return std::unique_ptr<Ticket>(new Ticket(std::move(state)));
}

bool RightsDesk::IsWithin(const config::Rights& limits, const logger::SessionId& session) {
  const int64_t now = std::chrono::floor<std::chrono::minutes>(clock_.SteadyNow().time_since_epoch()).count();
  if (now != minute_.number) minute_ = {now, 0, {}};
  if (minute_.all >= limits.per_minute) return false;
  auto of_session = minute_.by_session.find(session.bytes);
  if (of_session == minute_.by_session.end()) {
    if (minute_.by_session.size() >= kMostSessions) return false;
    of_session = minute_.by_session.emplace(session.bytes, 0).first;
  }
  if (of_session->second >= limits.per_session) return false;
  ++of_session->second;
  ++minute_.all;
  return true;
}

void RightsDesk::Run() {
  while (true) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !open_ || !waiting_.empty(); });
      if (!open_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (next.state->is_cancelled.load(std::memory_order_relaxed)) continue;
    Answer answer;
    if (clock_.SteadyNow() - next.since <= kMostWait) answer = Work(next.question);
    const std::lock_guard lock(mutex_);
    metrics_.Add(MetricOf(answer.kind));
    if (!open_) return;
    next.loop->Post([state = std::move(next.state), answer = std::move(answer)]() mutable {
      if (const OnAnswer on_answer = std::exchange(state->on_answer, nullptr)) on_answer(std::move(answer));
    });
  }
}

RightsDesk::Answer RightsDesk::Work(const Question& question) {
  auto client = logger::RedisClient::Connect(config_.redis);
  if (!client) return {};
  SubjectRights rights(config_, **client, clock_, *key_);
  const Subject subject = Subject::OfSession(question.session, question.until, question.began - kSlack);
  const auto failed = [](const base::Error& error) -> Answer {
    if (error.exit_code == base::ExitCode::kNegative) return {Kind::kNothing, {}};
    base::LogWarning("rights", "a visitor's question could not be answered: {}", error.message);
    return {};
  };
  if (question.wish == Wish::kShow) {
    auto text = rights.Export(subject);
    return text ? Answer{Kind::kShown, std::move(text).value()} : failed(text.error());
  }
  // Whoever asks again and again must not make Redis write its files again and again.
  const auto receipt = rights.Erase(subject, {}, tell_, false);
  return receipt ? Answer{Kind::kErased, receipt->ToJson()} : failed(receipt.error());
}

}  // namespace gatebook::review
