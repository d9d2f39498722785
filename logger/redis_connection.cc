#include "logger/redis_connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "logger/redis_command.h"
#include "logger/redis_endpoint.h"

namespace gatebook::logger {
namespace {

constexpr size_t kMostReplyBytes = 1 << 20;

}  // namespace

RedisConnection::RedisConnection(net::Loop& loop, const config::Redis& config, Handler& handler)
    : loop_(loop), config_(config), handler_(handler), event_(loop, *this), reader_(kMostReplyBytes) {}

RedisConnection::~RedisConnection() { Close(); }

void RedisConnection::Connect() {
  CHECK(state_ == State::kIdle);
  ++generation_;
  reader_.Reset();
  output_.clear();
  written_ = 0;
  owed_ = 0;
  writable_ = false;
  deadline_.SetCallback([this] { Fail("no answer within connect_timeout"); });
  deadline_.Arm(loop_.timers(), loop_.now() + config_.connect_timeout);
  if (config_.server.kind == config::Endpoint::Kind::kHostname && !config_.tls) return Resolve();
  const auto address = AddressOfRedis(config_);
  if (!address) return FailLater(address.error().message);
  Open(*address);
}

void RedisConnection::Resolve() {
  state_ = State::kResolving;
  if (resolver_ == nullptr) {
    auto made = net::Resolver::Make(loop_, {.servers = {}, .timeout = config_.connect_timeout});
    if (!made) return FailLater(made.error().message);
    resolver_ = std::move(*made);
  }
  query_ = resolver_->ResolveAddresses(config_.server.hostname, [this](const net::DnsAnswer& answer) {
    if (answer.addresses.empty()) return Fail("the host name has no address, or DNS does not say");
    const size_t choice = attempts_++ % answer.addresses.size();
    Open(net::SocketAddress::FromIp(answer.addresses[choice], config_.server.port));
  });
}

void RedisConnection::Open(const net::SocketAddress& address) {
  state_ = State::kConnecting;
  auto opened = BeginRedisConnect(address);
  if (!opened) return FailLater(opened.error().message);
  fd_ = std::move(*opened);
  if (!event_.Watch(fd_.get())) return FailLater("the kernel watches no more descriptors");
}

void RedisConnection::Close() {
  ++generation_;
  state_ = State::kIdle;
  deadline_.Cancel();
  query_.reset();
  event_.Stop();
  fd_.Reset();
}

void RedisConnection::Send(size_t replies) {
  CHECK(state_ == State::kReady || state_ == State::kGreeting);
  if (owed_ == 0 && replies != 0 && state_ == State::kReady) {
    deadline_.Arm(loop_.timers(), loop_.now() + config_.reply_timeout);
  }
  owed_ += replies;
  // A failing write is not reported from here: the loop tells of it by OnReady().
  Write();
}

void RedisConnection::OnReady(bool readable, bool writable) {
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return Fail(std::strerror(error));
    if (!writable) return;
    writable_ = true;
    Greet();
  } else if (writable) {
    writable_ = true;
    if (!Write()) return Fail(std::strerror(errno));
  }
  // The edge comes once: what became readable together with the connect is read now.
  if (readable && state_ != State::kIdle) Read();
}

void RedisConnection::Greet() {
  state_ = State::kGreeting;
  auto password = ReadRedisPassword(config_);
  if (!password) return Fail(password.error().message);
  greetings_ = AppendRedisGreeting(output_, config_, *password);
  Send(greetings_);
}

bool RedisConnection::Write() {
  while (writable_ && written_ < output_.size()) {
    const ssize_t sent =
        ::send(fd_.get(), output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      written_ += static_cast<size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      writable_ = false;
    } else if (errno != EINTR) {
      writable_ = false;
      return false;
    }
  }
  if (written_ == output_.size()) {
    output_.clear();
    written_ = 0;
  }
  return true;
}

void RedisConnection::Read() {
  const uint64_t generation = generation_;
  char buffer[32 * 1024];
  while (true) {
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0) return Fail("Redis closed the connection");
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      return Fail(std::strerror(errno));
    }
    if (!reader_.Feed({buffer, static_cast<size_t>(got)})) return Fail(reader_.error());
    while (const RedisReply* reply = reader_.Next()) {
      if (owed_ == 0) return Fail("a reply that nobody asked for");
      --owed_;
      if (state_ == State::kGreeting) {
        OnGreetingReply(*reply);
      } else {
        if (owed_ == 0) {
          deadline_.Cancel();
        } else {
          deadline_.Arm(loop_.timers(), loop_.now() + config_.reply_timeout);
        }
        handler_.OnRedisReply(*reply);
      }
      if (generation != generation_) return;  // closed, and perhaps begun anew
    }
    if (!reader_.error().empty()) return Fail("unreadable reply: " + reader_.error());
  }
}

void RedisConnection::OnGreetingReply(const RedisReply& reply) {
  if (reply.IsError()) return Fail(std::string(reply.text));
  if (--greetings_ != 0) return;
  state_ = State::kReady;
  deadline_.Cancel();
  deadline_.SetCallback([this] { Fail("no answer within reply_timeout"); });
  handler_.OnRedisConnected();
}

void RedisConnection::Fail(std::string reason) {
  Close();
  handler_.OnRedisClosed(reason);
}

void RedisConnection::FailLater(std::string reason) {
  // A deadline that is already met: runs in a later turn, and is cancelled by Close().
  deadline_.SetCallback([this, reason = std::move(reason)] { Fail(reason); });
  deadline_.Arm(loop_.timers(), loop_.now());
}

}  // namespace gatebook::logger
