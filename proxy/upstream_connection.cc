#include "proxy/upstream_connection.h"

#include <sys/socket.h>

#include <cerrno>

namespace gatebook::proxy {

using base::Metric;

UpstreamConnection::UpstreamConnection(base::BufferPool& buffers, base::MetricsBlock& metrics,
                                       const http::HeadLimits& limits, std::shared_ptr<ServerLoad> load)
    : metrics_(metrics), slot_(std::move(load)), received_(buffers), parser_(limits) {
  metrics_.Add(Metric::kUpstreamOpen);
}

UpstreamConnection::~UpstreamConnection() { metrics_.Sub(Metric::kUpstreamOpen); }

bool UpstreamConnection::Connect(net::Loop& loop, const UpstreamTarget& target,
                                 const net::SocketAddress& address, uint64_t names_version,
                                 const std::string& preamble) {
  server_ = target.number;
  preamble_ = preamble;
  ip_ = base::IpAddress::FromSockaddr(*address.get());
  names_version_ = names_version;
  auto stream = target.Connect(loop, address, *this, preamble);
  if (!stream.ok()) return false;
  stream_ = std::move(stream).value();
  return true;
}

bool UpstreamConnection::HasAnythingToRead() const {
  char byte;
  return ::recv(stream_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
         (errno != EAGAIN && errno != EWOULDBLOCK);
}

void UpstreamConnection::OnStreamReady() {
  if (user_ != nullptr) user_->OnUpstreamReady();
}

void UpstreamConnection::OnStreamFailed() {
  if (user_ != nullptr) user_->OnUpstreamFailed();
}

}  // namespace gatebook::proxy
