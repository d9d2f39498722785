#include "proxy/upstream_connection.h"

namespace gatebook::proxy {

using base::Metric;

UpstreamConnection::UpstreamConnection(base::BufferPool& buffers, base::MetricsBlock& metrics,
                                       const http::HeadLimits& limits)
    : metrics_(metrics), received_(buffers), parser_(limits) {
  metrics_.Add(Metric::kUpstreamOpen);
}

UpstreamConnection::~UpstreamConnection() { metrics_.Sub(Metric::kUpstreamOpen); }

bool UpstreamConnection::Connect(net::Loop& loop, const net::SocketAddress& address) {
  auto stream = net::SocketStream::Connect(loop, address, *this);
  if (!stream.ok()) return false;
  stream_ = std::move(stream).value();
  return true;
}

void UpstreamConnection::OnStreamReady() {
  if (user_ != nullptr) user_->OnUpstreamReady();
}

void UpstreamConnection::OnStreamFailed() {
  if (user_ != nullptr) user_->OnUpstreamFailed();
}

}  // namespace gatebook::proxy
