// Progress: says on standard error how far a long reading is, if somebody sits there.
//
// Thread: one. Borrows: the clock. Ends: takes its line away.
#pragma once

#include "base/clock.h"

namespace gatebook::review {

class Progress {
 public:
  explicit Progress(const base::Clock& clock);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // 0 to 1; four times a second is enough for people.
  void Show(double share);
  void Clear();

 private:
  const base::Clock& clock_;
  const bool shown_to_somebody_;
  base::SteadyTime due_;
  bool visible_ = false;
};

}  // namespace gatebook::review
