#include "proxy/http2_stream.h"

#include <algorithm>

#include "proxy/http2_connection.h"
#include "proxy/linger.h"
#include "proxy/websocket_key.h"

namespace gatebook::proxy {

using http::FieldId;
using http::Refusal;
using net::IoResult;
using net::IoStatus;

Http2Stream::Http2Stream(Http2Connection& connection, int32_t id, std::shared_ptr<Generation> generation)
    : connection_(connection),
      id_(id),
      generation_(std::move(generation)),
      body_(connection.context().buffers),
      exchange_(nullptr, {nullptr}),
      linger_timer_([this] {
        connection_.session().Reset(id_, http::H2Error::kNoError);
        connection_.FlushSoon();
      }) {}

Http2Stream::~Http2Stream() { exchange_.reset(); }

void Http2Stream::Begin(const Exchange::Request& request, bool ended) {
  WorkerContext& context = connection_.context();
  head_ = request.head;
  answers_head_ = head_->method == http::Method::kHead;
  forwarded_facts_ = FactsBehindProxies(connection_.facts(), *request.head, generation_->config.edge);
  facts_ = forwarded_facts_ ? &*forwarded_facts_ : &connection_.facts();
  if (forwarded_facts_) context.book.OfferName(forwarded_facts_->ip);
  body_ended_ = ended;
  const VisitSession session = connection_.client_session().Decide(request, *facts_, *generation_, context);
  ClientSide& side = *this;
  exchange_ = context.exchanges.Make(context, *generation_, side, *facts_, request, session);
  connection_.MakeReady(*this);
}

void Http2Stream::Pump() {
  if (!exchange_) return;
  const Exchange::End end = exchange_->Pump();
  if (end != Exchange::End::kNotYet) EndExchange(end);
}

void Http2Stream::EndExchange(Exchange::End end) {
  http::H2Session& session = connection_.session();
  exchange_.reset();
  switch (end) {
    case Exchange::End::kNotYet:
      return;
    case Exchange::End::kAnswered:
      if (body_ended_) break;
      if (turned_down_) {
        Linger();
      } else {
        session.Reset(id_, http::H2Error::kNoError);
      }
      break;
    case Exchange::End::kBroken:
    case Exchange::End::kWithheld:
      // An answer that cannot be ended must not look as if it were.
      session.Reset(id_, http::H2Error::kInternalError);
      break;
    case Exchange::End::kTunnelEnded:
      session.Reset(id_, ended_ && body_ended_ ? http::H2Error::kNoError : http::H2Error::kCancel);
      break;
    case Exchange::End::kTunnelIdle:
      session.Reset(id_, http::H2Error::kCancel);
      break;
  }
  blocked_ = false;
  waits_for_body_ = false;
  Discard();
  connection_.FlushSoon();
}

// A stream that the client never ends, though nothing of it is wanted any more, would keep the connection
// from ever being idle.
void Http2Stream::Linger() {
  net::Loop& loop = connection_.context().loop;
  linger_timer_.Arm(loop.timers(), loop.now() + kLinger);
}

// ---- the request

void Http2Stream::OnBody(std::string_view piece) {
  if (!exchange_) {
    http::H2Session& session = connection_.session();
    session.Consume(id_, piece.size());
    lingered_ += piece.size();
    if (lingered_ > kMostLingerBytes) session.Reset(id_, http::H2Error::kNoError);
    return connection_.FlushSoon();
  }
  body_.Append(piece);
}

void Http2Stream::Discard() {
  connection_.session().Consume(id_, body_.size());
  body_consumed_ = 0;
  body_.Release();
}

void Http2Stream::OnGone(std::optional<Refusal> refusal) {
  gone_ = true;
  if (!exchange_) return;
  if (refusal) exchange_->Abandon(*refusal);
  exchange_.reset();
}

ClientSide::Take Http2Stream::ReadBody(size_t most, std::string_view& piece) {
  if (body_consumed_ > 0) {
    connection_.session().Consume(id_, body_consumed_);
    connection_.FlushSoon();  // a window update
    body_.Consume(std::exchange(body_consumed_, 0));
  }
  waits_for_body_ = false;
  if (!body_.IsEmpty()) {
    piece = body_.data().substr(0, most);
    body_consumed_ = piece.size();
    return Take::kBytes;
  }
  body_.Release();
  if (body_ended_) return Take::kEnd;
  if (gone_) return Take::kGone;
  waits_for_body_ = true;
  return Take::kWait;
}

void Http2Stream::WriteContinue() {
  if (!head_->expect_continue || !body_.IsEmpty()) return;
  http::ResponseHead head;
  head.status = 100;
  WriteInterim(head);
}

// ---- the answer

// What we say of ourselves in every final answer.
void Http2Stream::AppendOwnFields(std::vector<http::Field>& out) {
  if (facts_->secure && !generation_->hsts.empty()) {
    out.push_back({.name = "strict-transport-security", .value = generation_->hsts});
  }
  ClientSession& session = connection_.client_session();
  if (session.TakeSetCookie()) {
    out.push_back({.name = "set-cookie", .value = generation_->sessions.SetCookieValue(session.token())});
  }
  if (!generation_->policy_link.empty()) out.push_back({.name = "link", .value = generation_->policy_link});
  if (session.TakePolicyNotice() && !generation_->policy_notice.empty()) {
    out.push_back({.name = "x-gatebook-policy-notice", .value = generation_->policy_notice});
    out.push_back({.name = "set-cookie", .value = generation_->policy_cookies[facts_->secure ? 1 : 0]});
    connection_.context().metrics.Add(base::Metric::kPolicyNotices);
  }
}

void Http2Stream::WriteInterim(const http::ResponseHead& head) {
  connection_.session().SubmitHead(id_, head, {}, false);
  connection_.FlushSoon();
}

void Http2Stream::WriteHead(const http::ResponseHead& head, bool, const http::HeaderRules* rules) {
  http::ResponseHead answer = head;
  std::vector<http::Field>& kept = connection_.context().kept_fields;
  std::vector<http::Field>& more = connection_.context().more_fields;
  kept.clear();
  more.clear();
  const bool tunnel = head.status == 101;
  const bool hsts = facts_->secure && !generation_->hsts.empty();
  for (const http::Field& field : head.fields) {
    if (hsts && field.id == FieldId::kStrictTransportSecurity) continue;
    if (tunnel && IsWebSocketAccept(field)) continue;
    if (rules != nullptr && rules->Drops(field.name)) continue;
    kept.push_back(field);
  }
  answer.fields = kept;
  turned_down_ = head.status >= 300;
  // A tunnel over HTTP/2 is opened by 200, and nobody asked with a key (RFC 8441 §5).
  if (tunnel) answer.status = 200;
  if (rules != nullptr) {
    for (const auto& put : rules->puts()) more.push_back({.name = put.lower_name, .value = put.value});
  }
  AppendOwnFields(more);
  ended_ = head.framing == http::Framing::kNone && !tunnel;
  connection_.session().SubmitHead(id_, answer, more, ended_);
  connection_.FlushSoon();
}

size_t Http2Stream::WriteOwnAnswer(const OwnAnswer& answer, bool) {
  http::ResponseHead head;
  head.status = answer.status();
  turned_down_ = head.status >= 300;
  head.fields = answer.fields();
  head.has_content_length = answer.status() != 304;  // which says nothing of the length that it saves
  head.content_length = answer.body().size();
  std::vector<http::Field>& more = connection_.context().more_fields;
  more.clear();
  AppendOwnFields(more);
  const size_t size = answer.body().size();
  ended_ = size == 0 || answers_head_;
  http::H2Session& session = connection_.session();
  session.SubmitHead(id_, head, more, ended_);
  connection_.FlushSoon();
  if (ended_) return size;
  if (!answer.is_line()) return WriteBody(answer.body());
  const size_t taken = session.OfferData(id_, answer.body(), true);
  if (taken < size && session.HasWindow(id_)) {
    // The room is taken by answers of others.
    blocked_ = true;
    written_ += taken;
    return taken;
  }
  // A client that has no window for a line of text hears the status, and a reset.
  if (taken < size) session.Reset(id_, http::H2Error::kNoError);
  ended_ = true;
  return size;
}

size_t Http2Stream::WriteBody(std::string_view piece) {
  if (gone_) return piece.size();  // nobody is there; the exchange will hear of it
  const size_t taken = connection_.session().OfferData(id_, piece);
  written_ += taken;
  blocked_ = taken < piece.size();
  connection_.FlushSoon();
  return taken;
}

void Http2Stream::WriteEnd(std::span<const http::Field> trailers) {
  // Without fields it is a mere end.
  if (!std::exchange(ended_, true)) connection_.session().SubmitTrailers(id_, trailers);
  connection_.FlushSoon();
}

void Http2Stream::Flush() { connection_.FlushSoon(); }

// ---- a tunnel

IoResult Http2Stream::ReadTunnel(std::span<char> into) {
  if (!body_.IsEmpty()) {
    const size_t taken = body_.data().copy(into.data(), into.size());
    body_.Consume(taken);
    connection_.session().Consume(id_, taken);
    connection_.FlushSoon();
    return {IoStatus::kOk, taken};
  }
  body_.Release();
  if (gone_) return {IoStatus::kError};
  return {body_ended_ ? IoStatus::kEnd : IoStatus::kWouldBlock};
}

IoResult Http2Stream::WriteTunnel(std::string_view bytes) {
  if (gone_) return {IoStatus::kError};
  const size_t taken = WriteBody(bytes);
  if (taken == 0) return {IoStatus::kWouldBlock};
  return {IoStatus::kOk, taken};
}

void Http2Stream::ShutdownTunnel() { WriteEnd({}); }

// ---- turns and time

void Http2Stream::YieldTurn() { connection_.MakeReady(*this); }

void Http2Stream::OnExchangeReady() { connection_.MakeReady(*this); }

// Blocked, or waiting, over all of the span.
void Http2Stream::JudgeWriting(uint64_t least) {
  if (!exchange_) return;
  if (blocked_ && was_blocked_ && written_ < write_mark_ + least) {
    if (!connection_.session().HasWindow(id_)) connection_.session().ChargeStall();
    exchange_->Abandon(Refusal::kWriteTimeout);
    return EndExchange(Exchange::End::kBroken);
  }
  was_blocked_ = blocked_;
  write_mark_ = written_;
}

void Http2Stream::JudgeReading(uint64_t least) {
  if (!exchange_) return;
  if (waits_for_body_ && had_body_wait_ && !exchange_->IsConversation() &&
      exchange_->bytes_in() < body_mark_ + least) {
    exchange_->RefuseSlowBody();
    connection_.MakeReady(*this);
  }
  had_body_wait_ = waits_for_body_;
  body_mark_ = exchange_->bytes_in();
}

}  // namespace gatebook::proxy
