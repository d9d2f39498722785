// Http1Upstream: UpstreamSide as HTTP/1: one exchange on one connection.
//
// Thread: the worker's. Owns: the connection, while it is leased. Borrows: its pool.
// Ends: Leave() gives the connection back to the pool if the exchange ended exactly (all of the request
//   written, nothing read beyond the answer, both sides willing to go on), else closes it.
// Limits: 64 KiB towards the upstream, one read (16 or 64 KiB) from it.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.h"
#include "http/body_reader.h"
#include "http/trailers.h"
#include "proxy/upstream_connection.h"
#include "proxy/upstream_side.h"

namespace gatebook::proxy {

class UpstreamPool;

class Http1Upstream final : public UpstreamSide, private UpstreamConnection::User {
 public:
  // Only by the pool.
  Http1Upstream(UpstreamPool& pool, base::BufferPool& buffers,
                std::unique_ptr<UpstreamConnection> connection);

  // Takes the connection out; nothing but letting go of the lease may follow.
  std::unique_ptr<UpstreamConnection> TakeConnection();

  void Begin(UpstreamSide::User& user, const OutgoingRequest& request) override;
  size_t room() const override;
  void WriteBody(std::string_view piece) override;
  void WriteEnd(std::span<const http::Field> trailers) override;
  Sent Send() override;
  Take Read(std::string_view& piece) override;
  const http::ResponseHead& head() const override { return connection_->parser().head(); }
  std::span<const http::Field> trailers() const override { return trailers_.fields(); }
  Failure failure() const override { return failure_; }
  net::IoResult ReadTunnel(std::span<char> into) override;
  net::IoResult WriteTunnel(std::string_view bytes) override { return connection_->stream().Write(bytes); }
  void Leave() override;
  void ShutdownTunnel() override { connection_->stream().ShutdownWrite(); }

 private:
  enum class State : uint8_t { kHead, kBody, kTunnel, kOver };

  void OnUpstreamReady() override { user_->OnUpstreamReady(); }
  void OnUpstreamFailed() override { user_->OnUpstreamReady(); }

  void DropShown();
  // Of what was received: kWait if it is nothing whole.
  Take Next(std::string_view& piece);
  Take ReadHead();
  Take ReadBody(std::string_view& piece);
  Take Fail(http::Refusal refusal);
  Take OnEnd(bool in_good_order);
  bool IsHandshakeAnswered() const;
  bool IsExact();

  UpstreamPool& pool_;
  std::unique_ptr<UpstreamConnection> connection_;
  UpstreamSide::User* user_ = nullptr;
  base::Buffer out_;
  http::BodyReader body_;
  http::Trailers trailers_;
  http::Method method_ = http::Method::kOther;
  std::string_view offered_;   // the protocol to upgrade to
  std::string websocket_key_;  // ours, for an extended CONNECT
  size_t shown_ = 0;           // bytes at the front of what was received, which the user looks at
  Failure failure_;
  State state_ = State::kHead;
  bool chunked_ = false;      // the request
  bool whole_ = false;        // all of the request was taken
  bool send_failed_ = false;  // the upstream stopped reading
  bool seen_ = false;         // a byte of the answer
  bool interim_ = false;      // the head that was shown is not the last
  bool keep_alive_ = false;   // says the answer
  bool large_reads_ = false;
};

}  // namespace gatebook::proxy
