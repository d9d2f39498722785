#include "proxy/arriving_connection.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/socket_stream.h"
#include "proxy/client_session.h"

namespace gatebook::proxy {

using base::Metric;

namespace {

uint16_t PortOf(const sockaddr_storage& address) {
  in_port_t port = 0;
  if (address.ss_family == AF_INET) port = reinterpret_cast<const sockaddr_in&>(address).sin_port;
  if (address.ss_family == AF_INET6) port = reinterpret_cast<const sockaddr_in6&>(address).sin6_port;
  return ntohs(port);
}

// Of a TCP connection.
std::optional<http::ProxiedAddresses> EndsOf(int fd) {
  sockaddr_storage peer{};
  sockaddr_storage own{};
  socklen_t peer_size = sizeof peer;
  socklen_t own_size = sizeof own;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) {
    return std::nullopt;
  }
  const auto source = base::IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(peer));
  const auto destination = base::IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(own));
  if (!source || !destination) return std::nullopt;
  return http::ProxiedAddresses{*source, *destination, PortOf(peer), PortOf(own)};
}

}  // namespace

ArrivingConnection::ArrivingConnection(WorkerContext& context, Host& host, guard::ConnectionSeat seat)
    : ClientConnection(context, host, std::move(seat)),
      host_(host),
      event_(context.loop, *this),
      deadline_([this] { OnDeadline(); }) {}

bool ArrivingConnection::Start(base::UniqueFd fd, const config::Listen& listen,
                               std::optional<base::IpAddress> ip) {
  ip_ = ip;
  if (ip) arrival_.facts.ip = *ip;
  arrival_.redirect_to_https = listen.redirect_to_https;
  if (listen.tls) tls_context_ = context_.generation->tls;
  fd_ = std::move(fd);
  if (!listen.proxy_protocol.Contains(arrival_.facts.ip)) return BeginProtocol();
  ArmDeadline();
  return event_.Watch(fd_.get());
}

void ArrivingConnection::ArmDeadline() {
  deadline_.Arm(context_.loop.timers(), context_.loop.now() + context_.generation->config.timeouts.handshake);
}

void ArrivingConnection::OnDeadline() {
  if (fd_.IsValid()) return Close(CloseReason::kProxyHeader);  // it has not even begun to shake hands
  context_.metrics.Add(Metric::kTlsHandshakesTimedOut);
  Close(CloseReason::kHandshakeTimeout);
}

// ---- what a proxy in front says

void ArrivingConnection::OnReady(bool readable, bool) {
  if (readable && !over_) ReadProxyHeader();
}

void ArrivingConnection::ReadProxyHeader() {
  std::array<char, http::kProxyHeaderMost> bytes;
  const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return Close(CloseReason::kClientAborted);
  const http::ProxyHeader header = http::ParseProxyHeader({bytes.data(), static_cast<size_t>(got)});
  switch (header.status) {
    case http::ProxyHeader::Status::kNeedMore:
      if (event_.peer_closed()) Close(CloseReason::kClientAborted);
      return;
    case http::ProxyHeader::Status::kRefused:
      return Close(CloseReason::kProxyHeader);
    case http::ProxyHeader::Status::kDone:
      break;
  }
  // It is there, so this takes it whole.
  if (::recv(fd_.get(), bytes.data(), header.size, MSG_DONTWAIT) != static_cast<ssize_t>(header.size)) {
    return Close(CloseReason::kClientAborted);
  }
  event_.Stop();
  if (!TakeSource(header)) return;
  if (!BeginProtocol()) Close(CloseReason::kClientAborted);
}

// False: closed, the client may not have another connection.
bool ArrivingConnection::TakeSource(const http::ProxyHeader& header) {
  if (!header.addresses) return true;
  ip_ = arrival_.facts.ip = header.addresses->source;
  arrival_.facts.ends = header.addresses;
  seat_ = {};
  if (const auto verdict = context_.limiter.Enter(ip_);
      verdict != guard::ConnectionLimiter::Verdict::kAdmit) {
    context_.metrics.Add(verdict == guard::ConnectionLimiter::Verdict::kTooMany
                             ? Metric::kConnectionsRefusedLimit
                             : Metric::kConnectionsRefusedAddress);
    Close(CloseReason::kRefused);
    return false;
  }
  seat_ = guard::ConnectionSeat(context_.limiter, ip_);
  return true;
}

// ---- TLS

bool ArrivingConnection::BeginProtocol() {
  net::StreamHandler& handler = *this;
  if (!tls_context_) {
    auto stream = net::SocketStream::Accepted(context_.loop, std::move(fd_), handler);
    if (!stream) return false;
    Arrive(std::move(stream));
    return true;
  }
  tls_ = tls::TlsStream::Accepted(context_.loop, std::move(fd_), std::move(tls_context_), handler);
  if (!tls_) return false;
  if (!deadline_.IsArmed()) ArmDeadline();
  return true;
}

void ArrivingConnection::OnStreamReady() {
  arrival_.facts.tls_version = static_cast<uint8_t>(tls_->version());
  arrival_.http2 = tls_->protocol() == "h2";
  context_.metrics.Add(tls_->resumed() ? Metric::kTlsHandshakesResumed : Metric::kTlsHandshakes);
  Arrive(std::move(tls_));
}

void ArrivingConnection::Arrive(std::unique_ptr<net::Stream> stream) {
  if (std::exchange(over_, true)) return;
  deadline_.Cancel();
  context_.book.OfferName(ip_);
  arrival_.facts.secure = arrival_.facts.tls_version != 0;
  arrival_.facts.forwarding_fields = MakeForwardingFields(arrival_.facts.ip, arrival_.facts.secure);
  if (!arrival_.facts.ends && context_.generation->sends_proxy_headers) {
    arrival_.facts.ends = EndsOf(stream->fd());
  }
  arrival_.stream = std::move(stream);
  arrival_.seat = std::move(seat_);
  host_.OnArrived(*this, std::move(arrival_));
}

void ArrivingConnection::OnStreamFailed() {
  context_.metrics.Add(Metric::kTlsHandshakesFailed);
  if (tls_->saw_plain_http()) return RefusePlainHttp();
  Close(CloseReason::kHandshakeFailed);
}

// ---- plain HTTP where TLS is spoken

void ArrivingConnection::RefusePlainHttp() {
  context_.refusals.Count(http::Refusal::kPlainOnTls);
  context_.book.OfferName(ip_);
  // What may not be answered unrecorded is closed without a word.
  if (context_.book.MustRefuse()) return Close(CloseReason::kHandshakeFailed);
  const logger::Appended written = WriteRefused(http::Refusal::kPlainOnTls);
  if (written.outcome != logger::Appended::Outcome::kOk) {
    if (context_.book.refuses_when_full()) return Close(CloseReason::kHandshakeFailed);
  } else if (context_.book.must_await_flush()) {
    told_when_flushed_ = written.position;
    return context_.book.RequestFlush();
  }
  TellPlainHttp();
}

logger::Appended ArrivingConnection::WriteRefused(http::Refusal refusal) {
  const Generation& generation = *context_.generation;
  const http::RequestHead unread;
  VisitFacts facts;
  facts.arrival = base::Clock::System().WallNow();
  facts.started = context_.loop.now();
  facts.session = ClientSession().Decide({&unread, refusal}, arrival_.facts, *context_.generation, context_);
  facts.status = static_cast<uint16_t>(http::InfoOf(refusal).status);
  facts.request_id = context_.request_ids.Next();
  facts.refusal = refusal;
  base::CountStatus(context_.metrics, facts.status);
  return context_.book.Write(facts, arrival_.facts, unread, false, generation.config.visit,
                             generation.recorded);
}

void ArrivingConnection::OnJournalFlushed() {
  if (!told_when_flushed_ || over_) return;
  switch (context_.book.StateOf(*told_when_flushed_)) {
    case VisitBook::FlushState::kPending:
      return;
    case VisitBook::FlushState::kFailed:
      return Close(CloseReason::kHandshakeFailed);
    case VisitBook::FlushState::kFlushed:
      return TellPlainHttp();
  }
}

void ArrivingConnection::TellPlainHttp() {
  tls_->SendPlain(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 32\r\nConnection: "
      "close\r\n\r\n"
      "This port speaks HTTPS (TLS).  \n");
  Close(CloseReason::kHandshakeFailed);
}

void ArrivingConnection::Close(CloseReason reason) {
  if (std::exchange(over_, true)) return;
  deadline_.Cancel();
  TellClosed(reason);
}

}  // namespace gatebook::proxy
