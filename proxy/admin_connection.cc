#include "proxy/admin_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "net/socket_stream.h"

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kRequestPatience = 5s;
constexpr base::Duration kIdlePatience = 60s;
constexpr base::Duration kMovePatience = 30s;
// The desk has bounds of its own; a stream says something every 15 s.
constexpr base::Duration kAnswerPatience = 90s;
constexpr http::HeadLimits kLimits{12288, 16384, 64};
constexpr uint64_t kMostBody = 16 * 1024;
constexpr size_t kMostReceived = 32 * 1024;

std::string_view ValueOf(const http::RequestHead& head, std::string_view name) {
  const auto found = std::find_if(head.fields.begin(), head.fields.end(), [name](const http::Field& field) {
    return base::EqualsIgnoreCase(field.name, name);
  });
  return found == head.fields.end() ? std::string_view() : found->value;
}

// Whoever opens a page lets it make their browser ask (Fetch Standard §3.1): a page of anybody's must not
// act here, where the address is one that a browser reaches.
bool IsFromPage(const http::RequestHead& head) {
  return std::any_of(head.fields.begin(), head.fields.end(), [](const http::Field& field) {
    return base::EqualsIgnoreCase(field.name, "origin") ||
           base::EqualsIgnoreCase(field.name, "sec-fetch-site");
  });
}

std::optional<uid_t> UserOf(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  int domain = 0;
  socklen_t domain_size = sizeof domain;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0 || domain != AF_UNIX) return {};
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return peer.uid;
}

}  // namespace

AdminServer::Connection::Connection(AdminServer& server, base::UniqueFd fd)
    : server_(server), uid_(UserOf(fd.get())), parser_(kLimits), deadline_([this] { server_.Remove(this); }) {
  if (server_.tls_) {
    auto stream = tls::TlsStream::Accepted(server_.loop_, std::move(fd), server_.tls_, *this);
    tls_ = stream.get();
    stream_ = std::move(stream);
  } else {
    stream_ = net::SocketStream::Accepted(server_.loop_, std::move(fd), *this);
  }
  Expect(kRequestPatience);
}

void AdminServer::Connection::Expect(base::Duration patience) {
  deadline_.Arm(server_.loop_.timers(), server_.loop_.now() + patience);
}

void AdminServer::Connection::OnStreamReady() { Pump(); }

void AdminServer::Connection::Pump() {
  if (!Receive()) return;
  while (true) {
    const bool waits =
        (state_ == State::kReading && !ReadRequest()) || state_ == State::kAsked || is_streaming_;
    // Nobody is left to ask, or to wait for an answer that is not there yet.
    if (waits && has_ended_) return server_.Remove(this);
    if (state_ != State::kAnswering || !Send() || is_streaming_) return;
    BeginNext();
  }
}

bool AdminServer::Connection::Receive() {
  char bytes[8192];
  while (!closing_ && !has_ended_ && received_.size() < kMostReceived) {
    const auto result = stream_->Read(bytes);
    if (result.status == net::IoStatus::kWouldBlock) return true;
    if (result.status == net::IoStatus::kEnd) {
      has_ended_ = true;
      return true;
    }
    if (result.status != net::IoStatus::kOk) {
      server_.Remove(this);
      return false;
    }
    received_.append(bytes, result.bytes);
    if (std::exchange(is_idle_, false)) Expect(kRequestPatience);
  }
  return true;
}

bool AdminServer::Connection::ReadRequest() {
  if (received_.empty()) return false;
  const auto status = parser_.Parse(received_);
  if (status == http::ParseStatus::kNeedMore) return false;
  if (status == http::ParseStatus::kRefused) {
    AnswerPage({http::InfoOf(parser_.refusal()).status, "text/plain", "refused\n"}, true);
    return true;
  }
  const http::RequestHead& head = parser_.head();
  if (server_.desk_ == nullptr || !(head.path == "/desk" || head.path.starts_with("/desk/"))) {
    Answer(head);
    return true;
  }
  if (head.framing == http::Framing::kChunked || head.content_length > kMostBody) {
    AnswerPage({413, "text/plain", "a body of at most 16 KiB, with its length\n"}, true);
    return true;
  }
  if (received_.size() < head.size + head.content_length) return false;
  AskDesk(head);
  return true;
}

void AdminServer::Connection::Answer(const http::RequestHead& head) {
  if (head.method == http::Method::kPost && IsFromPage(head)) {
    return AnswerPage({403, "text/plain", "not for web pages\n"}, true);
  }
  if (head.method == http::Method::kPost && server_.actions_) {
    return AnswerPage(server_.actions_(head.path), true);
  }
  if (head.method != http::Method::kGet && head.method != http::Method::kHead) {
    return AnswerPage({405, "text/plain", "only GET\n"}, true);
  }
  AnswerPage(server_.pages_(head.path), head.method == http::Method::kGet);
}

void AdminServer::Connection::AnswerPage(const Page& page, bool with_body) {
  out_ = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
      page.status, http::ReasonPhrase(page.status), page.content_type, page.body.size(),
      with_body ? std::string_view(page.body) : std::string_view());
  keep_alive_ = false;
  is_page_ = true;
  state_ = State::kAnswering;
}

void AdminServer::Connection::AskDesk(const http::RequestHead& head) {
  const bool is_get = head.method == http::Method::kGet || head.method == http::Method::kHead;
  if (!is_get && head.method != http::Method::kPost) {
    return AnswerPage({405, "text/plain", "only GET and POST\n"}, true);
  }
  review::DeskRequest request;
  request.peer.has_tls = tls_ != nullptr;
  request.peer.uid = uid_;
  if (tls_ != nullptr) request.peer.certificate_name = tls_->client_common_name();
  request.is_post = !is_get;
  request.path = head.path;
  request.parameters = review::ParseParameters(head.query);
  request.host = head.host;
  request.authority = head.authority;
  request.origin = ValueOf(head, "origin");
  request.fetch_site = ValueOf(head, "sec-fetch-site");
  request.cookie = ValueOf(head, "cookie");
  request.authorization = ValueOf(head, "authorization");
  request.is_marked = !ValueOf(head, "x-gatebook-desk").empty();
  request.body = received_.substr(head.size, head.content_length);
  keep_alive_ = head.keep_alive;
  is_head_ = head.method == http::Method::kHead;
  state_ = State::kAsked;
  received_.erase(0, head.size + head.content_length);
  Expect(kAnswerPatience);
  auto [reply, ticket] = review::DeskReply::Make(server_.loop_, *this);
  ticket_ = std::move(ticket);
  server_.desk_->Ask(std::move(request), std::move(reply));
}

void AdminServer::Connection::OnAnswer(review::DeskAnswer answer) {
  // An answer to HEAD ends with its head.
  if (is_head_) answer.has_more = false;
  out_ = review::DeskHead(answer, keep_alive_);
  if (!is_head_ && !answer.has_more) out_ += answer.body;
  is_streaming_ = answer.has_more;
  if (!is_streaming_) ticket_.reset();
  state_ = State::kAnswering;
  Expect(is_streaming_ ? kAnswerPatience : kMovePatience);
  Pump();
}

void AdminServer::Connection::OnMore(std::string piece) {
  if (!is_streaming_) return;
  untaken_ += piece.size();
  if (!piece.empty()) out_.append(fmt::format("{:x}\r\n", piece.size())).append(piece).append("\r\n");
  Pump();
}

void AdminServer::Connection::OnEnd() {
  if (!is_streaming_) return;
  is_streaming_ = false;
  out_ += "0\r\n\r\n";
  Pump();
}

bool AdminServer::Connection::Send() {
  while (written_ < out_.size()) {
    const auto result = stream_->Write(std::string_view(out_).substr(written_));
    if (result.status == net::IoStatus::kWouldBlock) return false;
    if (result.status != net::IoStatus::kOk) {
      server_.Remove(this);
      return false;
    }
    written_ += result.bytes;
    if (!is_page_) Expect(is_streaming_ ? kAnswerPatience : kMovePatience);
  }
  out_.clear();
  written_ = 0;
  if (ticket_ && untaken_ > 0) ticket_->Taken(std::exchange(untaken_, 0));
  if (is_streaming_ || keep_alive_) return true;
  if (!std::exchange(closing_, true)) stream_->ShutdownWrite();
  if (!stream_->HasUnsent()) server_.Remove(this);
  return false;
}

void AdminServer::Connection::BeginNext() {
  ticket_.reset();
  untaken_ = 0;
  parser_.Reset();
  state_ = State::kReading;
  is_idle_ = received_.empty();
  Expect(is_idle_ ? kIdlePatience : kRequestPatience);
}

}  // namespace gatebook::proxy
