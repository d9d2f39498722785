// VisitSweep: one way through the minutes that are to be read, oldest or newest first.
//
// Minutes are read in *strips*: a few streams at first, so that something is shown at once, then twice as
// many each time, up to 256, as long as few entries are found. While a strip's answers are taken, Redis
// already answers for the next one. Of a strip only a page of each stream is asked for at first; where there
// is more, minute after minute is read to its end, so that a flood after a quiet hour is never held as a
// whole.
//
// Thread: one, which it blocks. Borrows: all it is made of. Limits: two strips at a time; a strip grows no
//   further beyond 20,000 entries; holds some 100,000 visits, and the matches of a minute.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "logger/redis_client.h"
#include "review/minutes_to_read.h"
#include "review/visit_stream.h"
#include "review/visits.h"

namespace gatebook::review {

class VisitSweep {
 public:
  VisitSweep(logger::RedisClient& client, const MinutesToRead& minutes, const VisitsWanted& wanted);

  // Hands over what is wanted, by arrival. The client owes nothing when it returns without an error.
  base::Status Run(const VisitSink& sink, const std::function<void(double)>& on_progress);

 private:
  enum class State { kAsked, kHasMore, kDone };
  struct Part {
    VisitStream stream;
    State state = State::kAsked;
  };
  struct Strip {
    std::vector<Part> parts;  // in the order in which their minutes are read
    uint64_t done = 0;        // minutes of the whole way that are behind us when it has been read
  };
  // Asks for the next minutes that may hold something. False: there are none.
  bool Begin();
  // Takes the next answer, whosever it is.
  base::Status TakeAnswer();
  // Reads the strip's minutes to their end. Hands over meanwhile if too much is held.
  base::Status Finish(Strip& strip, const VisitSink& sink);
  base::Status Finish(std::span<Part> minute);
  // Hands over what nothing can come before that is not read: minutes from this step on.
  void HandOver(uint64_t unread, const VisitSink& sink);
  void Keep(const logger::StoredVisit& visit);
  uint64_t MinuteAt(uint64_t step) const;
  uint64_t StepOf(uint64_t minute) const;

  logger::RedisClient& client_;
  const MinutesToRead& minutes_;
  const VisitsWanted& wanted_;
  const uint64_t steps_;  // minutes in all
  uint64_t step_ = 0;     // the next one to begin
  size_t budget_;         // streams of the next strip
  std::deque<Strip> strips_;
  std::deque<Part*> asked_;  // who asked, in the order of the answers
  std::vector<logger::StoredVisit> found_;
  bool enough_ = false;
};

}  // namespace gatebook::review
