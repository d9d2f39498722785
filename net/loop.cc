#include "net/loop.h"

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace gatebook::net {

using namespace std::chrono_literals;

Loop::Loop() : now_(base::Clock::System().SteadyNow()), timers_(now_) {
  event_config* config = event_config_new();
  CHECK(config != nullptr);
  // Edge-triggered descriptors are the rule here (net/socket_event.h); precise
  // timers are not needed, the wheel ticks anyway.
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE);
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  base_ = event_base_new_with_config(config);
  event_config_free(config);
  CHECK(base_ != nullptr);
  post_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  CHECK(post_fd_ >= 0);
  posted_event_ = event_new(base_, post_fd_, EV_READ | EV_PERSIST, &Loop::OnPosted, this);
  tick_event_ = event_new(base_, -1, EV_TIMEOUT, &Loop::OnTick, this);
  CHECK(posted_event_ != nullptr && tick_event_ != nullptr);
  CHECK(event_add(posted_event_, nullptr) == 0);
}

Loop::~Loop() {
  // What is destroyed may dispose of more and post more.
  std::vector<std::function<void()>> unrun;
  do {
    EmptyGraveyard();
    unrun.clear();
    const std::lock_guard lock(mutex_);
    unrun.swap(posted_);
  } while (!unrun.empty() || !graveyard_.empty());
  event_free(posted_event_);
  event_free(tick_event_);
  ::close(post_fd_);
  event_base_free(base_);
}

void Loop::Run() {
  while (!stopping_) RunOnce(true);
}

void Loop::RunOnce(bool may_wait) {
  ++turn_;
  EnterTurn();
  ArmTick();
  const bool wait = may_wait && next_turns_.empty();
  event_base_loop(base_, wait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
  RunNextTurns();
  EmptyGraveyard();
}

void Loop::RunNextTurns() {
  if (next_turns_.empty()) return;
  EnterTurn();
  running_turns_.swap(next_turns_);
  for (size_t i = 0; i < running_turns_.size(); ++i) {
    NextTurn* const turn = running_turns_[i];
    if (turn == nullptr) continue;
    running_turns_[i] = nullptr;
    turn->armed_ = false;
    const auto callback = turn->on_turn_;  // survives the object
    callback();
  }
  running_turns_.clear();
}

NextTurn::~NextTurn() {
  if (!armed_) return;
  for (auto* list : {&loop_.next_turns_, &loop_.running_turns_}) {
    for (NextTurn*& turn : *list) {
      if (turn == this) turn = nullptr;
    }
  }
}

void NextTurn::Arm() {
  if (armed_) return;
  armed_ = true;
  loop_.next_turns_.push_back(this);
}

void Loop::Stop() {
  Post([this] { stopping_ = true; });
}

void Loop::Post(std::function<void()> task) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) {
    const uint64_t one = 1;
    // Fails only when the counter is full, and then the loop is woken already.
    [[maybe_unused]] const ssize_t written = ::write(post_fd_, &one, sizeof one);
  }
}

void Loop::Dispose(std::unique_ptr<Disposable> object) { graveyard_.push_back(std::move(object)); }

void Loop::EnterTurn() { now_ = base::Clock::System().SteadyNow(); }

void Loop::OnPosted(evutil_socket_t fd, short, void* self) {
  uint64_t count;
  [[maybe_unused]] const ssize_t got = ::read(fd, &count, sizeof count);
  static_cast<Loop*>(self)->RunPosted();
}

void Loop::RunPosted() {
  EnterTurn();
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

void Loop::ArmTick() {
  const auto next = timers_.NextTick();
  if (!next || (tick_armed_ && tick_ <= *next)) return;
  // libevent reads a clock that moves every few milliseconds: a tick that came too early would need another.
  constexpr auto kCoarseness = 4ms;
  const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(
      std::max<base::Duration>(*next - now_, 0ms) + kCoarseness);
  const timeval tick{wait.count() / 1'000'000, wait.count() % 1'000'000};
  event_add(tick_event_, &tick);
  tick_ = *next;
  tick_armed_ = true;
}

void Loop::OnTick(evutil_socket_t, short, void* self) {
  auto* loop = static_cast<Loop*>(self);
  loop->tick_armed_ = false;
  loop->EnterTurn();
  loop->timers_.Advance(loop->now_);
}

void Loop::EmptyGraveyard() {
  // Destructors may dispose of more.
  while (!graveyard_.empty()) {
    dying_.swap(graveyard_);
    dying_.clear();
  }
}

}  // namespace gatebook::net
