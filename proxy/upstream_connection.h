// UpstreamConnection: one transport connection to an upstream server and what
// has been read from it.
//
// While it is in the pool its stream is still watched: an end or a stray byte from
// the upstream takes it out at once (security: nothing read beyond an answer may
// ever be the beginning of the next).
//
// Thread: the worker's. Owns: stream, buffer, parser, its place among the server's connections.
// Borrows: its user.
// Ends: destroying it closes the connection; from inside its own callback use Loop::Dispose().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/metrics.h"
#include "http/response_parser.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proxy/server_load.h"
#include "proxy/upstream_target.h"

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

  UpstreamConnection(base::BufferPool& buffers, base::MetricsBlock& metrics, const http::HeadLimits& limits,
                     std::shared_ptr<ServerLoad> load);
  ~UpstreamConnection() override;

  // Begins to connect; false if it fails at once. `preamble`: what is sent before all else (a PROXY header);
  // the connection then is for those alone who bring the same one.
  bool Connect(net::Loop& loop, const UpstreamTarget& target, const net::SocketAddress& address,
               uint64_t names_version, const std::string& preamble = {});
  // Nobody, or who is told of readiness from now on.
  void SetUser(User* user) { user_ = user; }

  net::Stream& stream() { return *stream_; }
  base::Buffer& received() { return received_; }
  http::ResponseParser& parser() { return parser_; }

  const std::string& preamble() const { return preamble_; }
  // Of the server in upstream.servers.
  size_t server() const { return server_; }
  // Whom it is connected to; nothing: a Unix socket.
  const std::optional<base::IpAddress>& ip() const { return ip_; }
  // UpstreamNames::version() under which its address was last found to be the server's.
  uint64_t names_version() const { return names_version_; }
  void set_names_version(uint64_t version) { names_version_ = version; }

  // Whether it has carried an exchange before.
  bool reused() const { return reused_; }
  void set_reused() { reused_ = true; }
  base::SteadyTime idle_since() const { return idle_since_; }
  uint64_t idle_turn() const { return idle_turn_; }
  void MarkIdle(const net::Loop& loop) {
    idle_since_ = loop.now();
    idle_turn_ = loop.turn();
  }
  // Asks the kernel, past everything that the stream believes, whether there is anything to read: a byte,
  // an end or an error. One system call.
  bool HasAnythingToRead() const;

 private:
  void OnStreamReady() override;
  void OnStreamFailed() override;

  base::MetricsBlock& metrics_;
  ServerLoad::Slot slot_;
  std::unique_ptr<net::Stream> stream_;
  base::Buffer received_;
  http::ResponseParser parser_;
  User* user_ = nullptr;
  size_t server_ = 0;
  std::string preamble_;
  std::optional<base::IpAddress> ip_;
  uint64_t names_version_ = 0;
  uint64_t idle_turn_ = 0;
  base::SteadyTime idle_since_{};
  bool reused_ = false;
};

}  // namespace gatebook::proxy
