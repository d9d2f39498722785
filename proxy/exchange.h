// Exchange: one request and its response, or one tunnel.
//
//      ┌── refused, or a path of ours ──┐   ┌─► kAnswering ─┐
//   kBegun ─► kConnecting ─► kExchanging ─► kFlushing ─► kOver
//                  ▲   stale     │  101                 ▲
//                  └── retry ────┤                      │
//                                └──► kTunnel ──────────┘
//
// Nothing is asked of an upstream before the first Pump(): a stream that is reset by the same bytes
// which opened it costs the upstream nothing.
//
// It stands between two sides that speak in messages (proxy/client_side.h, proxy/upstream_side.h) and
// knows of neither which protocol that is. Both directions go on at the same time: the request body to
// the upstream, the answer to the client, each in bounded memory, each stopping when the other
// end is slow. A request that is refused, or redirected, or asks for a path of ours (proxy/own_paths.h), is
// an exchange too, whose answer is our own; kAnswering is the handing on of its body. Where that answer comes
// later, the exchange waits in kAwaiting.
//
// The visit is written down before the last byte of the answer, or the 101 of a
// tunnel, is handed on (kFlushing: under journal.flush = "always" that byte waits
// for the disk there).
//
// Thread: the worker's. Borrows: context, generation, client side, facts, head (all outlive it).
// Owns: its lease of an upstream while it has one.
// Ends: destroying it gives the lease up and completes the record as far as
//   it went. May be destroyed inside its own Pump()'s caller.
// Limits: those of its two sides; of a tunnel 4 to 16 KiB each way; 64 KiB of body kept to be sent again.
#pragma once

#include <memory>

#include "http/head.h"
#include "logger/journal_writer.h"
#include "net/timer_wheel.h"
#include "proxy/client_facts.h"
#include "proxy/client_side.h"
#include "proxy/own_answer.h"
#include "proxy/own_resource.h"
#include "proxy/upstream_attempt.h"
#include "proxy/upstream_side.h"
#include "proxy/visit_book.h"
#include "proxy/worker_context.h"

namespace gatebook::proxy {

class Exchange final : private UpstreamSide::User {
 public:
  enum class End {
    kNotYet,
    kAnswered,  // the whole answer was handed to the client side
    kBroken,    // an answer was begun that cannot be ended: abort the connection
    kWithheld,  // the answer may not be given (journal.on_full = "refuse"); nothing of what is gathered may
                // go out
    kTunnelEnded,
    kTunnelIdle,
  };

  struct Request {
    const http::RequestHead* head;                  // with a refusal: what is known of it
    http::Refusal refusal = http::Refusal::kCount;  // kCount: it is in order
    bool redirect_to_https = false;
  };

  Exchange(WorkerContext& context, Generation& generation, ClientSide& client, const ClientFacts& facts,
           const Request& request, const VisitSession& session);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Moves everything that can be moved. Anything but kNotYet: destroy it.
  End Pump();
  // The client has stopped sending its body for too long.
  void RefuseSlowBody() { Refuse(http::Refusal::kBodyTimeout); }
  // The client side gives it up, for what the client did; to be destroyed next.
  void Abandon(http::Refusal refusal);

  // The request's body has been read whole.
  bool request_read() const { return request_read_; }
  bool is_tunnel() const { return phase_ == Phase::kTunnel; }
  // The answer has begun before the request has ended, or it is a tunnel: a client that is silent for a while
  // may only be listening.
  bool IsConversation() const { return head_written_; }
  uint64_t bytes_in() const { return facts_of_visit_.bytes_in; }

 private:
  enum class Phase { kBegun, kAwaiting, kConnecting, kExchanging, kFlushing, kAnswering, kTunnel, kOver };

  void Begin(const Request& request);
  void FindUpstream();
  void AnswerOurselves(const OwnResource& resource);
  void TakeOwnReply(OwnReply reply);
  std::unique_ptr<OwnAnswer> MakeOwnAnswer() const;
  void StartConnecting();
  // The protocol that the request may go on with on this route; empty: none.
  std::string_view AllowedUpgrade() const;
  void TakeUpstream(UpstreamLease lease);
  void PumpRequest();
  // False when nothing more can be taken from the client now.
  bool FillFromClient();
  void PumpResponse();
  void PassInterimAnswer(const http::ResponseHead& head);
  void OnFinalHead(const http::ResponseHead& head);
  void WriteHead();
  void OnUpstreamFailed(const UpstreamSide::Failure& failure);
  // What was taken of the request's body goes to another upstream again.
  void SendAgain();
  void KeepForAnother(std::string_view piece);
  // Those that the route's rules leave.
  std::span<const http::Field> Left(std::span<const http::Field> trailers, const http::HeaderRules* rules);
  // False: the client takes no more now.
  bool HandOverPiece();
  void CompleteAnswer();
  void BeginTunnel();
  void StartTunnel();
  void PumpFlushing();
  void PumpTunnel();
  // One direction: false when it is blocked or over.
  bool MoveTunnel(bool to_upstream);
  void EndTunnel(End end);

  bool MayRetry(UpstreamSide::Repeat repeat);
  void Retry();
  // An answer of our own, or, when one has begun already, a visible break.
  void Refuse(http::Refusal refusal);
  void ArmResponseTimer(base::Duration span);
  void OnResponseTimeout();
  // What is handed on once the visit is in the book.
  enum class Ending : uint8_t {
    kOwnAnswer,
    kHead,    // of an answer without a body
    kBody,    // the last of it
    kTunnel,  // its 101; the visit stays open
  };
  void EndWith(Ending ending);
  void HandOverEnding();
  void WriteVisit();
  // False: it has to wait for the disk (kFlushing), or must not be given.
  bool MayBeGiven(const logger::Appended& appended);
  void CountAnswer();
  void WriteOpenVisit();
  // True: this Pump() has moved its share; it goes on in a later turn.
  bool HasMovedShare(size_t bytes);
  UpstreamPool& pool() { return *generation_.upstreams[route_->upstream]; }
  uint64_t MicrosecondsSince(base::SteadyTime start) const;

  void OnUpstreamReady() override { client_.OnExchangeReady(); }

  WorkerContext& context_;
  Generation& generation_;
  ClientSide& client_;
  const http::RequestHead& head_;
  VisitFacts facts_of_visit_;
  Phase phase_ = Phase::kBegun;
  End end_ = End::kNotYet;

  const OwnResource* own_ = nullptr;  // what was asked for, if it is ours
  std::unique_ptr<OwnPending> own_pending_;  // of an answer that comes later
  std::unique_ptr<OwnAnswer> own_answer_;
  const config::Route* route_ = nullptr;
  ServerChoice choice_;
  std::unique_ptr<UpstreamPool::Attempt> attempt_;
  UpstreamLease upstream_;
  const ClientFacts& facts_;
  base::Buffer kept_body_;    // for an upstream that may refuse it unseen, until there is an answer
  base::Buffer to_upstream_;  // of a tunnel
  base::Buffer to_client_;
  base::SteadyTime request_sent_at_{};
  std::string_view
      piece_;  // payload not yet taken by the client; a view into the upstream's side, or own_answer_
  std::string_view upgrade_;   // the protocol that is asked for, and that the route allows; empty: none
  int64_t share_ = 0;          // bytes that this Pump() may still move
  logger::Appended appended_;  // the last record of this visit
  logger::VisitId open_id_;    // of a visit written open
  uint32_t interim_answers_ = 0;

  bool request_read_ = false;
  bool request_sent_ = false;  // all of it written to the upstream
  bool send_failed_ = false;   // the upstream stopped reading; its answer may still come
  bool head_written_ = false;
  bool answer_read_ = false;  // its last byte
  bool keeps_body_ = true;    // kept_body_ is all of it so far
  uint8_t retries_ = 0;
  bool written_ = false;  // the visit is in the book, complete
  bool written_open_ = false;
  Ending ending_ = Ending::kOwnAnswer;
  bool client_ended_ = false;  // tunnels: which side has sent its end
  bool upstream_ended_ = false;

  net::Timer response_timer_;
  net::Timer open_timer_;
};

}  // namespace gatebook::proxy
