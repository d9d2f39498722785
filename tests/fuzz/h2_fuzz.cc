// Any bytes as a client's or an upstream's HTTP/2: the outcome is the same whole and in two
// parts, an accepted request can be written to HTTP/1 and reads the same there, and nothing is
// left behind.
//
// The first byte chooses: bit 0 the role, bit 1 whether answers are given, bit 2 whether
// payload is given back, bit 3 whether the greeting goes before the rest.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/h2_session.h"
#include "http/head_writer.h"
#include "http/request_parser.h"

namespace gatebook::http {
namespace {

constexpr HeadLimits kLimits{.target_size = 256, .header_size = 2048, .header_count = 20};

class Peer final : public H2Handler {
 public:
  Peer(H2Pool& pool, uint8_t choice)
      : answers_((choice & 2) != 0), consumes_((choice & 4) != 0), session_(Options(choice), pool, *this) {
    if ((choice & 1) == 0) return;
    H2Request request{
        .method = "POST", .scheme = "https", .authority = "a", .path = "/", .fields = {}, .more = {}};
    for (int i = 0; i < 2; ++i) {
      const auto id = session_.SubmitRequest(request, i == 0);
      CHECK(id.has_value());
      ++open_;
    }
    session_.OfferData(3, "body", true);
  }

  void Feed(std::string_view bytes) { session_.Receive(bytes, now_); }

  // Output is taken and writers are woken only here: when that happens among the bytes does
  // change what is sent when, and may.
  std::string Finish() {
    while (session_.Dispatch()) {
    }
    CHECK(session_.open_streams() == open_);
    if (session_.IsOver()) {
      CHECK(open_ == 0);
      told_ += InfoOf(session_.end()).slug;
    }
    const std::string_view sent = session_.Output();
    CHECK(sent.size() < 256 * 1024);
    return (told_ + "\n" + data_ + "\n").append(sent);
  }

 private:
  static H2Options Options(uint8_t choice) {
    H2Options options;
    options.role = (choice & 1) != 0 ? H2Role::kClient : H2Role::kServer;
    options.limits = kLimits;
    return options;
  }

  void OnRequest(int32_t id, const RequestHead& head, bool ended) override {
    ++open_;
    told_ += std::to_string(id) + " " + std::string(head.method_text) + " " + std::string(head.target) + "\n";
    CheckHttp1(head);
    if (answers_) Answer(id, ended);
  }
  void OnRefused(int32_t id, const H2Refused& refused) override {
    told_ += std::to_string(id) + " refused " + std::string(InfoOf(refused.refusal).slug) + "\n";
    if (!refused.answerable) return;
    ++open_;
    if (answers_) Answer(id, true);
  }
  void OnInterim(int32_t id, const ResponseHead& head) override { TellAnswer(id, head); }
  void OnResponse(int32_t id, const ResponseHead& head, bool) override { TellAnswer(id, head); }
  void OnData(int32_t id, std::string_view piece) override {
    data_ += piece;
    if (consumes_) session_.Consume(id, piece.size());
  }
  void OnTrailers(int32_t id, std::span<const Field> fields) override {
    told_ += std::to_string(id) + " trailers " + std::to_string(fields.size()) + "\n";
  }
  void OnEnd(int32_t id) override { told_ += std::to_string(id) + " end\n"; }
  void OnClosed(int32_t id, const H2Closing& closing) override {
    CHECK(open_ > 0);
    --open_;
    told_ += std::to_string(id) + " closed " + std::to_string(closing.code) + "\n";
  }
  void OnWritable(int32_t id) override {
    if (answers_) session_.OfferData(id, "more", true);
  }

  void TellAnswer(int32_t id, const ResponseHead& head) {
    told_ += std::to_string(id) + " " + std::to_string(head.status) + "\n";
    for (const Field& field : head.fields)
      told_ += std::string(field.name) + "=" + std::string(field.value) + "\n";
  }

  void Answer(int32_t id, bool whole) {
    ResponseHead head;
    head.status = 200;
    session_.SubmitHead(id, head, {}, false);
    session_.OfferData(id, "answer", whole);
    if (!whole) session_.End(id);
  }

  // As the proxy writes it, and the strict parser has to read the same.
  static void CheckHttp1(const RequestHead& head) {
    std::string text;
    HeadWriter writer(text);
    writer.RequestLine(head.method_text, head.target);
    for (const Field& field : head.fields) {
      if (!field.hop_by_hop) CHECK(writer.Field(field.name, field.value));
    }
    if (head.has_content_length) writer.ContentLength(head.content_length);
    if (head.framing == Framing::kChunked) writer.Chunked();
    writer.End();
    RequestParser parser({.target_size = 512, .header_size = 8192, .header_count = 64});
    CHECK(parser.Parse(text) == ParseStatus::kDone);
    const RequestHead& again = parser.head();
    CHECK(again.size == text.size());
    CHECK(again.method == head.method);
    CHECK(again.target == head.target);
    CHECK(again.path == head.path);
    CHECK(again.query == head.query);
    CHECK(again.authority == head.authority);
    CHECK(again.host == head.host);
    CHECK(again.framing == head.framing);
    CHECK(again.content_length == head.content_length);
    CHECK(again.expect_continue == head.expect_continue);
  }

  const bool answers_;
  const bool consumes_;
  size_t open_ = 0;
  std::string told_;
  std::string data_;
  const base::SteadyTime now_{};
  H2Session session_;
};

std::string Run(uint8_t choice, std::string_view input, size_t cut) {
  base::BufferPool buffers;
  H2Pool pool(buffers);
  std::string outcome;
  {
    Peer peer(pool, choice);
    if ((choice & 8) != 0) {
      const std::string_view settings("\0\0\0\4\0\0\0\0\0", 9);
      if ((choice & 1) == 0) peer.Feed(kH2Preface);
      peer.Feed(settings);
    }
    peer.Feed(input.substr(0, cut));
    peer.Feed(input.substr(cut));
    outcome = peer.Finish();
  }
  CHECK(pool.taken() == 0);
  CHECK(buffers.taken() == 0);
  return outcome;
}

}  // namespace
}  // namespace gatebook::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gatebook::http;
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = Run(data[0], input, input.size());
  CHECK(Run(data[0], input, (size * 31 + data[size / 2]) % size) == whole);
  return 0;
}
