// Loop: one thread's event loop, on libevent.
//
// Thread: made anywhere, run by one thread; everything but Post() and Stop()
//   belongs to that thread (or to any one thread while the loop is not running).
// Owns: the libevent base, deferred deletions, the posts queue, the timer wheel.
// Ends: destroying requires that Run() has returned; disposed objects and
//   unrun posts are destroyed with it.
// Limits: timers tick every 20 ms, and only when one may be due, so that a loop with nothing to do sleeps; a
//   deadline is met up to two ticks late, never early.
#pragma once

#include <event2/util.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "net/next_turn.h"
#include "net/timer_wheel.h"

struct event;
struct event_base;

namespace gatebook::net {

// What can be handed to Loop::Dispose.
class Disposable {
 public:
  virtual ~Disposable() = default;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until Stop().
  void Run();
  // One turn; `may_wait` false: only what is ready now. For tests.
  void RunOnce(bool may_wait);

  // Any thread: ends Run() after the current turn.
  void Stop();
  // Any thread: runs `task` on the loop's thread, in order, in a later turn.
  void Post(std::function<void()> task);

  // Destroys `object` after the callbacks of this turn have returned.
  void Dispose(std::unique_ptr<Disposable> object);

  // The steady time at which this turn began.
  base::SteadyTime now() const { return now_; }
  // Counts how often the kernel was asked what is ready: within one number nothing new is learned.
  uint64_t turn() const { return turn_; }

  // `timer` must live (or be cancelled) until it fires; a Timer cancels itself when destroyed.
  TimerWheel& timers() { return timers_; }

  // For wrappers of descriptors (net/socket_event.h, net/signal.h).
  event_base* base() { return base_; }
  // Called by wrappers as the first thing of every libevent callback.
  void EnterTurn();

 private:
  friend class NextTurn;
  static void OnPosted(evutil_socket_t fd, short what, void* self);
  static void OnTick(evutil_socket_t fd, short what, void* self);
  void RunPosted();
  void ArmTick();
  void RunNextTurns();
  void EmptyGraveyard();

  event_base* base_ = nullptr;
  event* posted_event_ = nullptr;
  event* tick_event_ = nullptr;
  int post_fd_ = -1;
  bool tick_armed_ = false;
  base::SteadyTime tick_{};  // if armed: when
  bool stopping_ = false;
  base::SteadyTime now_;
  uint64_t turn_ = 0;
  TimerWheel timers_;
  std::vector<NextTurn*> next_turns_;     // null: cancelled
  std::vector<NextTurn*> running_turns_;  // likewise; those of this turn
  std::vector<std::unique_ptr<Disposable>> graveyard_;
  std::vector<std::unique_ptr<Disposable>> dying_;  // empty but while they die
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace gatebook::net
