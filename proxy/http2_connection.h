// Http2Connection: one HTTP/2 connection of a client (RFC 9113).
//
//   stream ─ bytes ─► H2Session ─ messages ─► Http2Stream ─ Exchange (one a stream)
//          ◄─ records of many streams ─┘
//
// What exchanges hand over within one turn of the loop goes out together at its
// end, in full TLS records. Nothing is read while the client does not take
// what is there for it.
//
// Every wait has a bound: no stream open, timeouts.keep_alive (a PING does not
// extend it); a head, timeouts.request_header, whatever else is open; a body or
// an answer, the least rate, judged for each stream; the connection as a whole
// likewise.
//
// Thread: the worker's. Owns: stream, session, its streams. Borrows: context.
// Ends: see ClientConnection.
// Limits: those of H2Session; 64 KiB of body and 48 KiB of output waiting.
#pragma once

#include <memory>
#include <vector>

#include "http/h2_session.h"
#include "net/stream.h"
#include "proxy/arrival.h"
#include "proxy/client_connection.h"
#include "proxy/client_session.h"
#include "proxy/http2_stream.h"

namespace gatebook::proxy {

class Http2Connection final : public ClientConnection, private net::StreamHandler, private http::H2Handler {
 public:
  // Begin() follows once.
  Http2Connection(WorkerContext& context, Owner& owner, Arrival arrival);
  ~Http2Connection() override;

  void Begin();
  void Drain() override;
  void Abort() override { Close(CloseReason::kDrained); }
  void OnJournalFlushed() override;

  // For its streams.
  WorkerContext& context() { return context_; }
  http::H2Session& session() { return session_; }
  const ClientFacts& facts() const { return facts_; }
  ClientSession& client_session() { return client_session_; }
  // The stream's exchange is to be pumped, at the end of this turn.
  void MakeReady(Http2Stream& stream);
  // There is output, or there will be.
  void FlushSoon();

 private:
  void OnStreamReady() override { Pump(); }
  void OnStreamFailed() override {}

  // H2Handler
  void OnRequest(int32_t id, const http::RequestHead& head, bool ended) override;
  void OnRefused(int32_t id, const http::H2Refused& refused) override;
  void OnData(int32_t id, std::string_view piece) override;
  void OnTrailers(int32_t id, std::span<const http::Field> fields) override;
  void OnEnd(int32_t id) override;
  void OnClosed(int32_t id, const http::H2Closing& closing) override;
  void OnWritable(int32_t id) override;

  void Pump();
  // False: nothing more to read now.
  bool ReadSome();
  void PumpStreams();
  void Flush();
  void NoteEnd();
  void EndIfOver();
  void Linger();
  Http2Stream& AddStream(int32_t id, std::shared_ptr<Generation> generation);
  Http2Stream* Find(int32_t id);
  void RemoveStream(int32_t id);
  void BeginDrain();
  void ArmIdle();
  void WatchHead();
  void OnIdle();
  void ArmSpan(net::Timer& timer, std::chrono::milliseconds span);
  void OnBodySpan();
  void OnWriteSpan();
  uint64_t TakenByClient() const;
  void Close(CloseReason reason);

  ClientFacts facts_;
  std::unique_ptr<net::Stream> stream_;
  http::H2Session session_;
  ClientSession client_session_;
  base::Buffer received_;
  std::vector<ObjectPool<Http2Stream>::Pointer> streams_;  // few, in no order
  std::vector<int32_t> ready_;
  std::vector<int32_t> pumping_ids_;
  uint64_t requests_ = 0;
  uint64_t written_ = 0;  // bytes that the stream took
  uint64_t taken_mark_ = 0;
  int32_t head_watched_ = 0;  // the stream whose head is under way
  bool blocked_ = false;      // the client does not take what we write
  bool was_blocked_ = false;  // when the last span ended
  bool pumping_ = false;
  bool pump_again_ = false;
  bool draining_ = false;
  bool lingering_ = false;  // all is said; bytes that still come are read and dropped
  bool closed_ = false;
  bool end_noted_ = false;  // the session's, in the counters
  size_t lingered_ = 0;
  CloseReason reason_ = CloseReason::kAnswered;  // once the session is over

  net::Timer idle_timer_;  // no stream is open; the drain's round trip; lingering
  net::Timer head_timer_;
  // Least rates, judged at the end of each span: timeouts.body_idle, write_idle.
  net::Timer body_timer_;
  net::Timer write_timer_;
  net::NextTurn end_of_turn_;
};

}  // namespace gatebook::proxy
