#include "review/sink_stream.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

#include "net/socket_stream.h"
#include "tls/tls_client_stream.h"
#include "tls/trust_store.h"

namespace gatebook::review {
namespace {

constexpr std::chrono::seconds kMostToConnect{10};

// Streams live until their callback has returned, and then tell nobody.
struct Ended final : net::Disposable, net::StreamHandler {
  explicit Ended(std::unique_ptr<net::Stream> of) : stream(std::move(of)) { stream->SetHandler(*this); }
  void OnStreamReady() override {}
  void OnStreamFailed() override {}
  std::unique_ptr<net::Stream> stream;
};

}  // namespace

base::Result<std::unique_ptr<SinkWriter>> SinkStream::Make(const Parts& parts) {
  std::shared_ptr<tls::TlsClientContext> context;
  if (parts.config.transport == config::SyslogTransport::kTls) {
    const auto trust = tls::TrustStore::Of(parts.config);
    if (!trust.ok()) return trust.error();
    auto made = tls::TlsClientContext::Make(parts.config, {parts.config.server}, "", *trust);
    if (!made.ok()) return made.error();
    context = std::move(made).value();
  }
  return std::unique_ptr<SinkWriter>(new SinkStream(parts, std::move(context)));
}

SinkStream::SinkStream(const Parts& parts, std::shared_ptr<tls::TlsClientContext> context)
    : SinkSyslog(parts),
      context_(std::move(context)),
      connecting_([this] { Break("no connection within 10 s"); }) {}

SinkStream::~SinkStream() = default;

void SinkStream::Open(const net::SocketAddress& address) {
  connecting_.Arm(parts_.loop.timers(), parts_.loop.now() + kMostToConnect);
  const auto keep = [this](auto made) {
    if (!made.ok()) return Break(made.error().message);
    stream_ = std::move(made).value();
  };
  if (context_) {
    keep(tls::TlsClientStream::Connect(parts_.loop, address, context_, 0, *this));
  } else {
    keep(net::SocketStream::Connect(parts_.loop, address, *this));
  }
}

void SinkStream::Break(std::string_view why) {
  connecting_.Cancel();
  is_ready_ = false;
  if (stream_) parts_.loop.Dispose(std::make_unique<Ended>(std::move(stream_)));
  Fail(fmt::format("{}: {}", parts_.config.server.text, why));
}

void SinkStream::OnStreamReady() {
  if (!is_ready_) {
    is_ready_ = is_new_ = true;
    Arrive();
    connecting_.Cancel();
  }
  std::array<char, 4096> unwanted;
  for (int rounds = 0; rounds < 16; ++rounds) {
    const net::IoResult read = stream_->Read(unwanted);
    if (read.status == net::IoStatus::kWouldBlock) break;
    if (read.status == net::IoStatus::kEnd) return Break("it has closed the connection");
    if (read.status == net::IoStatus::kError) return Break(stream_->failure());
  }
  parts_.handler.OnWriterReady();
}

void SinkStream::OnStreamFailed() {
  const int error = stream_->error_number();
  Break(error != 0 ? std::string_view(std::strerror(error)) : stream_->failure());
}

SinkWriter::Progress SinkStream::Write(SinkOutbox& outbox) {
  Progress progress;
  if (!is_ready_) return progress;
  // The last connection took its part of the message with it.
  if (std::exchange(is_new_, false)) outbox.Rewind();
  while (!outbox.IsEmpty()) {
    const net::IoResult written = stream_->Write(outbox.Front());
    if (written.status != net::IoStatus::kOk) {
      if (written.status == net::IoStatus::kError) Break(stream_->failure());
      break;
    }
    progress.written += outbox.Consume(written.bytes);
    Succeed();
  }
  return progress;
}

}  // namespace gatebook::review
