#include "proxy/health_question.h"

#include <fmt/format.h>

#include "http/h2_session.h"
#include "http/response_parser.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kAgent = "gatebook-health";
constexpr int kLeastFinal = 200;

http::HeadLimits LimitsOf(const config::Config& config) {
  return {config.limits.target_size, config.limits.header_size, config.limits.header_count};
}

std::string HostOf(const config::Upstream& upstream, const config::Endpoint& server) {
  if (!upstream.health_host.empty()) return upstream.health_host;
  if (server.kind == config::Endpoint::Kind::kUnix) return "localhost";
  // An authority as it was configured: with its port, without the scheme.
  const size_t scheme = server.text.find("://");
  return scheme == std::string::npos ? server.text : server.text.substr(scheme + 3);
}

class Http1Question final : public HealthQuestion {
 public:
  Http1Question(const http::HeadLimits& limits, const std::string& path, const std::string& host)
      : request_(fmt::format(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n\r\n", path,
            host, kAgent)),
        left_(request_),
        parser_(limits) {}

  std::string_view Output() override { return left_; }
  void DropOutput(size_t bytes) override { left_.remove_prefix(bytes); }

  Reply Take(std::string_view bytes, base::SteadyTime) override {
    received_.append(bytes);
    while (true) {
      const http::ParseStatus status = parser_.Parse(received_, http::Method::kGet, {});
      if (status == http::ParseStatus::kNeedMore) return Reply::kNotYet;
      if (status == http::ParseStatus::kRefused) return Reply::kMalformed;
      status_ = parser_.head().status;
      if (status_ >= kLeastFinal) return Reply::kWhole;
      received_.erase(0, parser_.head().size);  // an interim answer
      parser_.Reset();
    }
  }

 private:
  const std::string request_;
  std::string_view left_;
  http::ResponseParser parser_;
  std::string received_;
};

class Http2Question final : public HealthQuestion, private http::H2Handler {
 public:
  Http2Question(const http::HeadLimits& limits, const std::string& path, const std::string& host,
                std::string_view scheme, base::BufferPool& buffers)
      : pool_(buffers), session_(OptionsFor(limits), pool_, *this) {
    const http::Field fields[] = {{.name = "user-agent", .value = kAgent},
                                  {.name = "accept", .value = "*/*"}};
    session_.SubmitRequest(
        {.method = "GET", .scheme = scheme, .authority = host, .path = path, .fields = fields, .more = {}},
        true);
  }

  std::string_view Output() override { return session_.Output(); }
  void DropOutput(size_t bytes) override { session_.DropOutput(bytes); }

  Reply Take(std::string_view bytes, base::SteadyTime now) override {
    const bool goes_on = session_.Receive(bytes, now);
    if (status_ != 0) return Reply::kWhole;
    return goes_on && !closed_ ? Reply::kNotYet : Reply::kMalformed;
  }

 private:
  static http::H2Options OptionsFor(const http::HeadLimits& limits) {
    http::H2Options options;
    options.role = http::H2Role::kClient;
    options.limits = limits;
    return options;
  }

  void OnResponse(int32_t, const http::ResponseHead& head, bool) override { status_ = head.status; }
  void OnData(int32_t stream, std::string_view piece) override { session_.Consume(stream, piece.size()); }
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const http::H2Closing&) override { closed_ = true; }
  void OnWritable(int32_t) override {}

  http::H2Pool pool_;
  http::H2Session session_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<HealthQuestion> HealthQuestion::Make(const config::Config& config,
                                                     const config::Upstream& upstream,
                                                     const config::Endpoint& server,
                                                     base::BufferPool& buffers) {
  const std::string host = HostOf(upstream, server);
  if (upstream.protocol == config::UpstreamProtocol::kHttp1) {
    return std::make_unique<Http1Question>(LimitsOf(config), upstream.health_path, host);
  }
  return std::make_unique<Http2Question>(LimitsOf(config), upstream.health_path, host,
                                         server.tls ? "https" : "http", buffers);
}

}  // namespace gatebook::proxy
