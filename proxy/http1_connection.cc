#include "proxy/http1_connection.h"

#include <sys/socket.h>

#include "base/check.h"
#include "net/socket_stream.h"
#include "proxy/linger.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Framing;
using http::ParseStatus;
using http::Refusal;
using net::IoStatus;

constexpr size_t kLeastReadRoom = 4096;
// Answers of our own cost an impatient client nothing: others have their turn in between.
constexpr int kMostSteps = 64;

}  // namespace

Http1Connection::Http1Connection(WorkerContext& context, Owner& owner, Arrival arrival)
    : ClientConnection(context, owner, std::move(arrival.seat)),
      peer_facts_(std::move(arrival.facts)),
      stream_(std::move(arrival.stream)),
      redirect_to_https_(arrival.redirect_to_https),
      received_(context.buffers),
      body_(context.buffers),
      out_(context.buffers),
      parser_(nullptr, {nullptr}),
      exchange_(nullptr, {nullptr}),
      timer_([this] { OnTimeout(); }),
      stall_timer_([this] { OnStall(); }),
      next_turn_(context.loop, [this] { Pump(); }) {
  stream_->SetHandler(*this);
}

Http1Connection::~Http1Connection() { exchange_.reset(); }

void Http1Connection::Begin() {
  // A client that connects means to ask: no keep-alive patience before its first request.
  timer_.Arm(context_.loop.timers(), context_.loop.now() + config().timeouts.request_header);
  Pump();
}

// ---- what drives it

void Http1Connection::Pump() {
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  do {
    pump_again_ = false;
    for (int steps = 0; Step();) {
      if (++steps == kMostSteps) {
        next_turn_.Arm();
        break;
      }
    }
  } while (pump_again_ && state_ != State::kClosed);
  pumping_ = false;
}

bool Http1Connection::Step() {
  switch (state_) {
    case State::kClosed:
      return false;
    case State::kIdle:
    case State::kHead:
      return ReadHead();
    case State::kExchange:
      return PumpExchange();
    case State::kFlushing:
      Flush(EndsHere());
      if (failed_) {
        Close(CloseReason::kClientAborted);
        return false;
      }
      return out_.IsEmpty() && !stream_->HasUnsent() && EndRequest();
    case State::kLinger:
      return Discard();
  }
  return false;
}

// ---- a request's head

bool Http1Connection::ReadHead() {
  while (true) {
    if (!received_.IsEmpty()) {
      if (state_ == State::kIdle) {
        state_ = State::kHead;
        if (!parser_) parser_ = context_.parsers.Make(context_.generation->head_limits);
        timer_.Arm(context_.loop.timers(), context_.loop.now() + config().timeouts.request_header);
      }
      const ParseStatus status = parser_->Parse(received_.data());
      if (status == ParseStatus::kDone) {
        OnHead();
        return true;
      }
      if (status == ParseStatus::kRefused) {
        OnRefusedHead(parser_->refusal());
        return true;
      }
    }
    received_.Reserve(kLeastReadRoom);
    const auto result = stream_->Read(received_.room());
    if (result.status == IoStatus::kOk) {
      received_.Commit(result.bytes);
      continue;
    }
    if (result.status == IoStatus::kWouldBlock) {
      if (received_.IsEmpty()) {
        received_.Release();
        parser_.reset();
      }
      return false;
    }
    Close(state_ == State::kIdle ? CloseReason::kClientClosed : CloseReason::kClientAborted);
    return false;
  }
}

void Http1Connection::OnHead() {
  timer_.Cancel();
  context_.metrics.Add(Metric::kRequests);
  ++requests_;
  const http::RequestHead& head = parser_->head();
  keep_alive_ = head.keep_alive;
  if (head.framing != Framing::kNone) {
    // The head stays where it is, its views are in use; the body gets a buffer of its own.
    trailers_.Clear();
    body_reader_.Begin(head.framing, head.content_length, &trailers_.section());
    body_.Append(received_.data().substr(head.size));
    received_.Truncate(head.size);
    body_consumed_ = 0;
    waits_for_body_ = false;
    stall_body_mark_ = 0;
    ArmStall(config().timeouts.body_idle);
  }
  BeginExchange({.head = &head, .redirect_to_https = redirect_to_https_});
}

void Http1Connection::OnRefusedHead(Refusal refusal) {
  timer_.Cancel();
  keep_alive_ = false;
  BeginExchange({.head = &parser_->KnownHead(), .refusal = refusal});
}

void Http1Connection::BeginExchange(const Exchange::Request& request) {
  state_ = State::kExchange;
  generation_ = context_.generation;
  auto forwarded = FactsBehindProxies(peer_facts_, *request.head, generation_->config.edge);
  forwarded_facts_ = forwarded ? std::make_unique<const ClientFacts>(std::move(*forwarded)) : nullptr;
  if (forwarded_facts_) context_.book.OfferName(forwarded_facts_->ip);
  ClientSide& side = *this;
  exchange_ = context_.exchanges.Make(context_, *generation_, side, facts(), request,
                                      session_.Decide(request, facts(), *generation_, context_));
}

// ---- the exchange

bool Http1Connection::PumpExchange() {
  WatchForAbort();
  if (state_ != State::kExchange) return false;
  const Exchange::End end = exchange_->Pump();
  if (failed_ && end == Exchange::End::kNotYet) {
    Close(CloseReason::kClientAborted);
    return false;
  }
  switch (end) {
    case Exchange::End::kNotYet:
      return false;
    case Exchange::End::kAnswered:
      unread_ = !exchange_->request_read();
      if (unread_) keep_alive_ = false;
      exchange_.reset();
      state_ = State::kFlushing;
      return true;
    case Exchange::End::kBroken:
      exchange_.reset();
      if (failed_) {
        Close(CloseReason::kClientAborted);
      } else {
        Flush();
        Break();
      }
      return false;
    case Exchange::End::kWithheld:
      out_.Release();
      framed_ = false;
      Break();
      return false;
    case Exchange::End::kTunnelEnded:
      if (!stream_->HasUnsent() && out_.IsEmpty()) {
        Close(CloseReason::kTunnelEnded);
        return false;
      }
      exchange_.reset();
      keep_alive_ = false;
      state_ = State::kFlushing;
      return true;
    case Exchange::End::kTunnelIdle:
      stream_->ShutdownWrite();
      Close(CloseReason::kTunnelIdle);
      return false;
  }
  return false;
}

// While an exchange is under way and its body is in, the client has nothing to say but the next
// request, or that it leaves. Reads only where it moves nothing.
void Http1Connection::WatchForAbort() {
  if (!exchange_->request_read() || exchange_->is_tunnel() || !body_.IsEmpty()) return;
  const std::span<char> room = received_.room();
  if (room.empty()) return;
  const auto result = stream_->Read(room);
  if (result.status == IoStatus::kOk) {
    received_.Commit(result.bytes);
  } else if (result.status != IoStatus::kWouldBlock) {
    Close(CloseReason::kClientAborted);
  }
}

// An answer that cannot be ended must not look as if it were.
void Http1Connection::Break() {
  if (!framed_) {
    const linger reset{1, 0};
    setsockopt(stream_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  Close(CloseReason::kAnswerBroken);
}

bool Http1Connection::EndRequest() {
  stall_timer_.Cancel();
  if (EndsHere()) {
    stream_->ShutdownWrite();
    if (!unread_ && received_.size() <= parser_->head().size && body_.IsEmpty() && !stream_->HasUnsent()) {
      Close(CloseReason::kAnswered);
      return false;
    }
    received_.Release();
    body_.Release();
    state_ = State::kLinger;
    timer_.Arm(context_.loop.timers(), context_.loop.now() + kLinger);
    return true;
  }
  generation_.reset();
  received_.Consume(parser_->head().size);
  if (!body_.IsEmpty()) {
    body_.Consume(std::exchange(body_consumed_, 0));
    std::swap(received_, body_);
  }
  body_.Release();
  parser_->Reset();
  state_ = State::kIdle;
  timer_.Arm(context_.loop.timers(), context_.loop.now() + config().timeouts.keep_alive);
  return true;
}

bool Http1Connection::Discard() {
  switch (ReadAway(*stream_, lingered_)) {
    case Lingering::kForNews:
      break;
    case Lingering::kForTurn:
      next_turn_.Arm();
      break;
    case Lingering::kOver:
      Close(CloseReason::kRefused);
      break;
  }
  return false;
}

// ---- time

void Http1Connection::ArmStall(base::Duration span) {
  if (!stall_timer_.IsArmed()) stall_timer_.Arm(context_.loop.timers(), context_.loop.now() + span);
}

void Http1Connection::OnTimeout() {
  switch (state_) {
    case State::kIdle:
      if (peer_facts_.tls_version != 0) stream_->ShutdownWrite();
      return Close(CloseReason::kKeepAliveTimeout);
    case State::kHead:
      // What the parser knows of the request line is views, and the buffer may have moved since.
      static_cast<void>(parser_->Parse(received_.data()));
      OnRefusedHead(Refusal::kHeaderTimeout);
      return Pump();
    case State::kLinger:
      return Close(CloseReason::kRefused);
    default:
      return;
  }
}

void Http1Connection::OnStall() {
  const uint64_t least = config().limits.min_rate;
  bool again = false;
  if (blocked_) {
    // The timer may have been armed for an earlier block, or for a body.
    if (context_.loop.now() - blocked_since_ >= config().timeouts.write_idle) {
      const uint64_t taken = TakenByClient();
      if (taken < stall_write_mark_ + least) {
        if (exchange_) exchange_->Abandon(Refusal::kWriteTimeout);
        return Close(CloseReason::kWriteTimeout);
      }
      stall_write_mark_ = taken;
      blocked_since_ = context_.loop.now();
    }
    again = true;
  }
  if (state_ == State::kExchange && exchange_ && !exchange_->request_read()) {
    if (waits_for_body_ && !exchange_->IsConversation() && exchange_->bytes_in() - stall_body_mark_ < least) {
      exchange_->RefuseSlowBody();
      return Pump();
    }
    stall_body_mark_ = exchange_->bytes_in();
    again = true;
  }
  if (again) ArmStall(blocked_ ? config().timeouts.write_idle : config().timeouts.body_idle);
}

void Http1Connection::Drain() {
  if (state_ != State::kIdle) return;
  stream_->ShutdownWrite();
  Close(CloseReason::kDrained);
}

void Http1Connection::Close(CloseReason reason) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.Cancel();
  stall_timer_.Cancel();
  exchange_.reset();
  TellClosed(reason);
}

}  // namespace gatebook::proxy
