// OwnAnswer: an answer of our own making (a refusal, a redirect, a document of ours) as a message
// that either protocol can write.
//
// Thread: any. Owns: its texts, but for a document's body, which it borrows or holds.
// Limits: kMostFields.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::proxy {

class OwnAnswer {
 public:
  static constexpr size_t kMostFields = 16;

  // What the table says of the refusal. `allow`: the methods that a 405 offers instead; empty: those that are
  // passed on.
  explicit OwnAnswer(http::Refusal refusal, std::string_view allow = {});
  // 308 to the same place over https (RFC 9110 §15.4.9: the method stays). `port_suffix`: "" or ":8443".
  OwnAnswer(const http::RequestHead& head, std::string_view port_suffix);
  // A document, or with an empty body a word about one: Date is there, the other fields are to be added.
  // `body` outlives the answer.
  OwnAnswer(int status, std::string_view body);
  OwnAnswer(const OwnAnswer&) = delete;
  OwnAnswer& operator=(const OwnAnswer&) = delete;

  // In place of a borrowed body one of its own.
  void Hold(std::string body) {
    held_ = std::move(body);
    body_ = held_;
  }
  // `name`: a literal.
  void Add(std::string_view name, std::string value);

  int status() const { return status_; }
  // Without framing.
  std::span<const http::Field> fields() const { return {fields_.data(), count_}; }
  std::string_view body() const { return body_; }
  // The body says no more than the status: who has no room for it need not have it.
  bool is_line() const { return !line_.empty(); }

 private:
  OwnAnswer(int status, std::string_view name, std::string value);

  int status_;
  std::string line_;
  std::string held_;
  std::string_view body_;
  std::array<std::string, kMostFields> values_;
  std::array<http::Field, kMostFields> fields_;
  size_t count_ = 0;
};

// As in Date and Last-Modified (RFC 9110 §5.6.7).
std::string ToHttpDate(base::WallTime time);

}  // namespace gatebook::proxy
