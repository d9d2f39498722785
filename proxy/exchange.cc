#include "proxy/exchange.h"

#include <algorithm>

#include "base/check.h"
#include "proxy/request_writer.h"
#include "proxy/websocket_key.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Framing;
using http::ParseStatus;
using http::Refusal;
using net::IoStatus;

constexpr size_t kMostTowardsUpstream = 64 * 1024;
constexpr uint32_t kMostInterimAnswers = 8;
// What one exchange may move before others have their turn.
constexpr int64_t kShare = 1024 * 1024;
// Every record of a visit stands in the minute stream of its record time, whose
// end is counted from 30 s before that minute (docs/data-model.md): what lasts
// longer is written down open, with a margin for timers.
constexpr std::chrono::seconds kOpenAfter{25};

}  // namespace

Exchange::Exchange(WorkerContext& context, Generation& generation, ClientSide& client,
                   const ClientFacts& facts, const Request& request, const VisitSession& session)
    : context_(context),
      generation_(generation),
      client_(client),
      head_(*request.head),
      facts_(facts),
      to_upstream_(context.buffers),
      response_timer_([this] { OnResponseTimeout(); }),
      open_timer_([this] { WriteOpenVisit(); }) {
  facts_of_visit_.arrival = base::Clock::System().WallNow();
  facts_of_visit_.started = context_.loop.now();
  facts_of_visit_.session = session;
  facts_of_visit_.protocol = client_.protocol();
  facts_of_visit_.request_id = context_.request_ids.Next();
  context_.metrics.Add(Metric::kExchangesOpen);
  Begin(request);
}

void Exchange::Begin(const Request& request) {
  if (request.refusal != Refusal::kCount) return Refuse(request.refusal);
  request_read_ = head_.framing == Framing::kNone;
  if (context_.book.MustRefuse()) return Refuse(Refusal::kJournalFull);
  if (request.redirect_to_https) {
    facts_of_visit_.status = 308;
    return EndWith(Ending::kOwnAnswer);
  }
  open_timer_.Arm(context_.loop.timers(), facts_of_visit_.started + kOpenAfter);
  FindUpstream();
}

Exchange::~Exchange() {
  if (phase_ == Phase::kTunnel) context_.metrics.Sub(Metric::kTunnelsOpen);
  // The client left: the visit says how far it came.
  WriteVisit();
  CountAnswer();
  DropUpstream();
  attempt_.reset();  // its callbacks move it out first, so it is never on the stack here
  context_.metrics.Sub(Metric::kExchangesOpen);
}

void Exchange::FindUpstream() {
  route_ = generation_.router.Find(head_.host, head_.path);
  if (route_ == nullptr) return Refuse(Refusal::kNoRoute);
  if (head_.websocket) {
    const auto& upgrades = route_->upgrades;
    tunnel_asked_ = std::find(upgrades.begin(), upgrades.end(), "websocket") != upgrades.end();
    // Upgrade may be ignored (RFC 9110 §7.8); an extended CONNECT asks for nothing else.
    if (!tunnel_asked_ && head_.extended_connect) return Refuse(Refusal::kUnknownProtocol);
  }
  if (generation_.config.limits.body_size != 0 &&
      head_.content_length > generation_.config.limits.body_size) {
    return Refuse(Refusal::kBodyTooLarge);
  }
  UpstreamPool& pool = this->pool();
  choice_ = pool.Begin(logger::HashOf(facts_of_visit_.session.id));
  if (auto idle = pool.TakeIdle(choice_)) {
    TakeUpstream(std::move(idle));
  } else {
    StartConnecting();
  }
}

void Exchange::StartConnecting() {
  phase_ = Phase::kConnecting;
  attempt_ = pool().Connect(
      choice_,
      [this](std::unique_ptr<UpstreamConnection> connection) {
        context_.loop.Dispose(std::move(attempt_));
        TakeUpstream(std::move(connection));
        client_.OnExchangeReady();
      },
      [this](Refusal refusal) {
        context_.loop.Dispose(std::move(attempt_));
        Refuse(refusal);
        client_.OnExchangeReady();
      });
}

void Exchange::TakeUpstream(std::unique_ptr<UpstreamConnection> connection) {
  upstream_ = std::move(connection);
  upstream_->SetUser(this);
  upstream_->parser().Reset();
  phase_ = Phase::kExchanging;
  if (head_.extended_connect) websocket_key_ = MakeWebSocketKey();
  std::optional<http::TraceContext> trace;
  if (generation_.config.edge.traceparent) {
    trace = http::TraceContextFor(head_.fields, facts_of_visit_.request_id,
                                  {context_.request_ids.Next(), context_.request_ids.Next()});
  }
  WriteRequestHead(to_upstream_, {.head = head_,
                                  .facts = facts_,
                                  .session = facts_of_visit_.session.id,
                                  .request_id = facts_of_visit_.request_id,
                                  .cookie_name = generation_.config.session.cookie,
                                  .tunnel = tunnel_asked_,
                                  .websocket_key = websocket_key_,
                                  .rules = generation_.RulesOf(*route_).request.get(),
                                  .trace = trace ? &*trace : nullptr});
  request_sent_at_ = context_.loop.now();
  if (!request_read_) client_.WriteContinue();
}

Exchange::End Exchange::Pump() {
  share_ = kShare;
  if (phase_ == Phase::kExchanging) PumpRequest();
  if (phase_ == Phase::kExchanging) PumpResponse();
  if (phase_ == Phase::kFlushing) PumpFlushing();
  if (phase_ == Phase::kTunnel) PumpTunnel();
  return end_;
}

bool Exchange::HasMovedShare(size_t bytes) {
  share_ -= static_cast<int64_t>(bytes);
  if (share_ > 0) return false;
  client_.YieldTurn();
  return true;
}

// ---- the request, client to upstream

bool Exchange::FillFromClient() {
  while (!request_read_ && to_upstream_.size() < kMostTowardsUpstream) {
    std::string_view piece;
    switch (client_.ReadBody(kMostTowardsUpstream - to_upstream_.size(), piece)) {
      case ClientSide::Take::kBytes:
        facts_of_visit_.bytes_in += piece.size();
        if (generation_.config.limits.body_size != 0 &&
            facts_of_visit_.bytes_in > generation_.config.limits.body_size) {
          Refuse(Refusal::kBodyTooLarge);
          return false;
        }
        if (send_failed_) {  // read to find its end, no more
          if (HasMovedShare(piece.size())) return false;
          break;
        }
        if (head_.framing == Framing::kChunked) {
          char line[24];
          to_upstream_.Append({line, http::WriteChunkLine(piece.size(), line)});
          to_upstream_.Append(piece);
          to_upstream_.Append("\r\n");
        } else {
          to_upstream_.Append(piece);
        }
        break;
      case ClientSide::Take::kEnd:
        request_read_ = true;
        if (head_.framing == Framing::kChunked && !send_failed_) to_upstream_.Append(http::kLastChunk);
        break;
      case ClientSide::Take::kWait:
        return false;
      case ClientSide::Take::kRefused:
        Refuse(client_.body_refusal());
        return false;
      case ClientSide::Take::kGone:
        end_ = End::kBroken;
        phase_ = Phase::kOver;
        return false;
    }
  }
  return !request_read_;
}

void Exchange::PumpRequest() {
  while (!request_sent_) {
    const bool more = FillFromClient();
    if (phase_ != Phase::kExchanging) return;
    while (!to_upstream_.IsEmpty()) {
      const auto result = upstream_->stream().Write(to_upstream_.data());
      if (result.status == IoStatus::kWouldBlock) {
        if (!response_timer_.IsArmed()) ArmResponseTimer(generation_.config.timeouts.upstream_idle);
        return;
      }
      response_timer_.Cancel();
      if (result.status != IoStatus::kOk) {
        // An upstream may answer early and stop reading (RFC 9112 §9.6): look for its answer.
        send_failed_ = true;
        to_upstream_.Release();
        break;
      }
      to_upstream_.Consume(result.bytes);
      if (!request_read_ && HasMovedShare(result.bytes)) return;
    }
    if (request_read_) {
      request_sent_ = true;
      to_upstream_.Release();
      if (!head_written_) {
        request_sent_at_ = context_.loop.now();
        ArmResponseTimer(generation_.config.timeouts.first_byte);
      }
    } else if (!more) {
      return;
    }
  }
}

// ---- the answer, upstream to client

void Exchange::PumpResponse() {
  base::Buffer& received = upstream_->received();
  while (phase_ == Phase::kExchanging) {
    if (!HandOverPiece()) {
      response_timer_.Cancel();  // the client is slow, the upstream is not to blame
      return;
    }
    if (answer_read_) return CompleteAnswer();
    if (!received.IsEmpty()) {
      if (!head_written_) {
        const bool read = ReadResponseHead();
        if (phase_ != Phase::kExchanging) return;
        if (read) continue;
      } else {
        const auto step = answer_body_.Read(received.data());
        if (answer_body_.HasFailed()) return Refuse(Refusal::kUpstreamBadBody);
        if (step.consumed > 0) {
          piece_ = step.payload;
          piece_consumed_ = step.consumed;
          facts_of_visit_.bytes_out += piece_.size();
          if (piece_.empty()) received.Consume(step.consumed);
          if (answer_body_.IsDone()) {
            return EndWith(Ending::kBody);
          }
          continue;
        }
      }
    }
    // Nothing whole in the buffer: read on.
    received.Reserve(large_reads_ ? base::BufferPool::kLarge / 2 : 4096);
    const std::span<char> room = received.room();
    const auto result = upstream_->stream().Read(room);
    if (result.status == IoStatus::kOk) {
      received.Commit(result.bytes);
      answer_seen_ = true;
      large_reads_ = result.bytes == room.size();
      if (head_written_) ArmResponseTimer(generation_.config.timeouts.upstream_idle);
      if (HasMovedShare(result.bytes)) return;
    } else if (result.status == IoStatus::kWouldBlock) {
      if (received.IsEmpty()) received.Release();
      client_.Flush();
      if (head_written_ && !response_timer_.IsArmed())
        ArmResponseTimer(generation_.config.timeouts.upstream_idle);
      return;
    } else {
      return OnUpstreamGone(result.status == IoStatus::kEnd);
    }
  }
}

bool Exchange::ReadResponseHead() {
  http::ResponseParser& parser = upstream_->parser();
  const ParseStatus status = parser.Parse(upstream_->received().data(), head_.method, tunnel_asked_);
  if (status == ParseStatus::kNeedMore) return false;
  if (status == ParseStatus::kRefused) {
    Refuse(parser.refusal());
  } else if (const http::ResponseHead& head = parser.head(); head.status >= 200) {
    OnFinalHead(head);
  } else if (head.status == 101) {
    BeginTunnel();
  } else {
    PassInterimAnswer(head);
  }
  return true;
}

void Exchange::PassInterimAnswer(const http::ResponseHead& head) {
  if (++interim_answers_ > kMostInterimAnswers) return Refuse(Refusal::kUpstreamTooMany1xx);
  // We have answered Expect ourselves; HTTP/1.0 knows no interim answers (RFC 9110 §15.2).
  if (head.status != 100 && head_.minor_version >= 1) client_.WriteInterim(head);
  context_.metrics.Add(Metric::kResponses1xx);
  upstream_->received().Consume(head.size);
  upstream_->parser().Reset();
}

void Exchange::OnFinalHead(const http::ResponseHead& head) {
  // To a client that asked by extended CONNECT it would look like a tunnel.
  if (head_.extended_connect && head.status < 300) return Refuse(Refusal::kUpstreamBadUpgrade);
  facts_of_visit_.status = static_cast<uint16_t>(head.status);
  facts_of_visit_.upstream_us = MicrosecondsSince(request_sent_at_);
  upstream_keep_alive_ = head.keep_alive && head.framing != Framing::kToClose;
  response_timer_.Cancel();
  pool().Report(*upstream_, ServerOutcome::kAnswered);
  if (head.framing == Framing::kNone) return EndWith(Ending::kHead);
  WriteHead();
  answer_body_.Begin(head.framing, head.content_length);
}

void Exchange::WriteHead() {
  const http::ResponseHead& head = upstream_->parser().head();
  client_.WriteHead(head, request_read_, generation_.RulesOf(*route_).response.get());
  head_written_ = true;
  upstream_->received().Consume(head.size);
}

bool Exchange::HandOverPiece() {
  if (piece_.empty()) return true;
  piece_.remove_prefix(client_.WriteBody(piece_));
  if (!piece_.empty()) return false;
  upstream_->received().Consume(piece_consumed_);
  return true;
}

void Exchange::CompleteAnswer() {
  if (!HandOverPiece()) return;
  phase_ = Phase::kOver;
  end_ = End::kAnswered;
  client_.WriteEnd();
  ReturnUpstream();
  client_.Flush();
}

void Exchange::OnUpstreamGone(bool in_good_order) {
  if (head_written_) {
    if (answer_body_.framing() == Framing::kToClose && in_good_order) {
      return EndWith(Ending::kBody);
    }
    return Refuse(Refusal::kUpstreamBadBody);
  }
  if (MayRetry()) return Retry();
  Refuse(Refusal::kUpstreamClosed);
}

bool Exchange::MayRetry() {
  return upstream_->reused() && !retried_ && !answer_seen_ && IsSafe(head_.method) &&
         head_.framing == Framing::kNone && pool().MayRetry();
}

void Exchange::Retry() {
  context_.metrics.Add(Metric::kUpstreamRetries);
  retried_ = true;
  request_sent_ = send_failed_ = false;
  response_timer_.Cancel();
  DropUpstream();
  to_upstream_.Release();
  StartConnecting();
}

void Exchange::ArmResponseTimer(base::Duration span) {
  response_timer_.Arm(context_.loop.timers(), context_.loop.now() + span);
}

void Exchange::OnResponseTimeout() {
  if (phase_ == Phase::kTunnel) {
    EndTunnel(End::kTunnelIdle);
    client_.OnExchangeReady();
    return;
  }
  Refuse(head_written_ ? Refusal::kUpstreamStalled : Refusal::kUpstreamTimeout);
  client_.OnExchangeReady();
}

void Exchange::Refuse(Refusal refusal) {
  // An answer that only waits for the journal is an answer.
  if (phase_ == Phase::kOver || phase_ == Phase::kFlushing) return;
  context_.refusals.Count(refusal);
  if (upstream_) pool().Report(*upstream_, refusal);
  facts_of_visit_.refusal = refusal;
  response_timer_.Cancel();
  DropUpstream();
  piece_ = {};
  phase_ = Phase::kOver;
  if (head_written_) {
    end_ = End::kBroken;
    WriteVisit();
    return;
  }
  facts_of_visit_.status = http::InfoOf(refusal).status;
  EndWith(Ending::kOwnAnswer);
}

void Exchange::Abandon(Refusal refusal) {
  context_.refusals.Count(refusal);
  facts_of_visit_.refusal = refusal;
}

// ---- the upstream's end

void Exchange::DropUpstream() {
  if (!upstream_) return;
  upstream_->SetUser(nullptr);
  context_.loop.Dispose(std::move(upstream_));
}

void Exchange::ReturnUpstream() {
  char surplus;
  const bool exact = request_sent_ && !send_failed_ && upstream_keep_alive_ && answer_read_ &&
                     !context_.draining && upstream_->received().IsEmpty() &&
                     upstream_->stream().Read({&surplus, 1}).status == IoStatus::kWouldBlock;
  if (!exact) return DropUpstream();
  pool().GiveIdle(std::move(upstream_));
}

uint64_t Exchange::MicrosecondsSince(base::SteadyTime start) const {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(context_.loop.now() - start).count());
}

}  // namespace gatebook::proxy
