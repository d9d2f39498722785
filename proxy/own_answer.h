// OwnAnswer: an answer of our own making: a refusal or a redirect, as a message
// that either protocol can write.
//
// Thread: any. Owns: its texts. Limits: a handful of fields, a line of body.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::proxy {

class OwnAnswer {
 public:
  // What the table says of the refusal.
  explicit OwnAnswer(http::Refusal refusal);
  // 308 to the same place over https (RFC 9110 §15.4.9: the method stays). `port_suffix`: "" or ":8443".
  OwnAnswer(const http::RequestHead& head, std::string_view port_suffix);
  OwnAnswer(const OwnAnswer&) = delete;
  OwnAnswer& operator=(const OwnAnswer&) = delete;

  int status() const { return status_; }
  // Without framing.
  std::span<const http::Field> fields() const { return {fields_.data(), count_}; }
  std::string_view body() const { return body_; }

 private:
  OwnAnswer(int status, std::string_view name, std::string value);
  void Add(std::string_view name, std::string_view value);

  int status_;
  std::string date_;
  std::string value_;
  std::string body_;
  std::array<http::Field, 4> fields_;
  size_t count_ = 0;
};

}  // namespace gatebook::proxy
