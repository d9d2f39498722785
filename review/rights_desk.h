// RightsDesk: answers visitors who ask for what is stored of their own session, or to have it erased.
//
// Who asks is on a worker's loop and must not wait for Redis: the question goes to the desk's thread, which
// does the work of `gatebook subject` (review/subject.h) for one question after the other, at a low priority,
// and posts the answer to the loop. A question whose asker has gone is not begun.
//
// Questions cost more than pages: so many a minute of one session (rights.per_session) and of all together
// (rights.per_minute) are taken, and what waits for longer than kMostWait is given up.
//
// Thread: Ask: any loop's thread; the rest by the one that owns it. Borrows: config, clock, metrics.
// Owns: its thread, a connection to Redis while it is used.
// Ends: Stop gives up what waits (without an answer) and waits for what is being asked of Redis. Before the
//   loops end.
// Limits: kMostWaiting questions; 4,096 sessions are told apart in a minute.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "logger/erasures.h"
#include "net/loop.h"
#include "review/subject.h"

namespace gatebook::review {

class RightsDesk {
 public:
  static constexpr size_t kMostWaiting = 32;
  static constexpr std::chrono::seconds kMostWait{10};

  enum class Wish : uint8_t { kShow, kErase };
  struct Question {
    Wish wish = Wish::kShow;
    logger::SessionId session;
    base::WallTime began{};  // the session did not exist before
    base::WallTime until{};  // the arrival of the request itself, which is not meant
  };
  struct Answer {
    enum class Kind : uint8_t { kShown, kErased, kNothing, kFailed };
    Kind kind = Kind::kFailed;
    std::string json;  // with its end
  };
  // On the loop's thread, once, never before Ask has returned.
  using OnAnswer = std::function<void(Answer)>;

  // A question under way. Destroying it on the loop's thread cancels it.
  class Ticket {
   public:
    ~Ticket();

   private:
    friend class RightsDesk;
    struct State;
    explicit Ticket(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };
  enum class Refused : uint8_t { kNot, kLimited, kBusy };

  RightsDesk(const config::Config& config, const base::Clock& clock, base::MetricsBlock& metrics);
  ~RightsDesk() { Stop(); }
  RightsDesk(const RightsDesk&) = delete;
  RightsDesk& operator=(const RightsDesk&) = delete;

  // Before it: everything is refused as busy.
  void Start(logger::ErasureKey key, SubjectRights::TellEdge tell);
  void Stop();

  // Null, and `refused` says why. `limits`: of the config in force.
  std::unique_ptr<Ticket> Ask(net::Loop& loop, const Question& question, const config::Rights& limits,
                              OnAnswer on_answer, Refused* refused);

 private:
  struct Waiting {
    Question question;
    net::Loop* loop = nullptr;
    std::shared_ptr<Ticket::State> state;
    base::SteadyTime since{};
  };
  // A minute's questions.
  struct Minute {
    int64_t number = 0;
    uint32_t all = 0;
    std::map<std::array<uint8_t, 16>, uint32_t> by_session;
  };
  void Run();
  Answer Work(const Question& question);
  bool IsWithin(const config::Rights& limits, const logger::SessionId& session);

  const config::Config& config_;
  const base::Clock& clock_;
  base::MetricsBlock& metrics_;  // written under mutex_
  std::optional<logger::ErasureKey> key_;
  SubjectRights::TellEdge tell_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;  // guarded by mutex_, as those below
  Minute minute_;
  bool open_ = false;
};

}  // namespace gatebook::review
