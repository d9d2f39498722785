#include "proxy/health_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using net::IoStatus;

constexpr int kLeastGood = 200;
constexpr int kMostGood = 399;

std::string RequestTo(const config::Upstream& upstream, const config::Endpoint& server) {
  std::string host = upstream.health_host;
  if (host.empty()) {
    // An authority as it was configured: with its port, without the scheme.
    const size_t scheme = server.text.find("://");
    host = server.kind == config::Endpoint::Kind::kUnix ? "localhost"
           : scheme == std::string::npos                ? server.text
                                                        : server.text.substr(scheme + 3);
  }
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: gatebook-health\r\nAccept: */*\r\nConnection: "
      "close\r\n\r\n",
      upstream.health_path, host);
}

}  // namespace

HealthCheck::HealthCheck(const Parts& parts, UpstreamTarget target)
    : loop_(parts.loop),
      metrics_(parts.metrics),
      names_(parts.names),
      upstream_(parts.upstream),
      board_(parts.board),
      target_(std::move(target)),
      request_(RequestTo(upstream_, target_.endpoint)),
      health_(upstream_),
      parser_({parts.config.limits.target_size, parts.config.limits.header_size,
               parts.config.limits.header_count}),
      received_(parts.buffers),
      next_check_([this] { Begin(); }),
      deadline_([this] {
        EndTry();
        TryNextAddress();
      }) {
  next_check_.Arm(loop_.timers(), loop_.now());
}

void HealthCheck::Abandon() {
  next_check_.Cancel();
  EndTry();
  if (!health_.is_up()) metrics_.Sub(Metric::kServersDown);
}

void HealthCheck::Begin() {
  began_ = loop_.now();
  next_check_.Arm(loop_.timers(), began_ + upstream_.health_interval);
  if (under_way_) return;  // health_timeout is longer than health_interval
  addresses_ = target_.Addresses(names_);
  // A name that was never resolved says nothing of the server.
  if (addresses_.empty() && health_.is_up()) return;
  std::reverse(addresses_.begin(), addresses_.end());
  under_way_ = true;
  TryNextAddress();
}

void HealthCheck::TryNextAddress() {
  const base::SteadyTime end = began_ + upstream_.health_timeout;
  while (!addresses_.empty() && loop_.now() < end) {
    const base::Duration share = (end - loop_.now()) / static_cast<int64_t>(addresses_.size());
    const net::SocketAddress address = addresses_.back();
    addresses_.pop_back();
    auto stream = target_.Connect(loop_, address, *this);
    if (!stream.ok()) continue;
    stream_ = std::move(stream).value();
    parser_.Reset();
    to_write_ = request_;
    deadline_.Arm(loop_.timers(), loop_.now() + share);
    return;
  }
  Finish(false, "no answer in time, or no connection");
}

void HealthCheck::OnStreamReady() {
  if (stream_ && Write()) Read();
}

void HealthCheck::OnStreamFailed() {
  if (!stream_) return;
  EndTry();
  TryNextAddress();
}

bool HealthCheck::Write() {
  while (!to_write_.empty()) {
    const net::IoResult result = stream_->Write(to_write_);
    if (result.status == IoStatus::kWouldBlock) return false;
    if (result.status != IoStatus::kOk) {
      Finish(false, "the connection broke");
      return false;
    }
    to_write_.remove_prefix(result.bytes);
  }
  return true;
}

void HealthCheck::Read() {
  for (;;) {
    received_.Reserve(4096);
    const net::IoResult result = stream_->Read(received_.room());
    if (result.status == IoStatus::kWouldBlock) return;
    if (result.status != IoStatus::kOk) return Finish(false, "it closed without an answer");
    received_.Commit(result.bytes);
    for (;;) {
      const http::ParseStatus status = parser_.Parse(received_.data(), http::Method::kGet, false);
      if (status == http::ParseStatus::kNeedMore) break;
      if (status == http::ParseStatus::kRefused) return Finish(false, "its answer is malformed");
      const http::ResponseHead& head = parser_.head();
      if (head.status >= kLeastGood) {
        return Finish(head.status <= kMostGood, fmt::format("it answered {}", head.status));
      }
      received_.Consume(head.size);  // an interim answer
      parser_.Reset();
    }
  }
}

void HealthCheck::EndTry() {
  deadline_.Cancel();
  received_.Release();
  if (!stream_) return;
  auto ended = std::make_unique<Ended>();
  ended->stream = std::move(stream_);
  loop_.Dispose(std::move(ended));
}

void HealthCheck::Finish(bool good, std::string_view why) {
  EndTry();
  under_way_ = false;
  metrics_.Add(good ? Metric::kHealthChecks : Metric::kHealthChecksFailed);
  if (!health_.OnCheck(good)) return;
  if (good) {
    metrics_.Sub(Metric::kServersDown);
    board_.up_since.store(loop_.now(), std::memory_order_relaxed);
  } else {
    metrics_.Add(Metric::kServersDown);
  }
  board_.down.store(!good, std::memory_order_relaxed);
  base::Log(good ? base::LogLevel::kInfo : base::LogLevel::kWarning, "upstream",
            "{}: server {} of {} is {}: {}", upstream_.name, target_.number + 1, upstream_.servers.size(),
            good ? "up" : "down", why);
}

}  // namespace gatebook::proxy
