// VisitSweep: one way through the minutes that are to be read, oldest or newest first.
//
// Minutes are read in *strips*: a few streams at first, so that something is shown at once, then twice as
// many each time, up to 256, as long as few entries are found. While a strip's answers are taken, Redis
// already answers for the next one.
//
// Thread: one, which it blocks. Borrows: all it is made of. Limits: two strips at a time; a strip grows no
//   further beyond 20,000 entries.
#pragma once

#include <deque>
#include <functional>
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
  struct Strip {
    std::vector<VisitStream> streams;
    size_t unfinished = 0;
    uint64_t done = 0;  // minutes of the whole way that are behind us when it has been read
  };
  // Asks for the next minutes that may hold something. False: there are none.
  bool Begin();
  base::Status TakeFirst();
  // Hands over what nothing unread can come before. False: enough.
  bool HandOver(const Strip& strip, const VisitSink& sink);
  void Keep(const logger::StoredVisit& visit);
  uint64_t MinuteAt(uint64_t step) const;

  logger::RedisClient& client_;
  const MinutesToRead& minutes_;
  const VisitsWanted& wanted_;
  const uint64_t steps_;  // minutes in all
  uint64_t step_ = 0;     // the next one to begin
  size_t budget_;         // streams of the next strip
  std::deque<Strip> strips_;
  // Who asked, in the order of the answers: a strip and a stream of it.
  struct Asked {
    Strip* strip;
    VisitStream* stream;
  };
  std::deque<Asked> asked_;
  std::vector<logger::StoredVisit> found_;
};

}  // namespace gatebook::review
