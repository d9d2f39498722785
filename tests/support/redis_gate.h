// RedisGate: stands between gatebook and a Redis, and spoils what passes.
//
// A Unix socket of its own; every connection to it gets one to Redis. It can cut a
// connection after an exact number of bytes, split everything into single bytes,
// hold each piece back for a while, or take replies and never pass them on.
//
// Thread: its own, which carries; the functions below from the test's.
// Ends: closes all connections and joins.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

class RedisGate {
 public:
  enum class Way { kOpen, kSingleBytes, kSlow, kSwallowReplies };
  // What kSlow holds every piece back.
  static constexpr std::chrono::milliseconds kSlowness{50};

  explicit RedisGate(std::string redis_socket);
  ~RedisGate();
  RedisGate(const RedisGate&) = delete;
  RedisGate& operator=(const RedisGate&) = delete;

  // For the config.
  std::string url() const { return "unix://" + socket_; }

  void Be(Way way) { way_ = way; }
  // The connection that is there, and those that come, are cut one by one: each after so many more bytes
  // towards Redis (or back) as the list says next. When it is used up, nothing is cut any more.
  void CutRequestsAfter(std::vector<size_t> bytes);
  void CutRepliesAfter(std::vector<size_t> bytes);
  // Cuts that are still to come.
  size_t cuts_left() const;
  // Connections that came so far.
  size_t connections() const { return connections_; }

 private:
  struct Direction {
    int from, to;
    std::deque<size_t>* cuts;  // of all connections
    size_t passed = 0;
  };
  struct Link {
    base::UniqueFd edge, redis;
    Direction requests, replies;
  };
  void Carry();
  void ComeIn();
  // False: the connection is over.
  bool PassOn(Direction& direction);
  bool Send(int to, std::string_view bytes);

  TempDirectory directory_;
  const std::string socket_;
  const std::string redis_socket_;
  base::UniqueFd listener_, stop_;
  std::atomic<Way> way_ = Way::kOpen;
  std::atomic<size_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::deque<size_t> request_cuts_, reply_cuts_;
  std::vector<std::unique_ptr<Link>> links_;
  std::thread thread_;
};

}  // namespace gatebook::support
