// HealthCheck: asks one upstream server, again and again, whether it is well.
//
// A check is one connection and one plain GET of upstream.health_path, in the protocol that the upstream
// speaks (proxy/health_question.h); good is a whole head of 200 to 399 within upstream.health_timeout,
// connecting and TLS included. Each address of the server is tried in turn, with a fair share of that time.
// What is learned is posted to the HealthBoard, where workers read it.
//
// Thread: the loop's (the main one: one place asks, however many workers there are).
// Borrows: all of Parts, until Abandon().
// Ends: Abandon() it, then Loop::Dispose(): one of its streams may be told something in this turn still.
// Limits: those of the question; one check at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/metrics.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proxy/health_board.h"
#include "proxy/health_question.h"
#include "proxy/server_health.h"
#include "proxy/upstream_target.h"

namespace gatebook::proxy {

class HealthCheck : public net::Disposable, private net::StreamHandler {
 public:
  struct Parts {
    net::Loop& loop;
    base::BufferPool& buffers;
    base::MetricsBlock& metrics;
    const UpstreamNames& names;
    const config::Config& config;
    const config::Upstream& upstream;
    HealthBoard::Server& board;
  };
  // The first check begins in a later turn.
  HealthCheck(const Parts& parts, UpstreamTarget target);
  void Abandon();

 private:
  // A stream is destroyed after the callback that it may be in.
  struct Ended : net::Disposable {
    std::unique_ptr<net::Stream> stream;
  };
  void Begin();
  void TryNextAddress();
  void OnStreamReady() override;
  void OnStreamFailed() override;
  // False: the try is over.
  bool Write();
  void Read();
  void EndTry();
  void Finish(bool good, std::string_view why);

  net::Loop& loop_;
  base::MetricsBlock& metrics_;
  const UpstreamNames& names_;
  const config::Config& config_;
  const config::Upstream& upstream_;
  HealthBoard::Server& board_;
  base::BufferPool& buffers_;
  const UpstreamTarget target_;
  const std::string preamble_;
  CheckedHealth health_;
  std::vector<net::SocketAddress> addresses_;  // still to be tried, the next one last
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<HealthQuestion> question_;
  base::SteadyTime began_{};
  bool under_way_ = false;
  net::Timer next_check_;
  net::Timer deadline_;  // of the try
};

}  // namespace gatebook::proxy
