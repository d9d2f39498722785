#include "logger/redis_client.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "logger/redis_endpoint.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostReplyBytes = 64 << 20;

using SteadyClock = std::chrono::steady_clock;

}  // namespace

RedisClient::RedisClient(const config::Redis& config, base::UniqueFd fd)
    : name_(RedisName(config)),
      reply_timeout_(config.reply_timeout),
      fd_(std::move(fd)),
      reader_(kMostReplyBytes) {}

base::Result<std::unique_ptr<RedisClient>> RedisClient::Connect(const config::Redis& config) {
  base::Error last{fmt::format("Redis at {}: ", RedisName(config)), base::ExitCode::kUnavailable};
  const auto addresses = ResolveRedis(config);
  if (!addresses) {
    last.message += addresses.error().message;
    return last;
  }
  const std::string prefix = last.message;
  for (const net::SocketAddress& address : *addresses) {
    auto fd = BeginRedisConnect(address);
    if (!fd) {
      last.message = prefix + fd.error().message;
      continue;
    }
    std::unique_ptr<RedisClient> client(new RedisClient(config, std::move(*fd)));
    const auto greeted = client->Greet(config);
    if (greeted.ok()) return client;
    last = greeted.error();
  }
  return last;
}

base::Status RedisClient::Greet(const config::Redis& config) {
  if (auto ready = Await(POLLOUT, SteadyClock::now() + config.connect_timeout); !ready) return ready;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Broken(std::strerror(error));
  const auto password = ReadRedisPassword(config);
  if (!password) return Broken(password.error().message);
  for (size_t owed = AppendRedisGreeting(output_, config, *password); owed > 0; --owed) {
    const auto reply = Receive();
    if (!reply) return reply.error();
    if ((*reply)->IsError()) return Broken((*reply)->text);
  }
  return {};
}

void RedisClient::Append(std::initializer_list<std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int length =
      redisFormatCommandArgv(&command, static_cast<int>(texts.size()), texts.data(), sizes.data());
  CHECK(length > 0);
  output_.append(command, static_cast<size_t>(length));
  redisFreeCommand(command);
}

base::Result<const RedisReply*> RedisClient::Command(std::initializer_list<std::string_view> words) {
  Append(words);
  return Receive();
}

base::Result<const RedisReply*> RedisClient::Receive() {
  if (!fd_.IsValid()) return Broken("the connection is closed");
  const auto deadline = SteadyClock::now() + reply_timeout_;
  if (auto flushed = Flush(); !flushed) return flushed.error();
  char buffer[64 * 1024];
  while (true) {
    if (const RedisReply* reply = reader_.Next()) return reply;
    if (!reader_.error().empty()) return Broken(reader_.error());
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      if (!reader_.Feed({buffer, static_cast<size_t>(got)})) return Broken(reader_.error());
    } else if (got == 0) {
      return Broken("it closed the connection");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto ready = Await(POLLIN, deadline); !ready) return ready.error();
    } else if (errno != EINTR) {
      return Broken(std::strerror(errno));
    }
  }
}

base::Status RedisClient::Flush() {
  const auto deadline = SteadyClock::now() + reply_timeout_;
  size_t sent = 0;
  while (sent < output_.size()) {
    const ssize_t wrote =
        ::send(fd_.get(), output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote >= 0) {
      sent += static_cast<size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (auto ready = Await(POLLOUT, deadline); !ready) return ready;
    } else if (errno != EINTR) {
      return Broken(std::strerror(errno));
    }
  }
  output_.clear();
  return {};
}

base::Status RedisClient::Await(short events, SteadyClock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return Broken("no answer in time");
    pollfd one{fd_.get(), events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return Broken(std::strerror(errno));
  }
}

base::Error RedisClient::Broken(std::string_view what) const {
  return base::Error{fmt::format("Redis at {}: {}", name_, what), base::ExitCode::kUnavailable};
}

}  // namespace gatebook::logger
