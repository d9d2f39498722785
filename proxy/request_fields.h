// RequestFields: the request to an upstream that speaks HTTP/2, made of the same parts and by
// the same rules as proxy/request_writer.h writes it for HTTP/1.
//
// "te: trailers" goes on, for a stream can carry them. A WebSocket becomes an extended CONNECT
// (RFC 8441 §5), whose key stays behind.
//
// Thread: one. Owns: room for what is made anew; nothing is allocated in steady state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "http/h2_session.h"
#include "proxy/request_writer.h"

namespace gatebook::proxy {

class RequestFields {
 public:
  explicit RequestFields(base::BufferPool& buffers) : text_(buffers) {}

  // Views are valid until the next call and as long as those of `request`.
  http::H2Request Make(const OutgoingRequest& request, std::string_view scheme);
  // Gives the room back.
  void Release() { text_.Release(); }

 private:
  // Requires: its size was counted in before.
  std::string_view Keep(std::string_view text);
  void Put(std::string_view name, std::string_view value) {
    fields_.push_back({.name = name, .value = value});
  }
  void PutCookie(const http::Field& field, std::string_view cookie_name);
  void PutForwarding(const OutgoingRequest& request);

  base::Buffer text_;
  std::vector<http::Field> fields_;
};

}  // namespace gatebook::proxy
