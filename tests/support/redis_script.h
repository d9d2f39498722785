// RedisScript: a Redis of a test's imagination: answers commands on a loopback port with what a script says.
//
// For what a real redis-server does only in rare moments (or never). Every connection is served by a thread
// of its own.
//
// Thread: the script is called by many threads, one call at a time. Ends: closes all and joins.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "config/config.h"

namespace gatebook::support {

class RedisScript {
 public:
  using Command = std::vector<std::string>;
  // The bytes of the answer; kHangUp: the connection is closed.
  using Answer = std::function<std::string(const Command& command)>;
  static constexpr const char* kHangUp = "(hang up)";

  // `split`: bytes a write; 0: an answer is written at once.
  explicit RedisScript(Answer answer, size_t split = 0);
  ~RedisScript();
  RedisScript(const RedisScript&) = delete;
  RedisScript& operator=(const RedisScript&) = delete;

  config::Endpoint server() const;
  uint16_t port() const { return port_; }
  size_t connections() const { return connections_; }
  // All commands so far, words joined by spaces.
  std::vector<std::string> heard() const;

 private:
  void Accept();
  void Serve(int fd);

  const Answer answer_;
  const size_t split_;
  base::UniqueFd listener_;
  uint16_t port_ = 0;
  std::atomic<size_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;        // guarded by mutex_
  std::vector<base::UniqueFd> accepted_;  // guarded by mutex_
  std::vector<std::thread> threads_;      // guarded by mutex_
  std::thread acceptor_;
};

// "$4\r\nword\r\n", and an array of such.
std::string Bulk(const std::string& word);
std::string BulkArray(const std::vector<std::string>& words);

}  // namespace gatebook::support
