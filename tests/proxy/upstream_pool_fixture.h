// UpstreamPoolTest: a pool on a loop of its own, with servers on loopback that do what a test says.
//
// In the end nothing may be left open, idle, waiting or borrowed: the destructor sees to that.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "proxy/upstream_attempt.h"
#include "proxy/upstream_names.h"
#include "tests/net/loop_driver.h"

namespace gatebook::proxy {

using base::Metric;
using net::RunReady;
using net::RunUntil;

// A server on a loopback port; whether it listens is up to the test.
class ScriptedServer {
 public:
  explicit ScriptedServer(const std::string& ip = "127.0.0.1", uint16_t port = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    endpoint.ip = *base::IpAddress::Parse(ip);
    const auto address = net::SocketAddress::FromIp(endpoint.ip, port);
    EXPECT_EQ(::bind(fd_.get(), address.get(), address.size()), 0);
    const timeval patience{20, 0};  // accept() too ends then
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    endpoint.port = ntohs(bound.sin_port);
    endpoint.text = ip + ":" + std::to_string(endpoint.port);
  }
  void Listen(int backlog = 64) { ASSERT_EQ(::listen(fd_.get(), backlog), 0); }
  // Packets to it seem to vanish: its queue is full, what comes now is neither accepted nor refused.
  void BeBlackHole() {
    Listen(0);
    const auto address = net::SocketAddress::FromIp(endpoint.ip, endpoint.port);
    for (int i = 0; i < 4; ++i) {
      waiting_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(waiting_.back().get(), address.get(), address.size());
    }
  }
  base::UniqueFd Accept() { return base::UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

  config::Endpoint endpoint;

 private:
  base::UniqueFd fd_;
  std::vector<base::UniqueFd> waiting_;
};

// Whether the server's end sees the client's close.
inline bool IsClosed(const base::UniqueFd& fd) {
  const timeval patience{20, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char byte;
  return ::recv(fd.get(), &byte, 1, 0) == 0;
}

class UpstreamPoolTest : public testing::Test {
 protected:
  UpstreamPoolTest() { config_.upstreams.resize(1); }
  ~UpstreamPoolTest() override {
    pool_.reset();
    RunReady(loop_);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamOpen), 0U);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamIdle), 0U);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamWaiting), 0U);
    EXPECT_EQ(metrics_.Get(Metric::kUpstreamEjected), 0U);
    EXPECT_EQ(buffers_.taken(), 0U);
  }

  UpstreamPool& MakePool(const std::vector<config::Endpoint>& servers) {
    config_.upstreams[0].servers = servers;
    pool_.reset();
    board_ = std::make_unique<HealthBoard>(config_);
    pool_ = std::make_unique<UpstreamPool>(
        UpstreamPool::Parts{loop_, buffers_, metrics_, names_, config_, 0, *board_, tls_});
    return *pool_;
  }

  struct Outcome {
    ServerChoice choice;
    std::unique_ptr<UpstreamConnection> connection;
    std::optional<http::Refusal> refusal;
    int calls = 0;
  };
  std::unique_ptr<UpstreamPool::Attempt> Begin(Outcome& outcome) {
    auto attempt = pool_->Connect(
        outcome.choice,
        [&outcome](UpstreamLease lease) {
          outcome.connection = ConnectionOf(std::move(lease));
          ++outcome.calls;
        },
        [&outcome](http::Refusal refusal) {
          outcome.refusal = refusal;
          ++outcome.calls;
        });
    EXPECT_EQ(outcome.calls, 0);  // always later
    return attempt;
  }
  Outcome Connect() {
    Outcome outcome;
    const auto attempt = Begin(outcome);
    EXPECT_TRUE(RunUntil(loop_, [&] { return outcome.calls > 0; }));
    RunReady(loop_);
    EXPECT_EQ(outcome.calls, 1);
    return outcome;
  }
  // As an exchange that comes for the first time.
  std::unique_ptr<UpstreamConnection> TakeIdle() {
    ServerChoice choice = pool_->Begin(0);
    return ConnectionOf(pool_->TakeIdle(choice));
  }
  static std::unique_ptr<UpstreamConnection> ConnectionOf(UpstreamLease lease) {
    return lease ? static_cast<Http1Upstream&>(*lease).TakeConnection() : nullptr;
  }
  uint64_t idle() const { return metrics_.Get(Metric::kUpstreamIdle); }

  net::Loop loop_;
  base::BufferPool buffers_;
  base::MetricsBlock metrics_;
  config::Config config_;
  UpstreamNames names_;
  std::unique_ptr<HealthBoard> board_;
  UpstreamTls tls_;
  std::unique_ptr<UpstreamPool> pool_;
};

// A server by name.
inline config::Endpoint Named(const std::string& hostname, uint16_t port) {
  config::Endpoint endpoint;
  endpoint.kind = config::Endpoint::Kind::kHostname;
  endpoint.hostname = hostname;
  endpoint.port = port;
  return endpoint;
}

}  // namespace gatebook::proxy
