// UpstreamConnection: one transport connection to an upstream server and what
// has been read from it.
//
// While it is in the pool its stream is still watched: an end or a stray byte from
// the upstream takes it out at once (security: nothing read beyond an answer may
// ever be the beginning of the next).
//
// Thread: the worker's. Owns: stream, buffer, parser. Borrows: its user.
// Ends: destroying it closes the connection; from inside its own callback use Loop::Dispose().
#pragma once

#include <memory>

#include "base/buffer.h"
#include "base/metrics.h"
#include "http/response_parser.h"
#include "net/loop.h"
#include "net/socket_stream.h"

namespace gatebook::proxy {

class UpstreamConnection : public net::Disposable, private net::StreamHandler {
 public:
  class User {
   public:
    virtual void OnUpstreamReady() = 0;
    virtual void OnUpstreamFailed() = 0;

   protected:
    ~User() = default;
  };

  UpstreamConnection(base::BufferPool& buffers, base::MetricsBlock& metrics, const http::HeadLimits& limits);
  ~UpstreamConnection() override;

  // Begins to connect; false if it fails at once.
  bool Connect(net::Loop& loop, const net::SocketAddress& address);
  // Nobody, or who is told of readiness from now on.
  void SetUser(User* user) { user_ = user; }

  net::Stream& stream() { return *stream_; }
  base::Buffer& received() { return received_; }
  http::ResponseParser& parser() { return parser_; }

  // Whether it has carried an exchange before.
  bool reused() const { return reused_; }
  void set_reused() { reused_ = true; }
  base::SteadyTime idle_since() const { return idle_since_; }
  void set_idle_since(base::SteadyTime time) { idle_since_ = time; }

 private:
  void OnStreamReady() override;
  void OnStreamFailed() override;

  base::MetricsBlock& metrics_;
  std::unique_ptr<net::SocketStream> stream_;
  base::Buffer received_;
  http::ResponseParser parser_;
  User* user_ = nullptr;
  bool reused_ = false;
  base::SteadyTime idle_since_{};
};

}  // namespace gatebook::proxy
