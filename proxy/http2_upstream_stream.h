// Http2UpstreamStream: UpstreamSide as one stream of HTTP/2 (RFC 9113).
//
// Answer and body that have come wait here, within the stream's window; the last bytes of a body
// of known length until its end was said, so that nobody has a whole answer that is not one.
// To whoever asks for a tunnel, the 2xx of an extended CONNECT (RFC 8441) looks like the 101 that
// HTTP/1 would bring.
//
// Thread: the worker's. Owns: what has come. Borrows: its connection.
// Ends: Leave() resets a stream that is not over (CANCEL); the connection destroys it.
// Limits: 64 KiB of body each way; kMostInterims interim heads waiting.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "http/h2_session.h"
#include "http/trailers.h"
#include "proxy/upstream_side.h"

namespace gatebook::proxy {

class Http2Upstream;

class Http2UpstreamStream final : public UpstreamSide {
 public:
  // `room`: empty, for the head to come.
  Http2UpstreamStream(Http2Upstream& connection, base::BufferPool& buffers, http::H2HeadText room);
  // At its end: the room, for another.
  http::H2HeadText TakeText() { return std::move(text_); }

  void Begin(User& user, const OutgoingRequest& request) override;
  size_t room() const override;
  void WriteBody(std::string_view piece) override;
  void WriteEnd(std::span<const http::Field> trailers) override;
  Sent Send() override;
  Take Read(std::string_view& piece) override;
  const http::ResponseHead& head() const override { return shown_interim_ ? shown_interim_->head : head_; }
  std::span<const http::Field> trailers() const override { return trailers_.fields(); }
  Failure failure() const override { return failure_; }
  net::IoResult ReadTunnel(std::span<char> into) override;
  net::IoResult WriteTunnel(std::string_view bytes) override;
  void Leave() override;
  void ShutdownTunnel() override;

  // From the session.
  void OnInterim(const http::ResponseHead& head);
  void OnResponse(bool ended);
  void OnData(std::string_view piece) { body_.Append(piece); }
  void OnTrailers(std::span<const http::Field> fields) { trailers_.Copy(fields); }
  void OnEnd() { ended_ = true; }
  void OnClosed(const http::H2Closing& closing);

  void Tell() {
    if (user_ != nullptr) user_->OnUpstreamReady();
  }
  bool is_begun() const { return user_ != nullptr; }
  int32_t id() const { return id_; }  // 0: it has none
  base::SteadyTime begun() const { return begun_; }
  bool is_ready = false;  // stands in the connection's list

 private:
  static constexpr size_t kMostInterims = 16;
  struct Interim {
    http::ResponseHead head;
    http::H2HeadText text;
  };

  void Fail(http::Refusal refusal, Repeat repeat = Repeat::kNever);
  void DropShown();
  Take ShowHead();
  Take ShowBody(std::string_view& piece);
  void MakeTunnelHead();
  void SendEnd();

  Http2Upstream& connection_;
  User* user_ = nullptr;
  int32_t id_ = 0;
  base::SteadyTime begun_{};

  // The request.
  const http::RequestHead* request_ = nullptr;
  base::Buffer out_;
  http::Trailers trailers_out_;
  size_t moved_ = 0;  // bytes, since Send() last told
  bool tunnel_ = false;
  bool whole_ = false;     // all of it was taken
  bool end_sent_ = false;  // END_STREAM

  // The answer.
  std::vector<std::unique_ptr<Interim>> interims_;
  std::unique_ptr<Interim> shown_interim_;
  http::H2HeadText text_;
  http::ResponseHead head_;
  std::string accept_;  // Sec-WebSocket-Accept
  base::Buffer body_;
  uint64_t read_ = 0;  // bytes of the body that were shown
  size_t shown_ = 0;   // of those at the front of body_, which the user looks at
  http::Trailers trailers_;
  Failure failure_;
  bool seen_ = false;  // an interim head
  bool has_head_ = false;
  bool head_shown_ = false;
  bool ended_ = false;   // the answer is whole
  bool closed_ = false;  // the stream is over
};

}  // namespace gatebook::proxy
