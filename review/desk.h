// Desk: the pages and the JSON behind them for people who look at visits (docs/desk.md).
//
// Requests come from the admin listener on the main loop. What is known at once (who asks, the page's own
// files) is answered at once; what needs Redis, the audit log or a slow digest goes to threads of the desk's
// own: one for questions, one for logins, one that follows new visits (review/live_feed.h). Nothing of it
// waits on the main loop, nor on a worker.
//
// Viewers see visits discreetly. An investigator may reveal one question's answer, with a reason: the line of
// the audit log is on the disk first, else nothing is shown.
//
// Thread: the main loop's. Owns: threads, logins. Borrows: clock, metrics (written on the main loop), loop.
// Ends: Stop gives up what waits and waits for what is under way, a second or so; before the loop ends.
// Limits: kMostWaiting questions and as many logins; 30 s a question; 16 live streams.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "net/loop.h"
#include "review/desk_access.h"
#include "review/desk_http.h"
#include "review/desk_question.h"
#include "review/desk_thread.h"
#include "review/live_feed.h"

namespace gatebook::review {

class Desk {
 public:
  static constexpr size_t kMostWaiting = 16;

  struct Parts {
    net::Loop& loop;
    const base::Clock& clock;
    base::MetricsBlock& metrics;
    std::function<std::string()> status;  // the JSON of /status
  };
  Desk(Parts parts, std::shared_ptr<const config::Config> config, std::shared_ptr<const DeskReaders> readers);
  ~Desk() { Stop(); }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void Start();
  void Stop();
  // From now on; Redis stays as it was.
  void TakeOver(std::shared_ptr<const config::Config> config, std::shared_ptr<const DeskReaders> readers);

  // Answers by `reply`, never before it has returned.
  void Ask(DeskRequest request, DeskReply reply);

 private:
  void Answer(const DeskReply& reply, DeskAnswer answer);
  void AskApi(const DeskRequest& request, DeskReply reply);
  DeskAnswer AboutReader(const DeskIdentity& identity) const;
  void LogIn(const DeskRequest& request, DeskReply reply);
  void Reveal(const DeskRequest& request, const DeskIdentity& identity, DeskReply reply);
  void Search(base::Result<DeskQuestion> question,
              std::optional<std::pair<DeskIdentity, std::string>> audited, DeskReply reply);
  void Look(const DeskRequest& request, const DeskIdentity& identity, DeskReply reply);
  void OnSecond();
  // Counts on the main loop.
  void Count(const DeskReply& reply, base::Metric metric);

  Parts parts_;
  std::shared_ptr<const config::Config> config_;
  DeskAccess access_;
  DeskThread questions_{kMostWaiting};
  DeskThread logins_{kMostWaiting};
  LiveFeed live_;
  net::Timer every_second_;
};

}  // namespace gatebook::review
