#include "proxy/client_connection.h"

#include <sys/socket.h>

#include "base/check.h"
#include "net/socket_stream.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Framing;
using http::ParseStatus;
using http::Refusal;
using net::IoStatus;

constexpr std::chrono::seconds kLinger{2};
constexpr size_t kMostLingerBytes = 1024 * 1024;
constexpr size_t kLeastReadRoom = 4096;
// Answers of our own cost an impatient client nothing: others have their turn in between.
constexpr int kMostSteps = 64;

}  // namespace

ClientConnection::ClientConnection(WorkerContext& context, Owner& owner, const config::Listen& listen,
                                   std::optional<base::IpAddress> ip)
    : context_(context),
      owner_(owner),
      listen_(listen),
      ip_(ip),
      received_(context.buffers),
      body_(context.buffers),
      out_(context.buffers),
      parser_(nullptr, {nullptr}),
      exchange_(nullptr, {nullptr}),
      timer_([this] { OnTimeout(); }),
      stall_timer_([this] { OnStall(); }),
      next_turn_(context.loop, [this] { Pump(); }) {
  if (ip_) facts_.ip = *ip_;
  context_.metrics.Add(Metric::kConnectionsAccepted);
  context_.metrics.Add(Metric::kConnectionsOpen);
}

ClientConnection::~ClientConnection() {
  exchange_.reset();
  context_.metrics.Sub(Metric::kConnectionsOpen);
  context_.limiter.Leave(ip_);
}

bool ClientConnection::StartPlain(base::UniqueFd fd) {
  stream_ = net::SocketStream::Accepted(context_.loop, std::move(fd), *this);
  if (!stream_) return false;
  BeginReading();
  return true;
}

bool ClientConnection::StartTls(base::UniqueFd fd, const std::shared_ptr<tls::TlsContext>& tls) {
  auto stream = tls::TlsStream::Accepted(context_.loop, std::move(fd), tls, *this);
  if (!stream) return false;
  tls_ = stream.get();
  stream_ = std::move(stream);
  timer_.Arm(context_.loop.timers(), context_.loop.now() + context_.config.timeouts.handshake);
  return true;
}

void ClientConnection::BeginReading() {
  if (tls_ != nullptr) {
    facts_.tls_version = static_cast<uint8_t>(tls_->version());
    context_.metrics.Add(tls_->resumed() ? Metric::kTlsHandshakesResumed : Metric::kTlsHandshakes);
  }
  facts_.forwarding_fields = MakeForwardingFields(facts_.ip, tls_ != nullptr);
  context_.book.OfferName(ip_);
  state_ = State::kIdle;
  // A client that connects means to ask: no keep-alive patience before its first request.
  timer_.Arm(context_.loop.timers(), context_.loop.now() + context_.config.timeouts.request_header);
}

void ClientConnection::OnStreamReady() {
  if (state_ == State::kHandshake) BeginReading();
  Pump();
}

void ClientConnection::OnStreamFailed() {
  context_.metrics.Add(Metric::kTlsHandshakesFailed);
  if (tls_->saw_plain_http()) {
    context_.refusals.Count(Refusal::kPlainOnTls);
    tls_->SendPlain(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 32\r\nConnection: close\r\n\r\n"
        "This port speaks HTTPS (TLS).  \n");
  }
  Close(CloseReason::kHandshakeFailed);
}

// ---- what drives it

void ClientConnection::Pump() {
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

bool ClientConnection::Step() {
  switch (state_) {
    case State::kHandshake:
    case State::kClosed:
      return false;
    case State::kIdle:
    case State::kHead:
      return ReadHead();
    case State::kExchange:
      return PumpExchange();
    case State::kFlushing:
      Flush();
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

bool ClientConnection::ReadHead() {
  while (true) {
    if (!received_.IsEmpty()) {
      if (state_ == State::kIdle) {
        state_ = State::kHead;
        if (!parser_) parser_ = context_.parsers.Make(context_.head_limits);
        timer_.Arm(context_.loop.timers(), context_.loop.now() + context_.config.timeouts.request_header);
      }
      const ParseStatus status = parser_->Parse(received_.data());
      if (status == ParseStatus::kDone) {
        OnHead();
        return true;
      }
      if (status == ParseStatus::kRefused) {
        RefuseHead(parser_->refusal());
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

void ClientConnection::OnHead() {
  timer_.Cancel();
  context_.metrics.Add(Metric::kRequests);
  ++requests_;
  const http::RequestHead& head = parser_->head();
  keep_alive_ = head.keep_alive;
  if (head.framing != Framing::kNone) {
    // The head stays where it is, its views are in use; the body gets a buffer of its own.
    body_reader_.Begin(head.framing, head.content_length);
    body_.Append(received_.data().substr(head.size));
    received_.Truncate(head.size);
    body_consumed_ = 0;
    waits_for_body_ = false;
    stall_body_mark_ = 0;
    ArmStall(context_.config.timeouts.body_idle);
  }
  state_ = State::kExchange;
  if (listen_.redirect_to_https) return Redirect(head);
  ClientSide& side = *this;
  exchange_ = context_.exchanges.Make(context_, side, facts_, head, DecideSession(&head));
}

void ClientConnection::RefuseHead(Refusal refusal) {
  timer_.Cancel();
  context_.refusals.Count(refusal);
  VisitFacts visit = VisitOfOurOwn(http::InfoOf(refusal).status);
  visit.session = DecideSession(nullptr);
  visit.refusal = refusal;
  context_.book.Write(visit, facts_, nullptr, false, parser_->refused_method(), parser_->refused_target());
  keep_alive_ = false;
  unread_ = true;
  WriteRefusal(refusal, false);
  state_ = State::kFlushing;
}

void ClientConnection::Redirect(const http::RequestHead& head) {
  VisitFacts visit = VisitOfOurOwn(308);
  visit.session = DecideSession(&head);
  context_.book.Write(visit, facts_, &head, false);
  if (head.framing != Framing::kNone) {
    keep_alive_ = false;
    unread_ = true;
  }
  WriteRedirect(head);
  state_ = State::kFlushing;
}

VisitFacts ClientConnection::VisitOfOurOwn(uint16_t status) {
  VisitFacts visit;
  visit.arrival = base::Clock::System().WallNow();
  visit.started = context_.loop.now();
  visit.request_id = context_.request_ids.Next();
  visit.status = status;
  base::CountStatus(context_.metrics, status);
  return visit;
}

// ---- the exchange

bool ClientConnection::PumpExchange() {
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
void ClientConnection::WatchForAbort() {
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
void ClientConnection::Break() {
  if (!framed_) {
    const linger reset{1, 0};
    setsockopt(stream_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  Close(CloseReason::kAnswerBroken);
}

bool ClientConnection::EndRequest() {
  stall_timer_.Cancel();
  if (!keep_alive_ || context_.draining) {
    stream_->ShutdownWrite();
    if (!unread_ && received_.size() <= parser_->head().size && body_.IsEmpty() && !stream_->HasUnsent()) {
      Close(CloseReason::kAnswered);
      return false;
    }
    // Bytes that nobody reads would make the kernel reset the connection, and the reset can
    // overtake the answer (RFC 9112 §9.6): read them for a while.
    received_.Release();
    body_.Release();
    state_ = State::kLinger;
    timer_.Arm(context_.loop.timers(), context_.loop.now() + kLinger);
    return true;
  }
  received_.Consume(parser_->head().size);
  if (!body_.IsEmpty()) {
    body_.Consume(std::exchange(body_consumed_, 0));
    std::swap(received_, body_);
  }
  body_.Release();
  parser_->Reset();
  state_ = State::kIdle;
  timer_.Arm(context_.loop.timers(), context_.loop.now() + context_.config.timeouts.keep_alive);
  return true;
}

bool ClientConnection::Discard() {
  char waste[4096];
  while (true) {
    const auto result = stream_->Read(waste);
    if (result.status == IoStatus::kWouldBlock) return false;
    lingered_ += result.bytes;
    if (result.status != IoStatus::kOk || lingered_ > kMostLingerBytes) {
      Close(CloseReason::kRefused);
      return false;
    }
  }
}

// ---- time

void ClientConnection::ArmStall(base::Duration span) {
  if (!stall_timer_.IsArmed()) stall_timer_.Arm(context_.loop.timers(), context_.loop.now() + span);
}

void ClientConnection::OnTimeout() {
  switch (state_) {
    case State::kHandshake:
      context_.metrics.Add(Metric::kTlsHandshakesTimedOut);
      return Close(CloseReason::kHandshakeTimeout);
    case State::kIdle:
      if (tls_ != nullptr) stream_->ShutdownWrite();
      return Close(CloseReason::kKeepAliveTimeout);
    case State::kHead:
      // What the parser knows of the request line is views, and the buffer may have moved since.
      static_cast<void>(parser_->Parse(received_.data()));
      RefuseHead(Refusal::kHeaderTimeout);
      return Pump();
    case State::kLinger:
      return Close(CloseReason::kRefused);
    default:
      return;
  }
}

void ClientConnection::OnStall() {
  const uint64_t least = context_.config.limits.min_rate;
  bool again = false;
  if (blocked_) {
    // The timer may have been armed for an earlier block, or for a body.
    if (context_.loop.now() - blocked_since_ >= context_.config.timeouts.write_idle) {
      const uint64_t taken = TakenByClient();
      if (taken < stall_write_mark_ + least) return Close(CloseReason::kWriteTimeout);
      stall_write_mark_ = taken;
      blocked_since_ = context_.loop.now();
    }
    again = true;
  }
  if (state_ == State::kExchange && exchange_ && !exchange_->request_read()) {
    if (waits_for_body_ && exchange_->bytes_in() - stall_body_mark_ < least) {
      exchange_->RefuseSlowBody();
      return Pump();
    }
    stall_body_mark_ = exchange_->bytes_in();
    again = true;
  }
  if (again) ArmStall(blocked_ ? context_.config.timeouts.write_idle : context_.config.timeouts.body_idle);
}

void ClientConnection::Drain() {
  if (state_ == State::kHandshake || state_ == State::kIdle) {
    if (state_ == State::kIdle) stream_->ShutdownWrite();
    Close(CloseReason::kDrained);
  }
}

void ClientConnection::Close(CloseReason reason) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.Cancel();
  stall_timer_.Cancel();
  exchange_.reset();
  context_.close_reasons.Count(reason);
  owner_.OnClosed(*this);
}

}  // namespace gatebook::proxy
