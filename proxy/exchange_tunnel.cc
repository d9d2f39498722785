// The half of Exchange that comes after a 101: bytes both ways until both ends have ended.

#include "proxy/exchange.h"

namespace gatebook::proxy {

using base::Metric;
using http::Refusal;
using net::IoStatus;

void Exchange::BeginTunnel() {
  if (!request_sent_) return Refuse(Refusal::kUpstreamBadUpgrade);
  facts_of_visit_.status = 101;
  if (upstream_->head().websocket) facts_of_visit_.protocol = logger::Protocol::kWs;
  facts_of_visit_.upstream_us = MicrosecondsSince(request_sent_at_);
  EndWith(Ending::kTunnel);
}

void Exchange::StartTunnel() {
  client_.Flush();
  phase_ = Phase::kTunnel;
  context_.metrics.Add(Metric::kTunnelsOpen);
}

void Exchange::PumpTunnel() {
  client_.Flush();  // the 101 itself may still be here
  bool moved = false;
  while (MoveTunnel(true)) moved = true;
  while (phase_ == Phase::kTunnel && MoveTunnel(false)) moved = true;
  if (phase_ != Phase::kTunnel) return;
  if (client_ended_ && upstream_ended_) return EndTunnel(End::kTunnelEnded);
  if (moved || !response_timer_.IsArmed()) ArmResponseTimer(generation_.config.timeouts.tunnel_idle);
}

bool Exchange::MoveTunnel(bool to_upstream) {
  base::Buffer& buffer = to_upstream ? to_upstream_ : to_client_;
  bool& ended = to_upstream ? client_ended_ : upstream_ended_;
  if (!buffer.IsEmpty()) {
    const auto put = to_upstream ? upstream_->WriteTunnel(buffer.data()) : client_.WriteTunnel(buffer.data());
    if (put.status == IoStatus::kWouldBlock) return false;
    if (put.status != IoStatus::kOk) {
      EndTunnel(End::kTunnelEnded);
      return false;
    }
    (to_upstream ? facts_of_visit_.bytes_in : facts_of_visit_.bytes_out) += put.bytes;
    buffer.Consume(put.bytes);
    return !HasMovedShare(put.bytes);
  }
  if (ended) return false;
  buffer.Reserve(4096);
  const auto got = to_upstream ? client_.ReadTunnel(buffer.room()) : upstream_->ReadTunnel(buffer.room());
  switch (got.status) {
    case IoStatus::kOk:
      buffer.Commit(got.bytes);
      return true;
    case IoStatus::kWouldBlock:
      buffer.ReleaseIfEmpty();
      return false;
    case IoStatus::kEnd:
      ended = true;
      buffer.ReleaseIfEmpty();
      if (to_upstream) {
        upstream_->ShutdownTunnel();
      } else {
        client_.ShutdownTunnel();
      }
      return false;
    case IoStatus::kError:
      EndTunnel(End::kTunnelEnded);
      return false;
  }
  return false;
}

void Exchange::EndTunnel(End end) {
  if (phase_ != Phase::kTunnel) return;
  phase_ = Phase::kOver;
  end_ = end;
  context_.metrics.Sub(Metric::kTunnelsOpen);
  response_timer_.Cancel();
  WriteVisit();
  upstream_.reset();
}

}  // namespace gatebook::proxy
