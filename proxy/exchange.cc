#include "proxy/exchange.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/characters.h"
#include "proxy/request_writer.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Framing;
using http::Refusal;
using Take = UpstreamSide::Take;

// What is read at once of a body that nobody wants any more.
constexpr size_t kMostDropped = 64 * 1024;
// What is kept of a body: no more than a fresh upstream has room for.
constexpr size_t kMostKept = 64 * 1024;
// Of a request that the upstream has not looked at.
constexpr uint8_t kMostRetries = 3;
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
      kept_body_(context.buffers),
      to_upstream_(context.buffers),
      to_client_(context.buffers),
      response_timer_([this] { OnResponseTimeout(); }),
      open_timer_([this] { WriteOpenVisit(); }) {
  facts_of_visit_.arrival = base::Clock::System().WallNow();
  facts_of_visit_.started = context_.loop.now();
  facts_of_visit_.session = session;
  if (session.objected != Objected::kNo) context_.metrics.Add(MetricOf(session.objected));
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
}

Exchange::~Exchange() {
  if (phase_ == Phase::kTunnel) context_.metrics.Sub(Metric::kTunnelsOpen);
  // The client left: the visit says how far it came.
  WriteVisit();
  CountAnswer();
  upstream_.reset();
  own_pending_.reset();
  attempt_.reset();  // its callbacks move it out first, so it is never on the stack here
  context_.metrics.Sub(Metric::kExchangesOpen);
}

void Exchange::FindUpstream() {
  if (const OwnResource* own = generation_.edition->own_paths.Find(head_.path)) return AnswerOurselves(*own);
  route_ = generation_.router.Find(head_.host, head_.path);
  if (route_ == nullptr) return Refuse(Refusal::kNoRoute);
  upgrade_ = AllowedUpgrade();
  // Upgrade may be ignored (RFC 9110 §7.8); an extended CONNECT asks for nothing else.
  if (upgrade_.empty() && head_.extended_connect) return Refuse(Refusal::kUnknownProtocol);
  if (generation_.config.limits.body_size != 0 &&
      head_.content_length > generation_.config.limits.body_size) {
    return Refuse(Refusal::kBodyTooLarge);
  }
  UpstreamPool& pool = this->pool();
  choice_ = pool.Begin(logger::HashOf(facts_of_visit_.session.id),
                       pool.sends_proxy_header() ? ProxyHeaderFor(facts_) : std::string());
  if (UpstreamLease lease = pool.TakeIdle(choice_)) {
    TakeUpstream(std::move(lease));
  } else {
    StartConnecting();
  }
}

std::string_view Exchange::AllowedUpgrade() const {
  const auto allows = [this](std::string_view protocol) {
    return std::any_of(route_->upgrades.begin(), route_->upgrades.end(),
                       [&](const std::string& allowed) { return base::EqualsIgnoreCase(allowed, protocol); });
  };
  if (head_.websocket) return allows("websocket") ? "websocket" : "";
  // HTTP/2 carries no others.
  std::string_view offered = head_.upgrade;
  if (offered.empty() || generation_.upstreams[route_->upstream]->speaks_h2()) return {};
  while (!offered.empty()) {
    const std::string_view protocol = http::TakeListElement(offered);
    if (allows(protocol.substr(0, protocol.find('/')))) return protocol;
  }
  return {};
}

void Exchange::StartConnecting() {
  phase_ = Phase::kConnecting;
  attempt_ = pool().Connect(
      choice_,
      [this](UpstreamLease lease) {
        context_.loop.Dispose(std::move(attempt_));
        TakeUpstream(std::move(lease));
        client_.OnExchangeReady();
      },
      [this](Refusal refusal) {
        context_.loop.Dispose(std::move(attempt_));
        Refuse(refusal);
        client_.OnExchangeReady();
      });
}

void Exchange::TakeUpstream(UpstreamLease lease) {
  upstream_ = std::move(lease);
  phase_ = Phase::kExchanging;
  std::optional<http::TraceContext> trace;
  if (generation_.config.edge.traceparent) {
    trace = http::TraceContextFor(head_.fields, facts_of_visit_.request_id,
                                  {context_.request_ids.Next(), context_.request_ids.Next()});
  }
  upstream_->Begin(*this, {.head = head_,
                           .facts = facts_,
                           .session = facts_of_visit_.session.id,
                           .request_id = facts_of_visit_.request_id,
                           .cookie_name = generation_.config.session.cookie,
                           .upgrade = upgrade_,
                           .rules = generation_.RulesOf(*route_).request.get(),
                           .trace = trace ? &*trace : nullptr,
                           .objection = facts_of_visit_.session.objected != Objected::kNo});
  request_sent_at_ = context_.loop.now();
  if (retries_ > 0) {
    SendAgain();
  } else if (!request_read_) {
    client_.WriteContinue();
  }
}

void Exchange::SendAgain() {
  if (!kept_body_.IsEmpty()) upstream_->WriteBody(kept_body_.data());
  if (request_read_ && head_.framing != Framing::kNone) {
    upstream_->WriteEnd(Left(client_.trailers(), generation_.RulesOf(*route_).request.get()));
  }
}

void Exchange::KeepForAnother(std::string_view piece) {
  if (!keeps_body_ || head_written_) return;
  keeps_body_ = upstream_->may_be_unseen() && kept_body_.size() + piece.size() <= kMostKept;
  if (keeps_body_) {
    kept_body_.Append(piece);
  } else {
    kept_body_.Release();
  }
}

Exchange::End Exchange::Pump() {
  share_ = kShare;
  if (phase_ == Phase::kBegun) FindUpstream();
  if (phase_ == Phase::kExchanging) PumpRequest();
  if (phase_ == Phase::kExchanging) PumpResponse();
  if (phase_ == Phase::kFlushing) PumpFlushing();
  if (phase_ == Phase::kAnswering) CompleteAnswer();
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
  while (!request_read_) {
    const size_t room = send_failed_ ? kMostDropped : upstream_->room();
    if (room == 0) return true;
    std::string_view piece;
    switch (client_.ReadBody(room, piece)) {
      case ClientSide::Take::kBytes:
        facts_of_visit_.bytes_in += piece.size();
        if (generation_.config.limits.body_size != 0 &&
            facts_of_visit_.bytes_in > generation_.config.limits.body_size) {
          Refuse(Refusal::kBodyTooLarge);
          return false;
        }
        KeepForAnother(piece);
        if (!send_failed_) {
          upstream_->WriteBody(piece);
        } else if (HasMovedShare(piece.size())) {  // read to find its end, no more
          return false;
        }
        break;
      case ClientSide::Take::kEnd:
        request_read_ = true;
        if (!send_failed_)
          upstream_->WriteEnd(Left(client_.trailers(), generation_.RulesOf(*route_).request.get()));
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
  return false;
}

void Exchange::PumpRequest() {
  while (!request_sent_) {
    const bool more = FillFromClient();
    if (phase_ != Phase::kExchanging) return;
    const UpstreamSide::Sent sent = upstream_->Send();
    if (sent.bytes > 0) response_timer_.Cancel();
    if (sent.status == UpstreamSide::Sent::Status::kBlocked) {
      if (!response_timer_.IsArmed()) ArmResponseTimer(generation_.config.timeouts.upstream_idle);
      return;
    }
    if (sent.status == UpstreamSide::Sent::Status::kFailed && !std::exchange(send_failed_, true)) {
      // An upstream may answer early and stop reading (RFC 9112 §9.6): look for its answer.
      response_timer_.Cancel();
    }
    if (request_read_) {
      request_sent_ = true;
      if (!head_written_) {
        request_sent_at_ = context_.loop.now();
        ArmResponseTimer(generation_.config.timeouts.first_byte);
      }
    } else if (!more || HasMovedShare(sent.bytes)) {
      return;
    }
  }
}

// ---- the answer, upstream to client

void Exchange::PumpResponse() {
  while (phase_ == Phase::kExchanging) {
    if (!HandOverPiece()) {
      response_timer_.Cancel();  // the client is slow, the upstream is not to blame
      return;
    }
    if (answer_read_) return CompleteAnswer();
    switch (upstream_->Read(piece_)) {
      case Take::kInterim:
        PassInterimAnswer(upstream_->head());
        break;
      case Take::kHead:
        OnFinalHead(upstream_->head());
        break;
      case Take::kTunnel:
        return BeginTunnel();
      case Take::kBytes:
        facts_of_visit_.bytes_out += piece_.size();
        ArmResponseTimer(generation_.config.timeouts.upstream_idle);
        if (HasMovedShare(piece_.size())) return;
        break;
      case Take::kEnd:
        facts_of_visit_.bytes_out += piece_.size();
        return EndWith(Ending::kBody);
      case Take::kWait:
        client_.Flush();
        if (head_written_ && !response_timer_.IsArmed())
          ArmResponseTimer(generation_.config.timeouts.upstream_idle);
        return;
      case Take::kFailed:
        return OnUpstreamFailed(upstream_->failure());
    }
  }
}

void Exchange::PassInterimAnswer(const http::ResponseHead& head) {
  if (++interim_answers_ > kMostInterimAnswers) return Refuse(Refusal::kUpstreamTooMany1xx);
  // We have answered Expect ourselves; HTTP/1.0 knows no interim answers (RFC 9110 §15.2).
  if (head.status != 100 && head_.minor_version >= 1) {
    http::ResponseHead left = head;
    left.fields = Left(head.fields, generation_.RulesOf(*route_).response.get());
    client_.WriteInterim(left);
  }
  context_.metrics.Add(Metric::kResponses1xx);
}

void Exchange::OnFinalHead(const http::ResponseHead& head) {
  // To a client that asked by extended CONNECT it would look like a tunnel.
  if (head_.extended_connect && head.status < 300) return Refuse(Refusal::kUpstreamBadUpgrade);
  facts_of_visit_.status = static_cast<uint16_t>(head.status);
  facts_of_visit_.upstream_us = MicrosecondsSince(request_sent_at_);
  response_timer_.Cancel();
  kept_body_.Release();
  keeps_body_ = false;
  pool().Report(upstream_->server(), ServerOutcome::kAnswered);
  if (head.framing == Framing::kNone) return EndWith(Ending::kHead);
  WriteHead();
}

void Exchange::WriteHead() {
  client_.WriteHead(upstream_->head(), request_read_, generation_.RulesOf(*route_).response.get());
  head_written_ = true;
}

bool Exchange::HandOverPiece() {
  if (!piece_.empty()) piece_.remove_prefix(client_.WriteBody(piece_));
  return piece_.empty();
}

std::span<const http::Field> Exchange::Left(std::span<const http::Field> trailers,
                                            const http::HeaderRules* rules) {
  if (trailers.empty() || rules == nullptr) return trailers;
  std::vector<http::Field>& kept = context_.kept_fields;
  kept.clear();
  std::copy_if(trailers.begin(), trailers.end(), std::back_inserter(kept),
               [rules](const http::Field& field) { return !rules->Drops(field.name); });
  return kept;
}

void Exchange::CompleteAnswer() {
  if (!HandOverPiece()) return;
  phase_ = Phase::kOver;
  end_ = End::kAnswered;
  if (upstream_) {
    client_.WriteEnd(Left(upstream_->trailers(), generation_.RulesOf(*route_).response.get()));
    upstream_.reset();
  } else {
    client_.WriteEnd({});
  }
}

void Exchange::OnUpstreamFailed(const UpstreamSide::Failure& failure) {
  if (!head_written_ && MayRetry(failure.repeat)) return Retry();
  Refuse(failure.refusal);
}

bool Exchange::MayRetry(UpstreamSide::Repeat repeat) {
  switch (repeat) {
    case UpstreamSide::Repeat::kNever:
      return false;
    case UpstreamSide::Repeat::kIfSafe:
      return retries_ == 0 && IsSafe(head_.method) && head_.framing == Framing::kNone && pool().MayRetry();
    case UpstreamSide::Repeat::kAlways:
      return retries_ < kMostRetries && keeps_body_ && pool().MayRetry();
  }
  return false;
}

void Exchange::Retry() {
  context_.metrics.Add(Metric::kUpstreamRetries);
  ++retries_;
  request_sent_ = send_failed_ = false;
  response_timer_.Cancel();
  upstream_.reset();
  StartConnecting();
}

void Exchange::ArmResponseTimer(base::Duration span) {
  response_timer_.Arm(context_.loop.timers(), context_.loop.now() + span);
}

void Exchange::OnResponseTimeout() {
  if (phase_ == Phase::kTunnel) {
    Abandon(Refusal::kTunnelIdle);
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
  if (upstream_) pool().Report(upstream_->server(), refusal);
  facts_of_visit_.refusal = refusal;
  response_timer_.Cancel();
  upstream_.reset();
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

uint64_t Exchange::MicrosecondsSince(base::SteadyTime start) const {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(context_.loop.now() - start).count());
}

}  // namespace gatebook::proxy
