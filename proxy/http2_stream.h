// Http2Stream: ClientSide as one stream of HTTP/2: an exchange's way to its client.
//
// The body that has come waits here, within the stream's window. The answer waits
// nowhere: what the session does not take stays with the upstream.
//
// After an answer that turned its request down before that had ended the stream stays for a moment: what the
// client still sends is read and dropped, for some take a reset for a failure although they have the
// whole answer (curl 7; RFC 9113 §8.1 lets them not). Of other such answers the reset is the only word to
// stop.
//
// Thread: the worker's. Owns: its exchange. Borrows: its connection, and the head, which
//   the session keeps until the stream is closed; of a refused request only during Begin().
// Limits: 2 s or 1 MiB of such a rest, as of HTTP/1.
// Ends: destroying it ends the exchange; the connection does so, never it itself.
#pragma once

#include <memory>

#include "base/buffer.h"
#include "http/h2_session.h"
#include "http/trailers.h"
#include "proxy/client_side.h"
#include "proxy/exchange.h"
#include "proxy/generation.h"
#include "proxy/object_pool.h"

namespace gatebook::proxy {

class Http2Connection;

class Http2Stream final : private ClientSide {
 public:
  Http2Stream(Http2Connection& connection, int32_t id, std::shared_ptr<Generation> generation);
  ~Http2Stream();

  // Once: what was asked.
  void Begin(const Exchange::Request& request, bool ended);
  void Pump();

  // From the session.
  void OnBody(std::string_view piece);
  void OnTrailers(std::span<const http::Field> fields) { trailers_.Copy(fields); }
  void OnBodyEnd() { body_ended_ = true; }
  // The client has reset it, or the connection is over; `refusal`: the client broke a rule.
  void OnGone(std::optional<http::Refusal> refusal);

  // A span of time has gone by: gives up what went too slowly in it.
  void JudgeReading(uint64_t least);
  void JudgeWriting(uint64_t least);

  int32_t id() const { return id_; }
  bool is_ready = false;  // stands in the connection's list

 private:
  logger::Protocol protocol() const override { return logger::Protocol::kH2; }
  Take ReadBody(size_t most, std::string_view& piece) override;
  http::Refusal body_refusal() const override { return http::Refusal::kLengthMismatch; }
  std::span<const http::Field> trailers() const override { return trailers_.fields(); }
  void WriteContinue() override;
  void WriteInterim(const http::ResponseHead& head) override;
  void WriteHead(const http::ResponseHead& head, bool request_read, const http::HeaderRules* rules) override;
  size_t WriteOwnAnswer(const OwnAnswer& answer, bool request_read) override;
  size_t WriteBody(std::string_view piece) override;
  void WriteEnd(std::span<const http::Field> trailers) override;
  void Flush() override;
  net::IoResult ReadTunnel(std::span<char> into) override;
  net::IoResult WriteTunnel(std::string_view bytes) override;
  void ShutdownTunnel() override;
  void YieldTurn() override;
  void OnExchangeReady() override;

  void EndExchange(Exchange::End end);
  void Linger();
  void Discard();
  void AppendOwnFields(std::vector<http::Field>& out);

  Http2Connection& connection_;
  const int32_t id_;
  const http::RequestHead* head_ = nullptr;
  const ClientFacts* facts_ = nullptr;
  std::optional<ClientFacts> forwarded_facts_;  // where it came through a trusted proxy
  std::shared_ptr<Generation> generation_;
  base::Buffer body_;
  size_t body_consumed_ = 0;
  http::Trailers trailers_;
  ObjectPool<Exchange>::Pointer exchange_;
  uint64_t written_ = 0;
  uint64_t write_mark_ = 0;
  uint64_t body_mark_ = 0;
  size_t lingered_ = 0;  // bytes
  net::Timer linger_timer_;
  bool answers_head_ = false;  // the method was HEAD; the head of a refused request is gone before its answer
  bool body_ended_ = false;
  bool waits_for_body_ = false;
  bool blocked_ = false;      // the client's window, or its connection, takes no more
  bool was_blocked_ = false;  // at the last judgement
  bool had_body_wait_ = false;
  bool ended_ = false;        // our side of the stream
  bool turned_down_ = false;  // by the answer's status: a client stops by itself
  bool gone_ = false;
};

}  // namespace gatebook::proxy
