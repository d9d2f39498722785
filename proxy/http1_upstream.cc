#include "proxy/http1_upstream.h"

#include <algorithm>

#include "proxy/request_writer.h"
#include "proxy/upstream_pool.h"
#include "proxy/websocket_key.h"

namespace gatebook::proxy {
namespace {

using http::Framing;
using http::ParseStatus;
using http::Refusal;
using net::IoResult;
using net::IoStatus;

constexpr size_t kMostOut = 64 * 1024;
constexpr size_t kRecord = 16 * 1024;  // of TLS, towards the client; less than any buffer

}  // namespace

Http1Upstream::Http1Upstream(UpstreamPool& pool, base::BufferPool& buffers,
                             std::unique_ptr<UpstreamConnection> connection)
    : UpstreamSide(connection->server(), false),
      pool_(pool),
      connection_(std::move(connection)),
      out_(buffers) {}

std::unique_ptr<UpstreamConnection> Http1Upstream::TakeConnection() {
  connection_->SetUser(nullptr);
  return std::move(connection_);
}

// ---- the request

void Http1Upstream::Begin(UpstreamSide::User& user, const OutgoingRequest& request) {
  user_ = &user;
  connection_->SetUser(this);
  connection_->parser().Reset();
  method_ = request.head.method;
  offered_ = request.upgrade;
  chunked_ = request.head.framing == Framing::kChunked;
  whole_ = request.head.framing == Framing::kNone;
  // A client's own key is the client's to check.
  if (request.head.extended_connect) websocket_key_ = MakeWebSocketKey();
  WriteRequestHead(out_, request, websocket_key_);
}

size_t Http1Upstream::room() const { return kMostOut - std::min(kMostOut, out_.size()); }

void Http1Upstream::WriteBody(std::string_view piece) {
  if (!chunked_) return out_.Append(piece);
  char line[24];
  out_.Append({line, http::WriteChunkLine(piece.size(), line)});
  out_.Append(piece);
  out_.Append("\r\n");
}

void Http1Upstream::WriteEnd(std::span<const http::Field> trailers) {
  whole_ = true;
  if (chunked_) http::AppendLastChunk(out_, trailers);
}

UpstreamSide::Sent Http1Upstream::Send() {
  Sent sent;
  while (!out_.IsEmpty()) {
    const IoResult result = connection_->stream().Write(out_.data());
    if (result.status == IoStatus::kWouldBlock) {
      sent.status = Sent::Status::kBlocked;
      return sent;
    }
    if (result.status != IoStatus::kOk) {
      send_failed_ = true;
      out_.Release();
      sent.status = Sent::Status::kFailed;
      return sent;
    }
    out_.Consume(result.bytes);
    sent.bytes += result.bytes;
  }
  if (whole_) out_.Release();
  if (send_failed_) sent.status = Sent::Status::kFailed;
  return sent;
}

// ---- the answer

void Http1Upstream::DropShown() {
  if (shown_ == 0) return;
  connection_->received().Consume(std::exchange(shown_, 0));
  if (std::exchange(interim_, false)) connection_->parser().Reset();
}

UpstreamSide::Take Http1Upstream::Read(std::string_view& piece) {
  DropShown();
  base::Buffer& received = connection_->received();
  while (true) {
    if (!received.IsEmpty()) {
      if (const Take take = Next(piece); take != Take::kWait) return take;
    }
    received.Reserve(large_reads_ ? base::BufferPool::kLarge / 2 : 4096);
    std::span<char> room = received.room();
    // A body in whole records: what is left over would be a small record, and a packet, of its own.
    if (state_ == State::kBody && received.IsEmpty()) room = room.first(room.size() - room.size() % kRecord);
    const IoResult result = connection_->stream().Read(room);
    if (result.status == IoStatus::kWouldBlock) {
      received.ReleaseIfEmpty();
      return Take::kWait;
    }
    if (result.status != IoStatus::kOk) return OnEnd(result.status == IoStatus::kEnd);
    received.Commit(result.bytes);
    seen_ = true;
    large_reads_ = result.bytes == room.size();
  }
}

UpstreamSide::Take Http1Upstream::Next(std::string_view& piece) {
  return state_ == State::kHead ? ReadHead() : ReadBody(piece);
}

UpstreamSide::Take Http1Upstream::ReadHead() {
  http::ResponseParser& parser = connection_->parser();
  const ParseStatus status = parser.Parse(connection_->received().data(), method_, offered_);
  if (status == ParseStatus::kNeedMore) return Take::kWait;
  if (status == ParseStatus::kRefused) return Fail(parser.refusal());
  const http::ResponseHead& head = parser.head();
  shown_ = head.size;
  if (head.status == 101) {
    if (!IsHandshakeAnswered()) return Fail(Refusal::kUpstreamBadUpgrade);
    state_ = State::kTunnel;
    return Take::kTunnel;
  }
  if (head.status < 200) {
    interim_ = true;
    return Take::kInterim;
  }
  keep_alive_ = head.keep_alive && head.framing != Framing::kToClose;
  state_ = head.framing == Framing::kNone ? State::kOver : State::kBody;
  body_.Begin(head.framing, head.content_length, &trailers_.section());
  return Take::kHead;
}

UpstreamSide::Take Http1Upstream::ReadBody(std::string_view& piece) {
  base::Buffer& received = connection_->received();
  while (!received.IsEmpty()) {
    const auto step = body_.Read(received.data());
    if (body_.HasFailed()) return Fail(Refusal::kUpstreamBadBody);
    if (step.consumed == 0) break;
    piece = step.payload;
    if (body_.IsDone()) {
      if (!trailers_.Parse()) return Fail(Refusal::kUpstreamBadBody);
      shown_ = step.consumed;
      state_ = State::kOver;
      return Take::kEnd;
    }
    if (!piece.empty()) {
      shown_ = step.consumed;
      return Take::kBytes;
    }
    received.Consume(step.consumed);
  }
  return Take::kWait;
}

bool Http1Upstream::IsHandshakeAnswered() const {
  if (websocket_key_.empty()) return true;
  const auto& fields = head().fields;
  return std::any_of(fields.begin(), fields.end(), [this](const http::Field& field) {
    return IsWebSocketAccept(field) && field.value == WebSocketAcceptOf(websocket_key_);
  });
}

UpstreamSide::Take Http1Upstream::Fail(Refusal refusal) {
  failure_.refusal = refusal;
  return Take::kFailed;
}

UpstreamSide::Take Http1Upstream::OnEnd(bool in_good_order) {
  if (state_ == State::kBody) {
    if (body_.framing() == Framing::kToClose && in_good_order) {
      state_ = State::kOver;
      return Take::kEnd;
    }
    return Fail(Refusal::kUpstreamBadBody);
  }
  if (connection_->reused() && !seen_) failure_.repeat = Repeat::kIfSafe;
  return Fail(Refusal::kUpstreamClosed);
}

// ---- a tunnel

IoResult Http1Upstream::ReadTunnel(std::span<char> into) {
  DropShown();
  base::Buffer& received = connection_->received();
  if (received.IsEmpty()) {
    received.Release();
    return connection_->stream().Read(into);
  }
  // What came behind the head.
  const size_t taken = received.data().copy(into.data(), into.size());
  received.Consume(taken);
  return {IoStatus::kOk, taken};
}

// ---- the end

bool Http1Upstream::IsExact() {
  if (!whole_ || send_failed_ || !out_.IsEmpty() || state_ != State::kOver || !keep_alive_) return false;
  DropShown();
  char surplus;
  return connection_->received().IsEmpty() &&
         connection_->stream().Read({&surplus, 1}).status == IoStatus::kWouldBlock;
}

void Http1Upstream::Leave() {
  if (connection_ && IsExact()) {
    pool_.GiveIdle(std::move(connection_));
  } else if (connection_) {
    pool_.Drop(std::move(connection_));
  }
  pool_.Forget(*this);
}

}  // namespace gatebook::proxy
