// LiveFeed: visits as they are written, to readers who look on.
//
// One thread follows Redis (as `gatebook visits --follow` does) while anybody looks on, and hands each visit
// to those whose query it fits, as server-sent events. People read no faster than some lines a second: beyond
// kMostEvents a second, or for a reader who does not take them, visits are left out and counted ("missed").
// What is shown is discreet.
//
// Thread: Start, Stop, Join and Tend: the main loop's. Owns: its thread, a connection to Redis while it is
// used. Ends: Stop ends the thread. Streams end with their tickets (review/desk_http.h). Limits: kMostStreams
// at once; 64 KiB waiting for each reader.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "review/desk_http.h"
#include "review/query.h"

namespace gatebook::review {

class LiveFeed {
 public:
  static constexpr size_t kMostStreams = 16;
  static constexpr uint32_t kMostEvents = 50;

  LiveFeed(const config::Redis& redis, const base::Clock& clock) : redis_(redis), clock_(clock) {}
  ~LiveFeed() { Stop(); }
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  void Start();
  void Stop();
  // False: as many as may be look on. Else events come by `reply`, whose head has been answered, until
  // `may_look` (the main loop's) says no.
  bool Join(DeskReply reply, std::shared_ptr<const Query> where, std::function<bool()> may_look);
  // Once a second: forgets who has gone or may not look any more, tells the others that the stream lives.
  void Tend();
  size_t streams() const;

 private:
  struct Stream {
    uint64_t number;  // of all that ever were
    DeskReply reply;
    std::shared_ptr<const Query> where;  // null: everything
    std::function<bool()> may_look;
    uint32_t sent = 0;    // since the last Tend()
    uint64_t missed = 0;  // not told yet
    uint32_t seconds = 0;
  };
  void Run();
  void Follow();
  void Give(const logger::StoredVisit& visit);
  void Tell(std::string_view event);

  const config::Redis redis_;
  const base::Clock& clock_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Stream> streams_;    // guarded by mutex_
  uint64_t joined_ = 0;            // likewise
  bool open_ = false;              // likewise
  std::atomic<bool> rests_{true};  // nobody looks on
};

}  // namespace gatebook::review
