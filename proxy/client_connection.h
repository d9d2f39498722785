// ClientConnection: one HTTP/1 connection of a client, plain or TLS.
//
//   kHandshake ─► kIdle ─► kHead ─► kExchange ─► kFlushing ─┬─► kIdle
//                                       │                   └─► kLinger ─► closed
//                                       └── broken ─► closed
//
// One exchange at a time; pipelined requests wait in the buffer, in order. While
// idle it holds no buffer, no parser and no exchange.
//
// Every wait has a total bound: handshake, head, keep-alive, and for bodies and
// answers a least rate, so that a trickle is no way to hold a connection.
//
// Thread: the worker's. Owns: stream, buffers, exchange. Borrows: context.
// Ends: Close() hands it back to its owner, who disposes of it.
#pragma once

#include <memory>
#include <optional>

#include "http/body_reader.h"
#include "http/request_parser.h"
#include "net/stream.h"
#include "proxy/client_facts.h"
#include "proxy/client_side.h"
#include "proxy/close_reason.h"
#include "proxy/exchange.h"
#include "proxy/worker_context.h"
#include "tls/tls_stream.h"

namespace gatebook::proxy {

class ClientConnection : public net::Disposable, private net::StreamHandler, private ClientSide {
 public:
  class Owner {
   public:
    // The connection is closed; to be disposed of.
    virtual void OnClosed(ClientConnection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  ClientConnection(WorkerContext& context, Owner& owner, const config::Listen& listen,
                   std::optional<base::IpAddress> ip);
  ~ClientConnection() override;

  // Exactly one, once, right after construction. False: the descriptor could not be watched; destroy it.
  bool StartPlain(base::UniqueFd fd);
  bool StartTls(base::UniqueFd fd, const std::shared_ptr<tls::TlsContext>& tls);

  // The process is ending: close now if idle, else after the answer under way.
  void Drain();
  // Close whatever is under way.
  void Abort() { Close(CloseReason::kDrained); }
  // The journal has been brought to the disk: an answer may wait for that.
  void OnJournalFlushed() {
    if (state_ == State::kExchange) Pump();
  }

  size_t index = 0;  // the owner's place for it

 private:
  enum class State { kHandshake, kIdle, kHead, kExchange, kFlushing, kLinger, kClosed };

  void OnStreamReady() override;
  void OnStreamFailed() override;
  void Pump();
  // One move of the machine; false when there is nothing more to do now.
  bool Step();
  void BeginReading();
  bool ReadHead();
  void OnHead();
  void RefuseHead(http::Refusal refusal);
  void Redirect(const http::RequestHead& head);
  VisitFacts VisitOfOurOwn(uint16_t status);
  VisitSession DecideSession(const http::RequestHead* head);
  void JudgeSession(std::string_view cookie, base::SteadyTime now);
  bool PumpExchange();
  void WatchForAbort();
  void Break();
  bool EndRequest();
  bool Discard();
  void ArmStall(base::Duration span);
  void OnTimeout();
  void OnStall();
  void Close(CloseReason reason);

  // ClientSide
  Take ReadBody(size_t most, std::string_view& piece) override;
  http::Refusal body_refusal() const override { return body_reader_.refusal(); }
  void WriteContinue() override;
  void WriteInterim(const http::ResponseHead& head) override;
  void WriteHead(const http::ResponseHead& head, bool request_read) override;
  void WriteRefusal(http::Refusal refusal, bool request_read) override;
  size_t WriteBody(std::string_view piece) override;
  void WriteEnd() override;
  void Flush() override;
  net::IoResult ReadTunnel(std::span<char> into) override;
  net::IoResult WriteTunnel(std::string_view bytes) override;
  void ShutdownTunnel() override { stream_->ShutdownWrite(); }
  void YieldTurn() override { next_turn_.Arm(); }
  void OnExchangeReady() override { Pump(); }

  void AppendFields(const http::ResponseHead& head);
  void AppendOwnFields();
  void AppendConnection();
  void WriteRedirect(const http::RequestHead& head);
  void WriteAnswer(int status, std::string_view more_fields);
  size_t WriteChunk(std::string_view piece);
  void NoteBlocked();
  uint64_t TakenByClient() const;

  WorkerContext& context_;
  Owner& owner_;
  const config::Listen& listen_;
  const std::optional<base::IpAddress> ip_;
  ClientFacts facts_;
  std::unique_ptr<net::Stream> stream_;
  tls::TlsStream* tls_ = nullptr;  // stream_, if it is one

  base::Buffer received_;  // a head and what followed it in the same reads
  base::Buffer body_;      // a request body under way; what is behind it goes back to received_
  base::Buffer out_;
  ObjectPool<http::RequestParser>::Pointer parser_;
  ObjectPool<Exchange>::Pointer exchange_;
  http::BodyReader body_reader_;
  size_t body_consumed_ = 0;
  size_t tunnel_taken_ = 0;    // of what followed a tunnel's head
  size_t lingered_ = 0;
  uint64_t requests_ = 0;
  uint64_t written_ = 0;       // bytes the stream took
  uint64_t stall_write_mark_ = 0;
  base::SteadyTime blocked_since_{};
  uint64_t stall_body_mark_ = 0;

  SessionToken session_;
  std::string cookie_seen_;    // the Cookie value that session_ was decided from
  base::SteadyTime session_decided_at_{};
  base::SteadyTime session_began_at_{};
  base::SteadyTime session_used_at_{};

  State state_ = State::kHandshake;
  bool pumping_ = false;
  bool pump_again_ = false;
  bool keep_alive_ = true;     // after the answer under way
  bool chunked_ = false;       // the answer under way
  bool framed_ = true;         // its end can be told from its bytes
  bool unread_ = false;        // something of the request has not been read
  bool waits_for_body_ = false;
  bool blocked_ = false;       // the client does not take what we write
  bool session_decided_ = false;
  bool session_told_ = false;  // a visit has opened session_
  bool set_cookie_ = false;    // with the next answer
  bool failed_ = false;        // the stream is broken

  net::Timer timer_;        // handshake, head, keep-alive, linger
  net::Timer stall_timer_;  // least rates
  net::NextTurn next_turn_;
};

}  // namespace gatebook::proxy
