// H2Peer: a session with its handler and a peer who hears what it sends. What the handler was
// told stands in a transcript, so that two feedings of the same bytes can be compared.
//
// A line of the transcript is one of
//   1 GET /target to host [end] name=value -dropped=value …     1 refused slug [answerable] GET /target
//   1 data "…"      (pieces of one stream that follow each other are one line)
//   1 trailers …    1 end    1 closed CODE [by peer] [connection] [slug]    goaway LAST CODE
//   1 interim 103 … 1 response 200 …    writable 1
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/h2_session.h"
#include "tests/http/h2_wire.h"

namespace gatebook::http {

inline ResponseHead Answer(int status, std::span<const Field> fields = {}) {
  ResponseHead head;
  head.status = status;
  head.fields = fields;
  return head;
}

class H2Peer final : public H2Handler {
 public:
  explicit H2Peer(H2Options options = {}) : pool_(buffers_), session_(options, pool_, *this) {}

  H2Session& session() { return session_; }
  H2Pool& pool() { return pool_; }
  base::BufferPool& buffers() { return buffers_; }

  // Feeds bytes and returns the frames that came back.
  std::string Feed(std::string_view bytes) {
    // A copy of just its size, so that a sanitizer sees who reads beyond or remembers it.
    const auto copy = std::make_unique<char[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), copy.get());
    session_.Receive({copy.get(), bytes.size()}, now);
    session_.Dispatch();
    return Hear();
  }
  std::string Hear() {
    const std::string_view out = session_.Output();
    const std::string heard = listener_.Hear(out);
    session_.DropOutput(out.size());
    return heard;
  }
  // Greets, and forgets what was said about it.
  void Greet(std::string_view settings = {}) {
    Feed(std::string(kH2Preface) + Settings(settings) + SettingsAck());
    transcript.clear();
  }
  std::string Told() { return std::exchange(transcript, {}); }
  const std::string& payload() const { return listener_.payload(); }

  std::string transcript;
  base::SteadyTime now{std::chrono::hours(1)};
  bool consume = true;
  bool answer_refusals = true;
  std::function<void(int32_t)> on_request;
  std::function<void(int32_t)> on_writable;

 private:
  static std::string Escaped(std::string_view text) {
    std::string out;
    for (const char c : text) out += c >= ' ' && c < 0x7f ? c : '?';
    return out;
  }
  static std::string Text(std::span<const Field> fields) {
    std::string out;
    for (const Field& field : fields) {
      out += field.hop_by_hop ? " -" : " ";
      out += std::string(field.name) + "=" + Escaped(field.value);
    }
    return out;
  }
  void Tell(const std::string& line) {
    transcript += line + "\n";
    data_of_ = 0;
  }

  void OnRequest(int32_t id, const RequestHead& head, bool ended) override {
    std::string line = std::to_string(id) + " " + std::string(head.method_text) + " " + Escaped(head.target) +
                       " to " + std::string(head.authority) + (ended ? " end" : "");
    if (head.framing == Framing::kChunked) line += " chunked";
    if (head.has_content_length) line += " length " + std::to_string(head.content_length);
    if (head.expect_continue) line += " expect-continue";
    if (head.extended_connect) line += " websocket";
    Tell(line + Text(head.fields));
    if (on_request) on_request(id);
  }
  void OnRefused(int32_t id, const H2Refused& refused) override {
    const RefusalInfo& info = InfoOf(refused.refusal);
    Tell(std::to_string(id) + " refused " + std::string(info.slug) +
         (refused.answerable ? " answerable" : "") + " " + std::string(refused.method) + " " +
         std::string(refused.target));
    if (refused.answerable && answer_refusals) session_.SubmitHead(id, Answer(info.status), {}, true);
  }
  void OnInterim(int32_t id, const ResponseHead& head) override {
    Tell(std::to_string(id) + " interim " + std::to_string(head.status) + Text(head.fields));
  }
  void OnResponse(int32_t id, const ResponseHead& head, bool ended) override {
    std::string line =
        std::to_string(id) + " response " + std::to_string(head.status) + (ended ? " end" : "");
    if (head.has_content_length) line += " length " + std::to_string(head.content_length);
    Tell(line + Text(head.fields));
  }
  void OnData(int32_t id, std::string_view piece) override {
    if (data_of_ == id) {
      transcript.insert(transcript.size() - 2, Escaped(piece));
    } else {
      Tell(std::to_string(id) + " data \"" + Escaped(piece) + "\"");
      data_of_ = id;
    }
    if (consume) session_.Consume(id, piece.size());
  }
  void OnTrailers(int32_t id, std::span<const Field> fields) override {
    Tell(std::to_string(id) + " trailers" + Text(fields));
  }
  void OnEnd(int32_t id) override { Tell(std::to_string(id) + " end"); }
  void OnClosed(int32_t id, const H2Closing& closing) override {
    std::string line = std::to_string(id) + " closed " + std::to_string(closing.code);
    if (closing.by_peer) line += " by peer";
    if (closing.connection) line += " connection";
    if (closing.refusal) line += " " + std::string(InfoOf(*closing.refusal).slug);
    Tell(line);
  }
  void OnWritable(int32_t id) override {
    if (on_writable) {
      on_writable(id);
    } else {
      Tell("writable " + std::to_string(id));
    }
  }
  void OnGoaway(int32_t last, uint32_t code) override {
    Tell("goaway " + std::to_string(last) + " " + std::to_string(code));
  }

  base::BufferPool buffers_;
  H2Pool pool_;
  H2Session session_;
  H2Listener listener_;
  int32_t data_of_ = 0;
};

}  // namespace gatebook::http
