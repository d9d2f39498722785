#include "proxy/admin_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "http/request_parser.h"
#include "net/socket_stream.h"

namespace gatebook::proxy {
namespace {

constexpr size_t kMostConnections = 64;
constexpr std::chrono::seconds kPatience{5};
constexpr http::HeadLimits kLimits{1024, 8192, 64};

}  // namespace

class AdminServer::Connection : public net::Disposable, private net::StreamHandler {
 public:
  Connection(AdminServer& server, base::UniqueFd fd)
      : server_(server), parser_(kLimits), deadline_([this] { server_.Remove(this); }) {
    stream_ = net::SocketStream::Accepted(server_.loop_, std::move(fd), *this);
    deadline_.Arm(server_.loop_.timers(), server_.loop_.now() + kPatience);
  }
  bool IsWatched() const { return stream_ != nullptr; }

 private:
  void OnStreamReady() override {
    if (answer_.empty() && !ReadRequest()) return;
    while (written_ < answer_.size()) {
      const auto result = stream_->Write(std::string_view(answer_).substr(written_));
      if (result.status == net::IoStatus::kWouldBlock) return;
      if (result.status != net::IoStatus::kOk) break;
      written_ += result.bytes;
    }
    stream_->ShutdownWrite();
    server_.Remove(this);
  }
  void OnStreamFailed() override { server_.Remove(this); }

  // False: no answer yet.
  bool ReadRequest() {
    char bytes[2048];
    while (true) {
      const auto result = stream_->Read(bytes);
      if (result.status == net::IoStatus::kWouldBlock) return false;
      if (result.status != net::IoStatus::kOk) {
        server_.Remove(this);
        return false;
      }
      request_.append(bytes, result.bytes);
      const auto status = parser_.Parse(request_);
      if (status == http::ParseStatus::kNeedMore) continue;
      answer_ = status == http::ParseStatus::kDone
                    ? AnswerTo(parser_.head())
                    : Write({http::InfoOf(parser_.refusal()).status, "text/plain", "refused\n"}, true);
      return true;
    }
  }

  // Whoever opens a page lets it make their browser ask (Fetch Standard §3.1): a page of anybody's must not
  // act here, where the address is one that a browser reaches.
  static bool IsFromPage(const http::RequestHead& head) {
    return std::any_of(head.fields.begin(), head.fields.end(), [](const http::Field& field) {
      return base::EqualsIgnoreCase(field.name, "origin") ||
             base::EqualsIgnoreCase(field.name, "sec-fetch-site");
    });
  }

  std::string AnswerTo(const http::RequestHead& head) const {
    if (head.method == http::Method::kPost && IsFromPage(head)) {
      return Write({403, "text/plain", "not for web pages\n"}, true);
    }
    if (head.method == http::Method::kPost && server_.actions_)
      return Write(server_.actions_(head.path), true);
    if (head.method != http::Method::kGet && head.method != http::Method::kHead) {
      return Write({405, "text/plain", "only GET\n"}, true);
    }
    return Write(server_.pages_(head.path), head.method == http::Method::kGet);
  }

  static std::string Write(const Page& page, bool with_body) {
    return fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
        page.status, http::ReasonPhrase(page.status), page.content_type, page.body.size(),
        with_body ? std::string_view(page.body) : std::string_view());
  }

  AdminServer& server_;
  std::unique_ptr<net::SocketStream> stream_;
  http::RequestParser parser_;
  std::string request_;
  std::string answer_;
  size_t written_ = 0;
  net::Timer deadline_;
};

AdminServer::AdminServer(net::Loop& loop, base::UniqueFd listener, Pages pages, Actions actions)
    : loop_(loop),
      pages_(std::move(pages)),
      actions_(std::move(actions)),
      listener_(
          loop, std::move(listener),
          [this](base::UniqueFd fd, std::optional<base::IpAddress>) { OnAccept(std::move(fd)); }, [] {}) {}

AdminServer::~AdminServer() = default;

void AdminServer::OnAccept(base::UniqueFd fd) {
  if (connections_.size() >= kMostConnections) return;
  auto connection = std::make_unique<Connection>(*this, std::move(fd));
  if (connection->IsWatched()) connections_.push_back(std::move(connection));
}

void AdminServer::Remove(Connection* connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [connection](const auto& held) { return held.get() == connection; });
  if (found == connections_.end()) return;
  loop_.Dispose(std::move(*found));
  connections_.erase(found);
}

}  // namespace gatebook::proxy
