// RedisServer: a real redis-server of a test's own, on a Unix socket in a temporary directory.
//
// Its data outlive Stop(), so that a test may start it again with what was on its disk.
// Owns: the directory and the process. Ends: kills it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "logger/redis_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_directory.h"

namespace gatebook::support {

class RedisServer {
 public:
  // `arguments` are added to redis-server's command line, for instance {"--appendonly", "yes"}.
  // `environment` ("NAME=value") to its environment. Returns when it answers.
  explicit RedisServer(std::vector<std::string> arguments = {}, std::vector<std::string> environment = {});

  // [redis] for it; url() is the same as text.
  config::Redis Config() const;
  std::string url() const { return "unix://" + socket_; }
  const std::string& socket() const { return socket_; }
  const std::string& directory() const { return directory_.path(); }

  // Ends it: kill -9, or in good order.
  void Kill();
  void Stop();
  // Starts it again over the same directory.
  void Start();
  // Stops it where it stands (SIGSTOP) and lets it go on (SIGCONT).
  void Freeze();
  void Thaw();

  // One command over a connection of its own, the reply as text: strings and numbers bare,
  // "(nil)", "(error) …", an array's elements each on a line.
  std::string Ask(std::initializer_list<std::string_view> words);

 private:
  TempDirectory directory_;
  std::string socket_;
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::unique_ptr<Process> process_;
};

std::string ToText(const logger::RedisReply& reply);

}  // namespace gatebook::support
