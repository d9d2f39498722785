// RedisClient: Redis that is waited for: for the commands, and for tests.
//
// The same connections as the recorder's (logger/redis_connection.h), on a loop of its own that turns while
// somebody waits. With sentinels it finds the master, in a Cluster each key's node: a command goes to the
// master of the slot of its second word, and follows -MOVED and -ASK.
//
// Thread: one, which it blocks. Owns: the loop and the connections. Ends: destroying closes.
// Limits: connect_timeout and reply_timeout of the config; 64 MiB a reply; 16 redirections a command.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "logger/redis_connection.h"
#include "logger/redis_locator.h"
#include "logger/redis_reply.h"
#include "net/loop.h"

namespace gatebook::logger {

class RedisClient final : private RedisLocator::Handler {
 public:
  // Finds the servers, connects and greets. Errors name the server and carry ExitCode::kUnavailable.
  static base::Result<std::unique_ptr<RedisClient>> Connect(const config::Redis& config);
  ~RedisClient();

  // One command and its reply, valid until the next Receive() or Command(). An error
  // reply is a reply here; an Error is a broken connection, after which nothing works.
  base::Result<const RedisReply*> Command(std::initializer_list<std::string_view> words);

  // Pipelining: as many Receive() as Append().
  void Append(std::initializer_list<std::string_view> words);
  base::Result<const RedisReply*> Receive();

  // For what is asked of servers and not of keys (SCAN, INFO): how many masters there are, one if it is no
  // Cluster, and a command to one of them. Requires: every Append() has had its Receive().
  size_t masters() const { return slots_.servers().size(); }
  base::Result<const RedisReply*> CommandAt(size_t master, std::initializer_list<std::string_view> words);

 private:
  struct Node final : RedisConnection::Handler {
    Node(RedisClient& client, const config::Endpoint& server);
    void OnRedisConnected() override { connected = true; }
    void OnRedisReadable() override {}
    void OnRedisClosed(const RedisFailure& why) override { failure = why; }

    const config::Endpoint server;
    RedisConnection connection;
    std::string output;  // until connected
    size_t unsent = 0;   // replies that it will bring
    bool connected = false;
    std::optional<RedisFailure> failure;
  };
  struct Pending {
    Node* node;  // null: nobody holds the slot
    std::string command;
  };

  explicit RedisClient(const config::Redis& config);
  void OnRedisLocated(RedisSlots slots) override;
  void OnRedisNotLocated(const RedisFailure& failure) override { not_located_ = failure; }

  base::Status Open();
  Node& NodeOf(std::vector<std::unique_ptr<Node>>& nodes, const config::Endpoint& server);
  void Send(Node& node);
  base::Result<const RedisReply*> Await(Node& node);
  base::Result<const RedisReply*> Follow(const RedisReply& error, const Pending& command,
                                         const config::Endpoint& from);
  base::Error Broken(std::string_view what) const;

  const config::Redis config_;
  net::Loop loop_;
  RedisLocator locator_;
  std::optional<RedisFailure> not_located_;
  bool located_ = false;
  RedisSlots slots_;
  std::vector<std::unique_ptr<Node>> nodes_;
  // Where redirected commands go, one at a time: among those of nodes_ they would be out of order.
  std::vector<std::unique_ptr<Node>> detours_;
  std::deque<Pending> pending_;
  net::Timer patience_;
  bool out_of_patience_ = false;
};

}  // namespace gatebook::logger
