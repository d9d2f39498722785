// The writing half of Http1Connection: ClientSide as HTTP/1.

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <charconv>

#include "base/check.h"
#include "proxy/http1_connection.h"

namespace gatebook::proxy {
namespace {

using http::FieldId;
using http::Framing;
using http::Refusal;
using net::IoResult;
using net::IoStatus;

// What is gathered before it is pushed on: one full TLS record.
constexpr size_t kGather = 16 * 1024;
// What a slow client may leave standing here of a chunked answer.
constexpr size_t kMostOut = 64 * 1024;

void AppendNumber(base::Buffer& out, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.Append({digits, static_cast<size_t>(end - digits)});
}

void AppendStatusLine(base::Buffer& out, int status, std::string_view reason) {
  out.Append("HTTP/1.1 ");
  AppendNumber(out, static_cast<uint64_t>(status));
  out.Append(" ");
  out.Append(reason);
  out.Append("\r\n");
}

}  // namespace

ClientSide::Take Http1Connection::ReadBody(size_t most, std::string_view& piece) {
  body_.Consume(std::exchange(body_consumed_, 0));
  waits_for_body_ = false;
  while (true) {
    if (body_reader_.IsDone()) {
      if (trailers_.Parse()) return Take::kEnd;
      body_refusal_ = Refusal::kBadTrailer;
      return Take::kRefused;
    }
    if (!body_.IsEmpty()) {
      const auto step = body_reader_.Read(body_.data(), most);
      if (body_reader_.HasFailed()) {
        body_refusal_ = body_reader_.refusal();
        return Take::kRefused;
      }
      if (!step.payload.empty()) {
        piece = step.payload;
        body_consumed_ = step.consumed;
        return Take::kBytes;
      }
      if (step.consumed > 0) {
        body_.Consume(step.consumed);
        continue;
      }
    }
    body_.Reserve(kGather / 2);
    const auto result = stream_->Read(body_.room());
    if (result.status == IoStatus::kOk) {
      body_.Commit(result.bytes);
    } else if (result.status == IoStatus::kWouldBlock) {
      body_.ReleaseIfEmpty();
      waits_for_body_ = true;
      return Take::kWait;
    } else {
      failed_ = true;
      return Take::kGone;
    }
  }
}

void Http1Connection::WriteContinue() {
  if (!parser_->head().expect_continue || !body_.IsEmpty()) return;
  out_.Append("HTTP/1.1 100 Continue\r\n\r\n");
  Flush();
}

void Http1Connection::AppendField(std::string_view name, std::string_view value) {
  out_.Append(name);
  out_.Append(": ");
  out_.Append(value);
  out_.Append("\r\n");
}

void Http1Connection::AppendFields(const http::ResponseHead& head, const http::HeaderRules* rules) {
  const bool hsts = facts().secure && !generation_->hsts.empty();
  for (const http::Field& field : head.fields) {
    if (field.hop_by_hop || field.id == FieldId::kContentLength || field.id == FieldId::kTransferEncoding ||
        (hsts && field.id == FieldId::kStrictTransportSecurity)) {
      continue;
    }
    if (rules != nullptr && rules->Drops(field.name)) continue;
    AppendField(field.name, field.value);
  }
  if (rules != nullptr) out_.Append(rules->lines());
}

// What we say of ourselves in every final answer.
void Http1Connection::AppendOwnFields() {
  if (facts().secure && !generation_->hsts.empty()) {
    AppendField("Strict-Transport-Security", generation_->hsts);
  }
  if (session_.TakeSetCookie())
    AppendField("Set-Cookie", generation_->sessions.SetCookieValue(session_.token()));
  if (!generation_->policy_link.empty()) AppendField("Link", generation_->policy_link);
  if (session_.TakePolicyNotice() && !generation_->policy_notice.empty()) {
    AppendField("X-Gatebook-Policy-Notice", generation_->policy_notice);
    AppendField("Set-Cookie", generation_->policy_cookies[facts().secure ? 1 : 0]);
    context_.metrics.Add(base::Metric::kPolicyNotices);
  }
}

void Http1Connection::WriteInterim(const http::ResponseHead& head) {
  AppendStatusLine(out_, head.status, head.reason);
  AppendFields(head, nullptr);
  out_.Append("\r\n");
  Flush();
}

void Http1Connection::WriteHead(const http::ResponseHead& head, bool request_read,
                                const http::HeaderRules* rules) {
  const http::RequestHead& request = parser_->head();
  out_.Reserve(head.size + 512);
  AppendStatusLine(out_, head.status, head.reason);
  AppendFields(head, rules);
  AppendOwnFields();
  chunked_ = false;
  framed_ = true;
  if (head.status == 101) {
    out_.Append("Connection: Upgrade\r\n");
    AppendField("Upgrade", head.upgrade);
    out_.Append("\r\n");
    return;
  }
  const uint32_t most = config().limits.requests_per_connection;
  keep_alive_ = request.keep_alive && request_read && !context_.draining && (most == 0 || requests_ < most);
  if (head.framing == Framing::kChunked || head.framing == Framing::kToClose) {
    // Framing is of this hop: an answer that ends with its connection becomes chunked.
    chunked_ = request.minor_version >= 1;
    framed_ = chunked_;
    if (chunked_) {
      out_.Append("Transfer-Encoding: chunked\r\n");
    } else {
      keep_alive_ = false;
    }
  } else if (head.has_content_length) {
    out_.Append("Content-Length: ");
    AppendNumber(out_, head.content_length);
    out_.Append("\r\n");
  } else if (head.status != 204 && head.status != 304 && request.method != http::Method::kHead) {
    // HTTP/2 says by other means that there is none.
    out_.Append("Content-Length: 0\r\n");
  }
  AppendConnection();
  out_.Append("\r\n");
}

void Http1Connection::AppendConnection() {
  if (!keep_alive_) {
    out_.Append("Connection: close\r\n");
  } else if (parser_->head().minor_version == 0) {
    out_.Append("Connection: keep-alive\r\n");
  }
}

size_t Http1Connection::WriteOwnAnswer(const OwnAnswer& answer, bool request_read) {
  keep_alive_ = keep_alive_ && request_read && !context_.draining;
  AppendStatusLine(out_, answer.status(), http::ReasonPhrase(answer.status()));
  for (const http::Field& field : answer.fields()) AppendField(field.name, field.value);
  if (answer.status() != 304) {  // which says nothing of the length that it saves
    out_.Append("Content-Length: ");
    AppendNumber(out_, answer.body().size());
    out_.Append("\r\n");
  }
  AppendOwnFields();
  AppendConnection();
  out_.Append("\r\n");
  chunked_ = false;
  framed_ = true;
  if (parser_->head().method == http::Method::kHead) return answer.body().size();
  return WriteBody(answer.body());
}

size_t Http1Connection::WriteBody(std::string_view piece) {
  if (failed_) return piece.size();  // nobody is there; the exchange will hear of it
  if (chunked_) return WriteChunk(piece);
  size_t taken = 0;
  if (!out_.IsEmpty()) {
    taken = std::min(piece.size(), kGather - std::min(kGather, out_.size()));
    out_.Append(piece.substr(0, taken));
    if (taken == piece.size()) return taken;
    Flush();
    if (!out_.IsEmpty()) return taken;
  }
  // The rest goes as it stands in the upstream's buffer.
  while (taken < piece.size()) {
    const IoResult result = stream_->Write(piece.substr(taken));
    if (result.status == IoStatus::kWouldBlock) {
      NoteBlocked();
      break;
    }
    if (result.status != IoStatus::kOk) {
      failed_ = true;
      return piece.size();
    }
    written_ += result.bytes;
    taken += result.bytes;
  }
  return taken;
}

size_t Http1Connection::WriteChunk(std::string_view piece) {
  if (out_.size() >= kMostOut) Flush();
  if (out_.size() >= kMostOut) return 0;
  const size_t taken = std::min(piece.size(), kMostOut - out_.size());
  char line[24];
  out_.Append({line, http::WriteChunkLine(taken, line)});
  out_.Append(piece.substr(0, taken));
  out_.Append("\r\n");
  if (out_.size() >= kGather) Flush();
  return taken;
}

void Http1Connection::WriteEnd(std::span<const http::Field> trailers) {
  if (!chunked_ || failed_) return;
  // RFC 9110 §6.5.1: who did not ask for them may stumble over them.
  if (!trailers.empty() && !http::AcceptsTrailers(parser_->head().fields)) trailers = {};
  http::AppendLastChunk(out_, trailers);
}

void Http1Connection::Flush(bool last) {
  while (!out_.IsEmpty() && !failed_) {
    const IoResult result = last ? stream_->WriteLast(out_.data()) : stream_->Write(out_.data());
    if (result.status == IoStatus::kOk) {
      out_.Consume(result.bytes);
      written_ += result.bytes;
    } else if (result.status == IoStatus::kWouldBlock) {
      return NoteBlocked();
    } else {
      failed_ = true;
    }
  }
  out_.Release();
  if (stream_->HasUnsent()) {
    NoteBlocked();
  } else {
    blocked_ = false;
  }
}

void Http1Connection::NoteBlocked() {
  if (!blocked_) {
    stall_write_mark_ = TakenByClient();
    blocked_since_ = context_.loop.now();
  }
  blocked_ = true;
  ArmStall(config().timeouts.write_idle);
}

// What we wrote less what still stands in the stream and in the kernel.
uint64_t Http1Connection::TakenByClient() const {
  int queued = 0;
  if (ioctl(stream_->fd(), SIOCOUTQ, &queued) != 0) queued = 0;
  const uint64_t waiting = stream_->unsent_size() + static_cast<uint64_t>(queued);
  return written_ > waiting ? written_ - waiting : 0;
}

IoResult Http1Connection::ReadTunnel(std::span<char> into) {
  // What came behind the handshake's head is the tunnel's already.
  const std::string_view early =
      received_.data().substr(std::min(received_.size(), parser_->head().size + tunnel_taken_));
  if (early.empty()) return stream_->Read(into);
  const size_t taken = std::min(early.size(), into.size());
  early.copy(into.data(), taken);
  tunnel_taken_ += taken;
  return {IoStatus::kOk, taken};
}

IoResult Http1Connection::WriteTunnel(std::string_view bytes) {
  if (!out_.IsEmpty()) Flush();
  if (!out_.IsEmpty()) return {IoStatus::kWouldBlock};
  const IoResult result = stream_->Write(bytes);
  if (result.status == IoStatus::kWouldBlock) NoteBlocked();
  written_ += result.bytes;
  return result;
}

}  // namespace gatebook::proxy
