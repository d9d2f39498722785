// Http1Connection: one HTTP/1 connection of a client, plain or TLS.
//
//   kIdle ─► kHead ─► kExchange ─► kFlushing ─┬─► kIdle
//                         │                   └─► kLinger ─► closed
//                         └── broken ─► closed
//
// One exchange at a time; pipelined requests wait in the buffer, in order. While
// idle it holds no buffer, no parser, no exchange and no generation.
//
// Every wait has a total bound: head, keep-alive, and for bodies and answers a
// least rate, so that a trickle is no way to hold a connection.
//
// Thread: the worker's. Owns: stream, buffers, exchange. Borrows: context.
// Ends: see ClientConnection.
#pragma once

#include <memory>

#include "http/body_reader.h"
#include "http/request_parser.h"
#include "http/trailers.h"
#include "net/stream.h"
#include "proxy/arrival.h"
#include "proxy/client_connection.h"
#include "proxy/client_facts.h"
#include "proxy/client_session.h"
#include "proxy/client_side.h"
#include "proxy/exchange.h"

namespace gatebook::proxy {

class Http1Connection final : public ClientConnection, private net::StreamHandler, private ClientSide {
 public:
  // Begin() follows once.
  Http1Connection(WorkerContext& context, Owner& owner, Arrival arrival);
  ~Http1Connection() override;

  // Reads what is there.
  void Begin();
  void Drain() override;
  void Abort() override { Close(CloseReason::kDrained); }
  void OnJournalFlushed() override {
    if (state_ == State::kExchange) Pump();
  }

 private:
  enum class State { kIdle, kHead, kExchange, kFlushing, kLinger, kClosed };

  void OnStreamReady() override { Pump(); }
  void OnStreamFailed() override {}
  void Pump();
  // One move of the machine; false when there is nothing more to do now.
  bool Step();
  bool ReadHead();
  void OnHead();
  void OnRefusedHead(http::Refusal refusal);
  void BeginExchange(const Exchange::Request& request);
  const ClientFacts& facts() const { return forwarded_facts_ ? *forwarded_facts_ : peer_facts_; }
  const config::Config& config() const { return (generation_ ? generation_ : context_.generation)->config; }
  bool PumpExchange();
  void WatchForAbort();
  void Break();
  // `last`: the connection ends with what is written.
  void Flush(bool last);
  bool EndRequest();
  bool EndsHere() const { return !keep_alive_ || context_.draining; }
  bool Discard();
  void ArmStall(base::Duration span);
  void OnTimeout();
  void OnStall();
  void Close(CloseReason reason);

  // ClientSide
  logger::Protocol protocol() const override { return logger::Protocol::kH1; }
  Take ReadBody(size_t most, std::string_view& piece) override;
  http::Refusal body_refusal() const override { return body_refusal_; }
  std::span<const http::Field> trailers() const override { return trailers_.fields(); }
  void WriteContinue() override;
  void WriteInterim(const http::ResponseHead& head) override;
  void WriteHead(const http::ResponseHead& head, bool request_read, const http::HeaderRules* rules) override;
  size_t WriteOwnAnswer(const OwnAnswer& answer, bool request_read) override;
  size_t WriteBody(std::string_view piece) override;
  void WriteEnd(std::span<const http::Field> trailers) override;
  void Flush() override { Flush(false); }
  net::IoResult ReadTunnel(std::span<char> into) override;
  net::IoResult WriteTunnel(std::string_view bytes) override;
  void ShutdownTunnel() override { stream_->ShutdownWrite(); }
  void YieldTurn() override { next_turn_.Arm(); }
  void OnExchangeReady() override { Pump(); }

  void AppendFields(const http::ResponseHead& head, const http::HeaderRules* rules);
  void AppendOwnFields();
  void AppendConnection();
  void AppendField(std::string_view name, std::string_view value);
  size_t WriteChunk(std::string_view piece);
  void NoteBlocked();
  uint64_t TakenByClient() const;

  const ClientFacts peer_facts_;
  // Of the request under way, where it came through a trusted proxy.
  std::unique_ptr<const ClientFacts> forwarded_facts_;
  std::unique_ptr<net::Stream> stream_;
  const bool redirect_to_https_;
  std::shared_ptr<Generation> generation_;  // of the request under way

  base::Buffer received_;  // a head and what followed it in the same reads
  base::Buffer body_;      // a request body under way; what is behind it goes back to received_
  base::Buffer out_;
  ObjectPool<http::RequestParser>::Pointer parser_;
  ObjectPool<Exchange>::Pointer exchange_;
  http::BodyReader body_reader_;
  http::Trailers trailers_;
  http::Refusal body_refusal_ = http::Refusal::kBadChunk;
  size_t body_consumed_ = 0;
  size_t tunnel_taken_ = 0;  // of what followed a tunnel's head
  size_t lingered_ = 0;
  uint64_t requests_ = 0;
  uint64_t written_ = 0;  // bytes the stream took
  uint64_t stall_write_mark_ = 0;
  base::SteadyTime blocked_since_{};
  uint64_t stall_body_mark_ = 0;

  ClientSession session_;

  State state_ = State::kIdle;
  bool pumping_ = false;
  bool pump_again_ = false;
  bool keep_alive_ = true;  // after the answer under way
  bool chunked_ = false;    // the answer under way
  bool framed_ = true;      // its end can be told from its bytes
  bool unread_ = false;     // something of the request has not been read
  bool waits_for_body_ = false;
  bool blocked_ = false;  // the client does not take what we write
  bool failed_ = false;   // the stream is broken

  net::Timer timer_;        // head, keep-alive, linger
  net::Timer stall_timer_;  // least rates
  net::NextTurn next_turn_;
};

}  // namespace gatebook::proxy
