#include "proxy/http2_upstream_stream.h"

#include <algorithm>

#include "base/ascii.h"
#include "proxy/http2_upstream.h"
#include "proxy/request_writer.h"
#include "proxy/websocket_key.h"

namespace gatebook::proxy {
namespace {

using http::Framing;
using http::Refusal;
using net::IoResult;
using net::IoStatus;

constexpr size_t kMostOut = 64 * 1024;
// Shown at a time, so that the window opens again before all of it was used.
constexpr size_t kPiece = 16 * 1024;

// A head's fields and their text, which else end with the call.
void Copy(const http::ResponseHead& head, http::H2HeadText& text) {
  size_t size = 0;
  for (const http::Field& field : head.fields) size += field.name.size() + field.value.size();
  text.text.reserve(size);  // so that the views stay
  const auto keep = [&text](std::string_view part) {
    const size_t begin = text.text.size();
    text.text.append(part);
    return std::string_view(text.text).substr(begin);
  };
  for (const http::Field& field : head.fields) {
    http::Field copy = field;
    copy.name = keep(field.name);
    copy.value = keep(field.value);
    text.fields.push_back(copy);
  }
}

}  // namespace

Http2UpstreamStream::Http2UpstreamStream(Http2Upstream& connection, base::BufferPool& buffers,
                                         http::H2HeadText room)
    : UpstreamSide(connection.server(), true),
      connection_(connection),
      out_(buffers),
      text_(std::move(room)),
      body_(buffers) {}

void Http2UpstreamStream::Leave() {
  if (id_ != 0 && !closed_ && !(ended_ && end_sent_)) {
    connection_.session().Reset(id_, http::H2Error::kCancel);
  }
  connection_.Remove(*this, !closed_ && !has_head_);
}

void Http2UpstreamStream::Fail(Refusal refusal, Repeat repeat) {
  closed_ = true;
  failure_ = {refusal, repeat};
}

// ---- the request

void Http2UpstreamStream::Begin(User& user, const OutgoingRequest& request) {
  user_ = &user;
  connection_.NoteBegun();
  request_ = &request.head;
  begun_ = connection_.now();
  tunnel_ = !request.upgrade.empty();
  // It was there a moment ago.
  if (connection_.IsOver()) return Fail(Refusal::kUpstreamClosed, Repeat::kAlways);
  http::H2Session& session = connection_.session();
  if (tunnel_ && !session.AllowsConnect()) return Fail(Refusal::kUpstreamNoTunnels);
  whole_ = request.head.framing == Framing::kNone;
  end_sent_ = whole_ && !tunnel_;
  const auto id = session.SubmitRequest(connection_.fields().Make(request, connection_.scheme()), end_sent_);
  connection_.fields().Release();
  if (!id) return Fail(Refusal::kUpstreamClosed, Repeat::kAlways);
  id_ = *id;
  connection_.FlushSoon();
}

size_t Http2UpstreamStream::room() const { return kMostOut - std::min(kMostOut, out_.size()); }

void Http2UpstreamStream::WriteBody(std::string_view piece) {
  if (closed_) return;
  if (out_.IsEmpty()) {
    const size_t taken = connection_.session().OfferData(id_, piece);
    moved_ += taken;
    piece.remove_prefix(taken);
    connection_.FlushSoon();
  }
  out_.Append(piece);
}

void Http2UpstreamStream::WriteEnd(std::span<const http::Field> trailers) {
  whole_ = true;
  if (!trailers.empty()) trailers_out_.Copy(trailers);
  if (out_.IsEmpty()) SendEnd();
}

void Http2UpstreamStream::SendEnd() {
  if (closed_ || std::exchange(end_sent_, true)) return;
  // Without fields it is a mere end.
  connection_.session().SubmitTrailers(id_, trailers_out_.fields());
  connection_.FlushSoon();
}

UpstreamSide::Sent Http2UpstreamStream::Send() {
  Sent sent;
  if (!closed_ && !out_.IsEmpty()) {
    const size_t taken = connection_.session().OfferData(id_, out_.data());
    out_.Consume(taken);
    moved_ += taken;
    if (taken > 0) connection_.FlushSoon();
  }
  sent.bytes = std::exchange(moved_, 0);
  if (closed_ && !end_sent_) {
    out_.Release();
    sent.status = Sent::Status::kFailed;
  } else if (!closed_ && !out_.IsEmpty()) {
    sent.status = Sent::Status::kBlocked;
  } else {
    out_.Release();
    if (whole_ && !tunnel_) SendEnd();
  }
  return sent;
}

// ---- the answer

void Http2UpstreamStream::OnInterim(const http::ResponseHead& head) {
  seen_ = true;
  if (interims_.size() == kMostInterims) {
    Fail(Refusal::kUpstreamTooMany1xx);
    return connection_.session().Reset(id_, http::H2Error::kCancel);
  }
  interims_.push_back(std::make_unique<Interim>());
  Interim& interim = *interims_.back();
  interim.head = head;
  Copy(head, interim.text);
  interim.head.fields = interim.text.fields;
  interim.head.reason = http::ReasonPhrase(head.status);
}

void Http2UpstreamStream::OnResponse(bool ended) {
  head_ = connection_.session().KeepHead(id_, text_);
  head_.reason = http::ReasonPhrase(head_.status);
  has_head_ = true;
  ended_ = ended;
}

void Http2UpstreamStream::OnClosed(const http::H2Closing& closing) {
  if (std::exchange(closed_, true) || ended_) return;
  if (closing.refusal) {
    failure_.refusal =
        *closing.refusal == Refusal::kUpstreamBadHead ? Refusal::kUpstreamBadHead : Refusal::kUpstreamBadBody;
    return;
  }
  if (has_head_) {
    failure_.refusal = Refusal::kUpstreamBadBody;
    return;
  }
  failure_.refusal = Refusal::kUpstreamClosed;
  if (seen_) return;
  if (closing.connection) {
    if (connection_.IsUsed()) failure_.repeat = Repeat::kIfSafe;
  } else if (closing.code == static_cast<uint32_t>(http::H2Error::kRefusedStream)) {
    failure_.repeat = Repeat::kAlways;
  }
}

void Http2UpstreamStream::DropShown() {
  if (shown_ == 0) return;
  connection_.session().Consume(id_, shown_);
  connection_.FlushSoon();  // a window update
  body_.Consume(std::exchange(shown_, 0));
}

UpstreamSide::Take Http2UpstreamStream::Read(std::string_view& piece) {
  DropShown();
  const Take take = head_shown_ ? ShowBody(piece) : ShowHead();
  if (take != Take::kWait || !closed_) return take;
  return Take::kFailed;
}

UpstreamSide::Take Http2UpstreamStream::ShowHead() {
  shown_interim_.reset();
  if (!interims_.empty()) {
    shown_interim_ = std::move(interims_.front());
    interims_.erase(interims_.begin());
    return Take::kInterim;
  }
  if (!has_head_) return Take::kWait;
  if (tunnel_ && head_.status < 300) {
    MakeTunnelHead();
    head_shown_ = true;
    return Take::kTunnel;
  }
  // Without content it is whole when it was said to be.
  if (head_.framing == Framing::kNone && !ended_) return Take::kWait;
  head_shown_ = true;
  return Take::kHead;
}

UpstreamSide::Take Http2UpstreamStream::ShowBody(std::string_view& piece) {
  piece = {};
  if (body_.IsEmpty()) {
    body_.Release();
    return ended_ ? Take::kEnd : Take::kWait;
  }
  const size_t size = std::min(body_.size(), kPiece);
  const bool last = size == body_.size();
  if (last && !ended_ && head_.framing == Framing::kLength && read_ + size == head_.content_length) {
    return Take::kWait;
  }
  piece = body_.data().substr(0, size);
  shown_ = size;
  read_ += size;
  return last && ended_ ? Take::kEnd : Take::kBytes;
}

// ---- a tunnel

void Http2UpstreamStream::MakeTunnelHead() {
  head_.status = 101;
  head_.reason = http::ReasonPhrase(101);
  head_.framing = Framing::kNone;
  head_.has_content_length = false;
  head_.websocket = true;
  head_.upgrade = "websocket";
  for (http::Field& field : text_.fields) field.hop_by_hop = field.hop_by_hop || IsWebSocketAccept(field);
  const auto key = std::ranges::find_if(request_->fields, [](const http::Field& field) {
    return base::EqualsIgnoreCase(field.name, "sec-websocket-key");
  });
  // Whoever came by HTTP/2 itself asked with none.
  if (!request_->extended_connect && key != request_->fields.end()) {
    accept_ = WebSocketAcceptOf(key->value);
    text_.fields.push_back(
        {.name = "Sec-WebSocket-Accept", .value = accept_, .id = http::FieldId::kSecWebSocket});
  }
  head_.fields = text_.fields;
}

IoResult Http2UpstreamStream::ReadTunnel(std::span<char> into) {
  if (body_.IsEmpty()) {
    body_.Release();
    if (ended_) return {IoStatus::kEnd};
    return {closed_ ? IoStatus::kError : IoStatus::kWouldBlock};
  }
  shown_ = body_.data().copy(into.data(), into.size());
  const size_t taken = shown_;
  DropShown();
  return {IoStatus::kOk, taken};
}

IoResult Http2UpstreamStream::WriteTunnel(std::string_view bytes) {
  if (closed_) return {IoStatus::kError};
  const size_t taken = connection_.session().OfferData(id_, bytes);
  if (taken == 0) return {IoStatus::kWouldBlock};
  connection_.FlushSoon();
  return {IoStatus::kOk, taken};
}

void Http2UpstreamStream::ShutdownTunnel() { SendEnd(); }

}  // namespace gatebook::proxy
