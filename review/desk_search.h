// DeskSearch: answers one question of a reader from Redis.
//
// A long range is read window by window, so that a reader sees how far it is, gets what there is when time
// runs out (marked "partial"), and can leave. Pages with the newest first are read backwards.
//
// What is shown is discreet (review/discreet.h) unless the question says otherwise.
//
// Thread: one, which it blocks. Borrows: config, clock. Owns: a connection to Redis.
// Limits: kMostTime a question; the visits of one page or export in memory.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "logger/redis_client.h"
#include "review/desk_http.h"
#include "review/desk_question.h"
#include "review/visits.h"

namespace gatebook::review {

class DeskSearch {
 public:
  static constexpr std::chrono::seconds kMostTime{30};

  // `is_over`: nobody waits for the answer any more.
  DeskSearch(const config::Config& config, const base::Clock& clock, std::function<bool()> is_over);
  ~DeskSearch();

  // One answer, whole or in pieces. False: it could not be given, and that was said.
  bool Answer(const DeskQuestion& question, const DeskReply& reply);

 private:
  // What is read of a window; false: no more is wanted of it.
  using Window = std::function<base::Status(const VisitsWanted& window)>;

  bool IsLate() const;
  // Each calls with windows of the question's range until it says so, fails, or time is up: then `is_partial`
  // is set.
  base::Status Forwards(const VisitsWanted& wanted, const Window& read, const bool& enough, bool* is_partial);
  base::Status Backwards(const VisitsWanted& wanted, const Window& read, const bool& enough,
                         bool* is_partial);

  struct Page;
  base::Result<Page> ReadPage(const DeskQuestion& question);
  base::Status AnswerFigures(const DeskQuestion& question, const DeskReply& reply);
  base::Result<DeskAnswer> AnswerVisits(const DeskQuestion& question);
  base::Result<DeskAnswer> AnswerStory(const DeskQuestion& question);
  base::Result<DeskAnswer> AnswerExport(const DeskQuestion& question);

  const config::Config& config_;
  const base::Clock& clock_;
  const std::function<bool()> is_over_;
  const base::SteadyTime deadline_;
  std::unique_ptr<logger::RedisClient> client_;
};

}  // namespace gatebook::review
