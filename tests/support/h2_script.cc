#include "tests/support/h2_script.h"

#include <map>
#include <memory>

namespace gatebook::support {
namespace {

std::vector<http::Field> FieldsOf(const FieldTexts& texts) {
  std::vector<http::Field> fields;
  for (const auto& [name, value] : texts) fields.push_back({.name = name, .value = value});
  return fields;
}

FieldTexts TextsOf(std::span<const http::Field> fields) {
  FieldTexts texts;
  for (const http::Field& field : fields) texts.emplace_back(field.name, field.value);
  return texts;
}

http::H2Options OptionsFor(bool extended_connect) {
  http::H2Options options;
  options.scheme = "http";
  options.extended_connect = extended_connect;
  return options;
}

}  // namespace

std::string H2Call::Field(std::string_view name) const {
  for (const auto& [each, value] : fields) {
    if (each == name) return value;
  }
  return "";
}

void H2Call::Interim(int status, const FieldTexts& more) { Head(status, more); }

void H2Call::Head(int status, const FieldTexts& more, bool end) {
  const std::vector<http::Field> list = FieldsOf(more);
  http::ResponseHead head;
  head.status = status;
  head.fields = list;
  session_.SubmitHead(id, head, {}, end);
}

void H2Call::Send(std::string_view bytes) {
  waiting_.append(bytes);
  Flush();
}

void H2Call::End(const FieldTexts& last) {
  end_waits_ = true;
  trailers_waiting_ = last;
  Flush();
}

void H2Call::Flush() {
  if (!waiting_.empty()) waiting_.erase(0, session_.OfferData(id, waiting_));
  if (!waiting_.empty() || !std::exchange(end_waits_, false)) return;
  session_.SubmitTrailers(id, FieldsOf(trailers_waiting_));
}

class H2Conversation final : private http::H2Handler {
 public:
  H2Conversation(UpstreamConnection& connection, const H2Script& script, bool extended_connect)
      : connection_(connection),
        script_(script),
        pool_(buffers_),
        session_(OptionsFor(extended_connect), pool_, *this) {}

  void Run() {
    // What TestUpstream took for a request's head.
    std::string bytes = "PRI * HTTP/2.0\r\n\r\n";
    do {
      session_.Receive(bytes, base::Clock::System().SteadyNow());
      Flush();
      while (session_.Dispatch()) Flush();
    } while (!session_.IsOver() && !(bytes = connection_.ReadSome()).empty());
    for (auto& [id, call] : calls_) script_(*call, H2Event::kClosed);
    connection_.Close();
  }

 private:
  void Flush() {
    const std::string out(session_.Output());
    session_.DropOutput(out.size());
    connection_.Send(out);
  }
  H2Call* Find(int32_t id) {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second.get();
  }

  void OnRequest(int32_t id, const http::RequestHead& head, bool ended) override {
    auto call = std::make_unique<H2Call>(session_, id);
    call->method = head.method_text;
    call->target = head.target;
    call->tunnel = head.extended_connect;
    call->fields = TextsOf(head.fields);
    H2Call& made = *(calls_[id] = std::move(call));
    script_(made, H2Event::kHead);
    if (ended) script_(made, H2Event::kEnd);
  }
  void OnData(int32_t id, std::string_view piece) override {
    session_.Consume(id, piece.size());
    if (H2Call* call = Find(id)) {
      call->body.append(piece);
      script_(*call, H2Event::kData);
    }
  }
  void OnTrailers(int32_t id, std::span<const http::Field> fields) override {
    if (H2Call* call = Find(id)) call->trailers = TextsOf(fields);
  }
  void OnEnd(int32_t id) override {
    if (H2Call* call = Find(id)) script_(*call, H2Event::kEnd);
  }
  void OnClosed(int32_t id, const http::H2Closing& closing) override {
    if (H2Call* call = Find(id)) {
      call->code = closing.code;
      script_(*call, H2Event::kClosed);
    }
    calls_.erase(id);
  }
  void OnWritable(int32_t id) override {
    if (H2Call* call = Find(id)) call->Flush();
  }

  UpstreamConnection& connection_;
  const H2Script& script_;
  base::BufferPool buffers_;
  http::H2Pool pool_;
  http::H2Session session_;
  std::map<int32_t, std::unique_ptr<H2Call>> calls_;
};

TestUpstream::Script SpeakH2(H2Script script, bool extended_connect) {
  return [script = std::move(script), extended_connect](UpstreamConnection& connection, HttpMessage&) {
    H2Conversation(connection, script, extended_connect).Run();
  };
}

}  // namespace gatebook::support
