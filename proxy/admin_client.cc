#include "proxy/admin_client.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>

#include "net/loop.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"
#include "tls/tls_client_stream.h"

namespace gatebook::proxy {
namespace {

constexpr std::chrono::seconds kQuestion{5};
constexpr std::chrono::seconds kOrder{60};
constexpr size_t kMostAnswer = 4 * 1024 * 1024;

base::Error Unreachable(const config::Admin& admin, std::string_view why) {
  return base::Error{fmt::format("gatebook does not answer at {}: {}", admin.address.text, why),
                     base::ExitCode::kUnavailable};
}

// One request and its answer, up to the connection's end.
class Conversation final : private net::StreamHandler {
 public:
  Conversation(const config::Admin& admin, std::string request)
      : admin_(admin), unsent_(std::move(request)), patience_([this] { Finish("no answer in time"); }) {}

  base::Result<std::string> Hold(const net::SocketAddress& address, std::chrono::seconds most) {
    if (auto begun = Begin(address); !begun.ok()) return begun.error();
    patience_.Arm(loop_.timers(), loop_.now() + most);
    while (!is_over_) loop_.RunOnce(true);
    if (!why_not_.empty()) return Unreachable(admin_, why_not_);
    return std::move(answer_);
  }

 private:
  base::Status Begin(const net::SocketAddress& address) {
    if (admin_.chain.empty()) {
      auto plain = net::SocketStream::Connect(loop_, address, *this);
      if (!plain.ok()) return Unreachable(admin_, plain.error().message);
      stream_ = std::move(plain).value();
      return {};
    }
    config::TlsPeer peer;
    peer.tls_verify = false;  // by HasShown()
    auto context = tls::TlsClientContext::Make(peer, {admin_.address}, {}, nullptr);
    if (!context.ok()) return context.error();
    auto stream = tls::TlsClientStream::Connect(loop_, address, std::move(context).value(), 0, *this);
    if (!stream.ok()) return Unreachable(admin_, stream.error().message);
    tls_ = stream->get();
    stream_ = std::move(stream).value();
    return {};
  }

  void OnStreamReady() override {
    if (is_over_) return;
    if (tls_ != nullptr && !unsent_.empty() && !tls_->HasShown(admin_.chain)) {
      return Finish("it does not show the certificate of admin.chain");
    }
    while (!unsent_.empty()) {
      const auto result = stream_->Write(unsent_);
      if (result.status == net::IoStatus::kWouldBlock) return;
      if (result.status != net::IoStatus::kOk) return Finish("the connection broke");
      unsent_.erase(0, result.bytes);
    }
    char bytes[16384];
    while (answer_.size() < kMostAnswer) {
      const auto result = stream_->Read(bytes);
      if (result.status == net::IoStatus::kWouldBlock) return;
      if (result.status == net::IoStatus::kEnd) break;
      if (result.status != net::IoStatus::kOk) return Finish("the connection broke");
      answer_.append(bytes, result.bytes);
    }
    is_over_ = true;
  }
  void OnStreamFailed() override {
    const int error = stream_->error_number();
    Finish(error != 0 ? std::strerror(error) : std::string(stream_->failure()));
  }
  void Finish(std::string why) {
    why_not_ = std::move(why);
    is_over_ = true;
  }

  const config::Admin& admin_;
  net::Loop loop_;
  std::string unsent_;
  std::string answer_;
  std::string why_not_;
  bool is_over_ = false;
  std::unique_ptr<net::Stream> stream_;
  tls::TlsClientStream* tls_ = nullptr;  // stream_, if it is one
  net::Timer patience_;
};

base::Result<AdminAnswer> Exchange(const config::Admin& admin, const std::string& request_line,
                                   std::chrono::seconds most) {
  const auto target = admin.address.kind == config::Endpoint::Kind::kUnix
                          ? net::SocketAddress::FromUnixPath(admin.address.path)
                          : std::optional(net::SocketAddress::FromIp(admin.address.ip, admin.address.port));
  if (!target) return Unreachable(admin, "the path is too long");
  Conversation conversation(
      admin, fmt::format("{} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n", request_line));
  const auto answer = conversation.Hold(*target, most);
  if (!answer.ok()) return answer.error();
  const size_t head_end = answer->find("\r\n\r\n");
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  AdminAnswer result;
  if (head_end == std::string::npos || !answer->starts_with(kVersion) ||
      std::from_chars(answer->data() + kVersion.size(), answer->data() + head_end, result.status).ec !=
          std::errc()) {
    return Unreachable(admin, "that was no good answer");
  }
  result.body = answer->substr(head_end + 4);
  return result;
}

}  // namespace

base::Result<std::string> AskAdmin(const config::Admin& admin, const std::string& path) {
  auto answer = Exchange(admin, "GET " + path, kQuestion);
  if (!answer.ok()) return answer.error();
  if (answer->status != 200) return Unreachable(admin, "that was no good answer");
  return std::move(answer->body);
}

base::Result<AdminAnswer> TellAdmin(const config::Admin& admin, const std::string& path) {
  return Exchange(admin, "POST " + path, kOrder);
}

}  // namespace gatebook::proxy
