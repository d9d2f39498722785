#include "proxy/health_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "http/proxy_protocol.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using net::IoStatus;

constexpr int kLeastGood = 200;
constexpr int kMostGood = 399;

}  // namespace

HealthCheck::HealthCheck(const Parts& parts, UpstreamTarget target)
    : loop_(parts.loop),
      metrics_(parts.metrics),
      names_(parts.names),
      config_(parts.config),
      upstream_(parts.upstream),
      board_(parts.board),
      buffers_(parts.buffers),
      target_(std::move(target)),
      preamble_(upstream_.proxy_protocol ? http::MakeProxyHeader(std::nullopt) : std::string()),
      health_(upstream_, board_.down.load(std::memory_order_relaxed)),
      next_check_([this] { Begin(); }),
      deadline_([this] {
        EndTry();
        TryNextAddress();
      }) {
  if (!health_.is_up()) metrics_.Add(Metric::kServersDown);
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
    auto stream = target_.Connect(loop_, address, *this, preamble_);
    if (!stream.ok()) continue;
    stream_ = std::move(stream).value();
    question_ = HealthQuestion::Make(config_, upstream_, target_.endpoint, buffers_);
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
  while (!question_->Output().empty()) {
    const net::IoResult result = stream_->Write(question_->Output());
    if (result.status == IoStatus::kWouldBlock) return true;
    if (result.status != IoStatus::kOk) {
      Finish(false, "the connection broke");
      return false;
    }
    question_->DropOutput(result.bytes);
  }
  return true;
}

void HealthCheck::Read() {
  char bytes[4096];
  do {
    const net::IoResult result = stream_->Read(bytes);
    if (result.status == IoStatus::kWouldBlock) return;
    if (result.status != IoStatus::kOk) return Finish(false, "it closed without an answer");
    switch (question_->Take({bytes, result.bytes}, loop_.now())) {
      case HealthQuestion::Reply::kNotYet:
        break;
      case HealthQuestion::Reply::kMalformed:
        return Finish(false, "its answer is malformed");
      case HealthQuestion::Reply::kWhole: {
        const int status = question_->status();
        return Finish(status >= kLeastGood && status <= kMostGood, fmt::format("it answered {}", status));
      }
    }
  } while (Write());
}

void HealthCheck::EndTry() {
  deadline_.Cancel();
  question_.reset();
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
