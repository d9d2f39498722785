// The writing half of ClientConnection: ClientSide as HTTP/1.

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <charconv>
#include <ctime>

#include "base/check.h"
#include "proxy/client_connection.h"

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

// RFC 9110 §5.6.7.
void AppendDate(base::Buffer& out) {
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  gmtime_r(&now, &utc);
  char text[64];
  out.Append({text, std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc)});
}

}  // namespace

ClientSide::Take ClientConnection::ReadBody(size_t most, std::string_view& piece) {
  body_.Consume(std::exchange(body_consumed_, 0));
  waits_for_body_ = false;
  while (true) {
    if (body_reader_.IsDone()) return Take::kEnd;
    if (!body_.IsEmpty()) {
      const auto step = body_reader_.Read(body_.data(), most);
      if (body_reader_.HasFailed()) return Take::kRefused;
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

void ClientConnection::WriteContinue() {
  if (!parser_->head().expect_continue || !body_.IsEmpty()) return;
  out_.Append("HTTP/1.1 100 Continue\r\n\r\n");
  Flush();
}

void ClientConnection::AppendFields(const http::ResponseHead& head) {
  const bool hsts = context_.config.tls.hsts.count() > 0 && facts_.tls_version != 0;
  for (const http::Field& field : head.fields) {
    if (field.hop_by_hop || field.id == FieldId::kContentLength || field.id == FieldId::kTransferEncoding ||
        (hsts && field.id == FieldId::kStrictTransportSecurity)) {
      continue;
    }
    out_.Append(field.name);
    out_.Append(": ");
    out_.Append(field.value);
    out_.Append("\r\n");
  }
}

// What we say of ourselves in every final answer.
void ClientConnection::AppendOwnFields() {
  if (facts_.tls_version != 0) out_.Append(context_.hsts_field);
  if (std::exchange(set_cookie_, false)) context_.sessions.AppendSetCookie(out_, session_);
}

void ClientConnection::WriteInterim(const http::ResponseHead& head) {
  AppendStatusLine(out_, head.status, head.reason);
  AppendFields(head);
  out_.Append("\r\n");
  Flush();
}

void ClientConnection::WriteHead(const http::ResponseHead& head, bool request_read) {
  const http::RequestHead& request = parser_->head();
  out_.Reserve(head.size + 512);
  AppendStatusLine(out_, head.status, head.reason);
  AppendFields(head);
  AppendOwnFields();
  chunked_ = false;
  framed_ = true;
  if (head.status == 101) {
    out_.Append("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    return;
  }
  const uint32_t most = context_.config.limits.requests_per_connection;
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
  }
  AppendConnection();
  out_.Append("\r\n");
}

void ClientConnection::AppendConnection() {
  if (!keep_alive_) {
    out_.Append("Connection: close\r\n");
  } else if (parser_->head().minor_version == 0) {
    out_.Append("Connection: keep-alive\r\n");
  }
}

void ClientConnection::WriteRefusal(Refusal refusal, bool request_read) {
  keep_alive_ = keep_alive_ && request_read && !context_.draining;
  const http::RefusalInfo& info = http::InfoOf(refusal);
  std::string_view more;
  if (info.status == 405) more = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
  if (info.status == 503) more = "Retry-After: 1\r\n";
  WriteAnswer(info.status, more);
}

void ClientConnection::WriteRedirect(const http::RequestHead& head) {
  const std::string_view target = head.target == "*" ? "/" : head.target;
  WriteAnswer(308, fmt::format("Location: https://{}{}{}\r\n", head.host, context_.https_port_suffix, target));
}

void ClientConnection::WriteAnswer(int status, std::string_view more_fields) {
  const std::string body = fmt::format("{} {}\n", status, http::ReasonPhrase(status));
  AppendStatusLine(out_, status, http::ReasonPhrase(status));
  AppendDate(out_);
  out_.Append("Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: ");
  AppendNumber(out_, body.size());
  out_.Append("\r\n");
  out_.Append(more_fields);
  AppendOwnFields();
  AppendConnection();
  out_.Append("\r\n");
  if (parser_->head().method != http::Method::kHead) out_.Append(body);
  chunked_ = false;
  framed_ = true;
}

size_t ClientConnection::WriteBody(std::string_view piece) {
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

size_t ClientConnection::WriteChunk(std::string_view piece) {
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

void ClientConnection::WriteEnd() {
  if (chunked_ && !failed_) out_.Append(http::kLastChunk);
}

void ClientConnection::Flush() {
  while (!out_.IsEmpty() && !failed_) {
    const IoResult result = stream_->Write(out_.data());
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

void ClientConnection::NoteBlocked() {
  if (!blocked_) {
    stall_write_mark_ = TakenByClient();
    blocked_since_ = context_.loop.now();
  }
  blocked_ = true;
  ArmStall(context_.config.timeouts.write_idle);
}

// What we wrote less what still stands in the stream and in the kernel.
uint64_t ClientConnection::TakenByClient() const {
  int queued = 0;
  if (ioctl(stream_->fd(), SIOCOUTQ, &queued) != 0) queued = 0;
  const uint64_t waiting = stream_->unsent_size() + static_cast<uint64_t>(queued);
  return written_ > waiting ? written_ - waiting : 0;
}

IoResult ClientConnection::ReadTunnel(std::span<char> into) {
  // What came behind the handshake's head is the tunnel's already.
  const std::string_view early = received_.data().substr(std::min(received_.size(), parser_->head().size + tunnel_taken_));
  if (early.empty()) return stream_->Read(into);
  const size_t taken = std::min(early.size(), into.size());
  early.copy(into.data(), taken);
  tunnel_taken_ += taken;
  return {IoStatus::kOk, taken};
}

IoResult ClientConnection::WriteTunnel(std::string_view bytes) {
  if (!out_.IsEmpty()) Flush();
  if (!out_.IsEmpty()) return {IoStatus::kWouldBlock};
  const IoResult result = stream_->Write(bytes);
  written_ += result.bytes;
  return result;
}

}  // namespace gatebook::proxy
