// Http2Upstream: one HTTP/2 connection to an upstream server (RFC 9113), which exchanges share.
//
//   Exchange ─ UpstreamSide ─ Http2UpstreamStream ─┐
//   Exchange ─ UpstreamSide ─ Http2UpstreamStream ─┴─ H2Session ─ bytes ─ stream
//
// It is there for exchanges when the server's SETTINGS have come: then it is known that the server
// speaks HTTP/2 at all, how many streams it allows, and whether it takes tunnels. After its GOAWAY,
// or ours, no new stream begins; those under way end.
//
// What exchanges hand over within one turn of the loop goes out together at its end. What the
// server sends is always read: its windows bound it, and to wait with it while we cannot
// write could make both sides wait for each other.
//
// Thread: the worker's. Owns: connection, session, streams. Borrows: all of Parts, user.
// Ends: when IsOver() and no stream is left it is to be handed to Loop::Dispose(). The
//   user is told when that is so.
// Limits: as http/h2_session.h, the server's settings too; timeouts.upstream_keep_alive without a stream.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "http/h2_session.h"
#include "net/loop.h"
#include "proxy/http2_upstream_stream.h"
#include "proxy/object_pool.h"
#include "proxy/request_fields.h"
#include "proxy/upstream_connection.h"

namespace gatebook::proxy {

class Http2Upstream final : public net::Disposable,
                            private UpstreamConnection::User,
                            private http::H2Handler {
 public:
  // Where what comes and goes with streams is kept. A connection that was disposed of may outlive its pool.
  struct Stores {
    explicit Stores(base::BufferPool& buffers) : h2(buffers) {}
    http::H2Pool h2;
    ObjectPool<Http2UpstreamStream> streams;
    std::vector<http::H2HeadText> texts;  // empty ones, with room for the next heads
  };
  struct Parts {
    net::Loop& loop;
    base::BufferPool& buffers;
    base::MetricsBlock& metrics;
    std::shared_ptr<Stores> stores;
    http::HeadLimits limits;
    base::Duration keep_alive;
    std::string_view scheme;  // a literal
  };
  using User = UpstreamConnection::User;
  // The user is told of readiness when the server has greeted, and later whenever there may be room for more;
  // of failure when it is to be disposed of. Never from inside a call.
  Http2Upstream(const Parts& parts, std::unique_ptr<UpstreamConnection> connection, User& user);
  ~Http2Upstream() override;
  void SetUser(User& user) { user_ = &user; }

  // Whether there is room for a stream.
  bool HasRoom() const { return greeted_ && !retired_ && !over_ && session_.FreeStreams() > unbegun_; }
  // One of them. Requires: HasRoom().
  UpstreamLease Open();
  // No new streams; it ends with the last of those that are there.
  void Retire();
  bool IsOver() const { return over_; }
  size_t streams() const { return streams_.size(); }
  UpstreamConnection& connection() { return *connection_; }
  // After a failure: which rule the server broke, in a few words that hold nothing of its own; may be empty.
  std::string_view failure() const { return failure_; }

  // For its streams.
  size_t server() const { return connection_->server(); }
  http::H2Session& session() { return session_; }
  RequestFields& fields() { return fields_; }
  std::string_view scheme() const { return parts_.scheme; }
  base::SteadyTime now() const { return parts_.loop.now(); }
  // An exchange before has been answered.
  bool IsUsed() const { return session_.completed() > 0; }
  void NoteBegun() { --unbegun_; }
  // There is output, or there will be.
  void FlushSoon();
  // `unanswered`: nothing was heard of it.
  void Remove(Http2UpstreamStream& stream, bool unanswered);

 private:
  void OnUpstreamReady() override { Pump(); }
  void OnUpstreamFailed() override { End(""); }

  // H2Handler
  void OnSettings() override;
  void OnInterim(int32_t id, const http::ResponseHead& head) override;
  void OnResponse(int32_t id, const http::ResponseHead& head, bool ended) override;
  void OnData(int32_t id, std::string_view piece) override;
  void OnTrailers(int32_t id, std::span<const http::Field> fields) override;
  void OnEnd(int32_t id) override;
  void OnClosed(int32_t id, const http::H2Closing& closing) override;
  void OnWritable(int32_t id) override;
  void OnGoaway(int32_t last, uint32_t code) override;

  void Pump();
  // False: nothing more to read now.
  bool ReadSome();
  void TellStreams();
  void TellUser();
  void Flush();
  Http2UpstreamStream* Find(int32_t id);
  void MakeReady(Http2UpstreamStream& stream);
  void Rest();
  // In good order, without a stream.
  void SayGoodbye();
  void End(std::string_view why);

  const Parts parts_;
  User* user_;
  std::unique_ptr<UpstreamConnection> connection_;
  http::H2Session session_;
  RequestFields fields_;
  std::vector<ObjectPool<Http2UpstreamStream>::Pointer> streams_;  // few, in no order
  std::vector<int32_t> ready_;
  std::vector<int32_t> telling_;
  uint32_t unbegun_ = 0;  // of the streams
  std::string_view failure_;
  uint64_t written_ = 0;  // bytes that the stream took
  base::SteadyTime heard_at_{};
  bool greeted_ = false;
  bool retired_ = false;
  bool over_ = false;
  bool resting_ = false;   // counted as idle
  bool has_news_ = false;  // for the user
  bool pumping_ = false;
  bool pump_again_ = false;

  net::Timer idle_timer_;
  net::NextTurn end_of_turn_;
};

}  // namespace gatebook::proxy
