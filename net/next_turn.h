// NextTurn: go on after everyone else had their turn.
//
// For work that could go on for long without ever blocking (a fast upload from a fast
// client): do a share, Arm(), return. The loop looks at its descriptors once without
// waiting and then calls back.
//
// Thread: the loop's. Ends: destroying it cancels. The callback runs at most once an
// arming, never inside Arm(), and may destroy the object.
#pragma once

#include <functional>

namespace gatebook::net {

class Loop;

class NextTurn {
 public:
  NextTurn(Loop& loop, std::function<void()> on_turn) : loop_(loop), on_turn_(std::move(on_turn)) {}
  ~NextTurn();
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;

  void Arm();

 private:
  friend class Loop;
  Loop& loop_;
  std::function<void()> on_turn_;
  bool armed_ = false;
};

}  // namespace gatebook::net
