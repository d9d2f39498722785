// Conversation: feeds bytes to the parsers the way a connection does, and writes down
// what they made of them, as text that two feedings can be compared by.
//
// A line of the transcript is one of
//   GET /target HTTP/1.1 to host:port    a request head        200 Reason HTTP/1.1    a response head
//   + Name: value                        a field to pass on    - Name: value          one not to
//   length N | chunked | to close        the framing; "length N, no body" where only the field is there
//   close  expect-continue  websocket    facts, where they hold
//   body "…"                             the whole body; unfinished body "…", unfinished head
//   refused STATUS slug                  (for responses, with the rule that was broken)
//   rest "…"                             bytes that belong to no message
//
// The bytes stand in a new allocation of just their size at every step, so that a
// sanitizer sees whoever reads beyond them or remembers where they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/body_reader.h"
#include "http/request_parser.h"
#include "http/response_parser.h"

namespace gatebook::http {

struct ConversationOptions {
  bool response = false;
  Method request_method = Method::kGet;  // that the responses answer
  bool asked_websocket = false;
  HeadLimits limits;
};

class Conversation {
 public:
  explicit Conversation(const ConversationOptions& options)
      : options_(options), requests_(options.limits), responses_(options.limits) {}

  void Feed(std::string_view bytes) {
    pending_.append(bytes);
    while (phase_ == Phase::kHead ? ReadHead() : phase_ == Phase::kBody && ReadBody()) {
    }
  }

  // The bytes are at their end: the rest of the transcript.
  const std::string& Finish() {
    if (phase_ == Phase::kHead && !pending_.empty()) transcript_ += "unfinished head\n";
    if (phase_ == Phase::kBody) {
      const bool whole = body_reader_.framing() == Framing::kToClose;
      transcript_ += (whole ? "body " : "unfinished body ") + Quoted(body_) + "\n";
    }
    if (phase_ == Phase::kRest && !pending_.empty()) transcript_ += "rest " + Quoted(pending_) + "\n";
    return transcript_;
  }

  static std::string Escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\r') {
        out += "\\r";
      } else if (c == '\n') {
        out += "\\n";
      } else if (c == '\t') {
        out += "\\t";
      } else if (c == '\\') {
        out += "\\\\";
      } else if (c >= ' ' && c < 0x7f) {
        out += c;
      } else {
        char code[5];
        std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
        out += code;
      }
    }
    return out;
  }

 private:
  enum class Phase { kHead, kBody, kRest, kRefused };

  static std::string Quoted(std::string_view text) { return std::string(1, '"').append(Escaped(text)) + '"'; }

  std::string_view Moved() {
    moved_ = std::make_unique<char[]>(pending_.size());
    std::memcpy(moved_.get(), pending_.data(), pending_.size());
    return {moved_.get(), pending_.size()};
  }

  bool ReadHead() {
    if (pending_.empty()) return false;
    const std::string_view data = Moved();
    const ParseStatus status = options_.response
                                   ? responses_.Parse(data, options_.request_method, options_.asked_websocket ? "websocket" : "")
                                   : requests_.Parse(data);
    if (status == ParseStatus::kNeedMore) return false;
    if (status == ParseStatus::kRefused) {
      Refuse(options_.response ? responses_.refusal() : requests_.refusal());
      return false;
    }
    if (options_.response) {
      TakeResponse(responses_.head());
    } else {
      TakeRequest(requests_.head());
    }
    return true;
  }

  void Refuse(Refusal refusal) {
    phase_ = Phase::kRefused;
    const RefusalInfo& info = InfoOf(refusal);
    transcript_ += "refused " + std::to_string(info.status) + " " + std::string(info.slug);
    if (options_.response && refusal == Refusal::kUpstreamBadHead) {
      transcript_ += " " + std::string(InfoOf(responses_.detail()).slug);
    }
    transcript_ += "\n";
  }

  void TakeRequest(const RequestHead& head) {
    transcript_ += std::string(head.method_text) + " " + Escaped(head.target) + " HTTP/1." +
                   std::to_string(head.minor_version) + " to " + std::string(head.authority) + "\n";
    TakeCommon(head);
    if (head.expect_continue) transcript_ += "expect-continue\n";
    if (head.websocket) transcript_ += "websocket\n";
    next_ = head.websocket || !head.keep_alive ? Phase::kRest : Phase::kHead;
    BeginBody(head.framing, head.content_length, head.size);
  }

  void TakeResponse(const ResponseHead& head) {
    transcript_ += std::to_string(head.status) + " " + Escaped(head.reason) + " HTTP/1." +
                   std::to_string(head.minor_version) + "\n";
    TakeCommon(head);
    if (head.websocket) transcript_ += "websocket\n";
    next_ = head.status < 200 && !head.websocket ? Phase::kHead : Phase::kRest;
    BeginBody(head.framing, head.content_length, head.size);
  }

  template <typename Head>
  void TakeCommon(const Head& head) {
    for (const Field& field : head.fields) {
      transcript_ += field.hop_by_hop ? "- " : "+ ";
      transcript_ += std::string(field.name) + ": " + Escaped(field.value) + "\n";
    }
    if (head.framing == Framing::kChunked) transcript_ += "chunked\n";
    if (head.framing == Framing::kToClose) transcript_ += "to close\n";
    if (head.has_content_length) {
      transcript_ += "length " + std::to_string(head.content_length);
      transcript_ += head.framing == Framing::kLength ? "\n" : ", no body\n";
    }
    if (!head.keep_alive) transcript_ += "close\n";
  }

  void BeginBody(Framing framing, uint64_t length, size_t head_size) {
    pending_.erase(0, head_size);
    requests_.Reset();
    responses_.Reset();
    body_.clear();
    body_reader_.Begin(framing, length);
    phase_ = framing == Framing::kNone ? next_ : Phase::kBody;
  }

  bool ReadBody() {
    const std::string_view data = Moved();
    const BodyReader::Step step = body_reader_.Read(data);
    body_.append(step.payload);
    pending_.erase(0, step.consumed);
    if (body_reader_.HasFailed()) {
      Refuse(body_reader_.refusal());
      return false;
    }
    if (!body_reader_.IsDone()) return step.consumed > 0;
    transcript_ += "body " + Quoted(body_) + "\n";
    phase_ = next_;
    return true;
  }

  ConversationOptions options_;
  RequestParser requests_;
  ResponseParser responses_;
  BodyReader body_reader_;
  Phase phase_ = Phase::kHead;
  Phase next_ = Phase::kHead;
  std::string pending_;
  std::unique_ptr<char[]> moved_;
  std::string body_;
  std::string transcript_;
};

// Fails unless the input has the same transcript whole, in two parts, and byte by byte.
// The place of the cut is taken from the bytes, so that the same input is cut the same.
inline void CheckSplits(const ConversationOptions& options, std::string_view input) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : input) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  const size_t cut = input.empty() ? 0 : static_cast<size_t>(hash % input.size());
  Conversation whole(options);
  whole.Feed(input);
  const std::string expected = whole.Finish();
  Conversation halves(options);
  halves.Feed(input.substr(0, cut));
  halves.Feed(input.substr(cut));
  CHECK(halves.Finish() == expected);
  Conversation bytes(options);
  for (const char c : input) bytes.Feed({&c, 1});
  CHECK(bytes.Finish() == expected);
}

}  // namespace gatebook::http
