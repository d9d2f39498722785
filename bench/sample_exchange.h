// SampleExchange: a browser's request, an answer, and both ends of HTTP/2, for the programs of this folder.
//
// Thread: one. Borrows: an H2Server its body, both the pool.
#pragma once

#include <string>
#include <string_view>

#include "http/h2_session.h"

namespace gatebook::bench {

// With a cookie of that value.
inline std::string SampleRequest(std::string_view cookie) {
  return std::string(
             "GET /articles/2024/a-quiet-morning?utm_source=letter&page=2 HTTP/1.1\r\n"
             "Host: www.example.com\r\n"
             "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
             "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
             "Accept-Language: en-GB,en;q=0.5\r\n"
             "Accept-Encoding: gzip, deflate, br\r\n"
             "Referer: https://www.example.com/articles\r\n"
             "Connection: keep-alive\r\n"
             "Cookie: ")
      .append(cookie)
      .append("\r\nSec-Fetch-Mode: navigate\r\n\r\n");
}

inline constexpr std::string_view kSampleResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "Server: app\r\n"
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Length: 1024\r\n"
    "Cache-Control: private, max-age=0\r\n"
    "ETag: \"5f3-61a\"\r\n"
    "\r\n";

// Answers each request with `body`.
class H2Server final : public http::H2Handler {
 public:
  H2Server(http::H2Pool& pool, std::string_view body) : body_(body), session_({}, pool, *this) {
    head_.status = 200;
    head_.fields = kFields;
    head_.content_length = body.size();
    head_.has_content_length = true;
  }
  http::H2Session& session() { return session_; }

 private:
  static constexpr http::Field kFields[] = {
      {.name = "Date", .value = "Mon, 01 Jan 2024 00:00:00 GMT", .id = http::FieldId::kDate},
      {.name = "Server", .value = "app", .id = http::FieldId::kServer},
      {.name = "Content-Type", .value = "text/html; charset=utf-8", .id = http::FieldId::kOther},
      {.name = "Cache-Control", .value = "private, max-age=0", .id = http::FieldId::kOther},
      {.name = "ETag", .value = "\"5f3-61a\"", .id = http::FieldId::kOther},
  };

  void OnRequest(int32_t id, const http::RequestHead&, bool) override {
    session_.SubmitHead(id, head_, {}, false);
    session_.OfferData(id, body_);
    session_.End(id);
  }
  void OnData(int32_t id, std::string_view piece) override { session_.Consume(id, piece.size()); }
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const http::H2Closing&) override {}
  void OnWritable(int32_t) override {}

  std::string_view body_;
  http::ResponseHead head_;
  http::H2Session session_;
};

class H2Client final : public http::H2Handler {
 public:
  explicit H2Client(http::H2Pool& pool) : session_(Options(), pool, *this) {}
  http::H2Session& session() { return session_; }

 private:
  static http::H2Options Options() {
    http::H2Options options;
    options.role = http::H2Role::kClient;
    return options;
  }
  void OnData(int32_t id, std::string_view piece) override { session_.Consume(id, piece.size()); }
  void OnEnd(int32_t) override {}
  void OnClosed(int32_t, const http::H2Closing&) override {}
  void OnWritable(int32_t) override {}

  http::H2Session session_;
};

}  // namespace gatebook::bench
