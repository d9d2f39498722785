#include "logger/redis_connection.h"

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/socket_stream.h"
#include "tls/tls_client_stream.h"
#include "tls/trust_store.h"

namespace gatebook::logger {
namespace {

using net::IoStatus;

// Streams live until their callback has returned, and then tell nobody.
struct Ended final : net::Disposable, net::StreamHandler {
  explicit Ended(std::unique_ptr<net::Stream> of) : stream(std::move(of)) { stream->SetHandler(*this); }
  void OnStreamReady() override {}
  void OnStreamFailed() override {}
  std::unique_ptr<net::Stream> stream;
};

}  // namespace

RedisConnection::RedisConnection(net::Loop& loop, const config::Redis& config, Handler& handler,
                                 Options options)
    : loop_(loop),
      config_(config),
      handler_(handler),
      options_(options),
      reader_(options.most_reply_bytes),
      failure_(RedisTrouble::kOther, ""),
      fail_(loop, [this] {
        if (state_ != State::kBroken) return;  // closed meanwhile
        Close();
        handler_.OnRedisClosed(RedisFailure(failure_));
      }) {
  deadline_.SetCallback([this] {
    const bool ready = state_ == State::kReady;
    Break({RedisTrouble::kTimeout,
           ready ? "no answer within reply_timeout" : "no answer within connect_timeout"});
  });
}

RedisConnection::~RedisConnection() { Close(); }

void RedisConnection::Connect(const config::Endpoint& server) {
  CHECK(state_ == State::kIdle);
  server_ = server;
  reader_.Reset();
  output_.clear();
  written_ = 0;
  owed_ = 0;
  heard_ = false;
  tls_.reset();
  addresses_.clear();
  next_address_ = 0;
  state_ = State::kResolving;
  deadline_.Arm(loop_.timers(), loop_.now() + config_.connect_timeout);
  if (config_.tls) {
    const auto trust = tls::TrustStore::Of(config_);
    if (!trust) return Break({RedisTrouble::kTls, trust.error().message});
    auto made = tls::TlsClientContext::Make(config_, {server_}, "", *trust);
    if (!made) return Break({RedisTrouble::kTls, made.error().message});
    tls_ = std::move(*made);
  }
  switch (server.kind) {
    case config::Endpoint::Kind::kHostname:
      return Resolve();
    case config::Endpoint::Kind::kIp:
      addresses_.push_back(net::SocketAddress::FromIp(server.ip, server.port));
      break;
    case config::Endpoint::Kind::kUnix:
      if (const auto path = net::SocketAddress::FromUnixPath(server.path)) addresses_.push_back(*path);
      break;
  }
  Open();
}

void RedisConnection::Resolve() {
  if (resolver_ == nullptr) {
    auto made = net::Resolver::Make(loop_, {.servers = {}, .timeout = config_.connect_timeout});
    if (!made) return Break({RedisTrouble::kUnreachable, made.error().message});
    resolver_ = std::move(*made);
  }
  query_ = resolver_->ResolveAddresses(server_.hostname, [this](const net::DnsAnswer& answer) {
    const size_t count = answer.addresses.size();
    // The first may be one that never answers: each attempt begins with another.
    for (size_t i = 0; i < count; ++i) {
      const base::IpAddress& ip = answer.addresses[(attempts_ + i) % count];
      addresses_.push_back(net::SocketAddress::FromIp(ip, server_.port));
    }
    ++attempts_;
    Open();
  });
}

void RedisConnection::Open() {
  state_ = State::kConnecting;
  RedisFailure last(RedisTrouble::kUnreachable, server_.kind == config::Endpoint::Kind::kUnix
                                                    ? "the socket's path is too long"
                                                    : "the host name has no address, or DNS does not say");
  while (next_address_ < addresses_.size()) {
    errno = 0;  // of a connect that fails at once, as those to Unix sockets do
    const auto opened = OpenStream(addresses_[next_address_++]);
    if (opened.ok()) return;
    last = {errno != 0 ? TroubleOfErrno(errno) : RedisTrouble::kUnreachable, opened.error().message};
  }
  Break(std::move(last));
}

base::Status RedisConnection::OpenStream(const net::SocketAddress& address) {
  if (tls_) {
    auto stream = tls::TlsClientStream::Connect(loop_, address, tls_, 0, *this);
    if (!stream) return stream.error();
    stream_ = std::move(*stream);
  } else {
    auto stream = net::SocketStream::Connect(loop_, address, *this);
    if (!stream) return stream.error();
    stream_ = std::move(*stream);
  }
  return {};
}

void RedisConnection::DropStream() {
  if (stream_) loop_.Dispose(std::make_unique<Ended>(std::move(stream_)));
}

void RedisConnection::Close() {
  state_ = State::kIdle;
  deadline_.Cancel();
  query_.reset();
  DropStream();
}

void RedisConnection::Break(RedisFailure failure) {
  if (state_ == State::kBroken) return;
  state_ = State::kBroken;
  deadline_.Cancel();
  failure_ = std::move(failure);
  fail_.Arm();
}

void RedisConnection::OnStreamFailed() {
  const int error = stream_->error_number();
  RedisFailure failure(error != 0 ? TroubleOfErrno(error) : RedisTrouble::kTls, stream_->failure());
  DropStream();
  if (next_address_ < addresses_.size()) return Open();
  Break(std::move(failure));
}

void RedisConnection::OnStreamReady() {
  if (state_ == State::kConnecting) Greet();
  Write();
  if (state_ == State::kGreeting) ReadGreeting();
  if (state_ == State::kReady) handler_.OnRedisReadable();
}

void RedisConnection::Greet() {
  const auto login = RedisLogin::Make(config_, options_.role);
  if (!login) return Break({RedisTrouble::kFile, login.error().message});
  state_ = State::kGreeting;
  greetings_ = login->Append(output_);
}

void RedisConnection::ReadGreeting() {
  while (greetings_ != 0) {
    const RedisReply* reply = reader_.Next();
    if (reply == nullptr) {
      if (!reader_.error().empty()) return Break({RedisTrouble::kProtocol, reader_.error()});
      if (!ReadMore()) return;
      continue;
    }
    RedisFailure failure(RedisTrouble::kOther, "");
    if (!RedisLogin::IsWell(*reply, &failure)) return Break(std::move(failure));
    --greetings_;
  }
  state_ = State::kReady;
  deadline_.Cancel();
  handler_.OnRedisConnected();
}

void RedisConnection::Send(size_t replies) {
  CHECK(state_ == State::kReady || state_ == State::kBroken);
  if (owed_ == 0 && replies != 0 && options_.times_replies && state_ == State::kReady) {
    deadline_.Arm(loop_.timers(), loop_.now() + config_.reply_timeout);
  }
  owed_ += replies;
  Write();
}

void RedisConnection::Write() {
  if (state_ != State::kReady && state_ != State::kGreeting) return;
  while (written_ < output_.size()) {
    const net::IoResult result = stream_->Write(std::string_view(output_).substr(written_));
    if (result.status == IoStatus::kWouldBlock) return;
    if (result.status != IoStatus::kOk) {
      // What it said before it left says more: "ERR max number of clients reached".
      if (state_ == State::kGreeting) ReadGreeting();
      return Break({RedisTrouble::kClosed, "the connection broke while writing"});
    }
    written_ += result.bytes;
  }
  output_.clear();
  written_ = 0;
}

const RedisReply* RedisConnection::Receive() {
  while (state_ == State::kReady) {
    if (const RedisReply* reply = reader_.Next()) {
      if (owed_ == 0) {
        Break({RedisTrouble::kProtocol, "a reply that nobody asked for"});
        return nullptr;
      }
      --owed_;
      if (owed_ == 0) {
        deadline_.Cancel();
      } else if (options_.times_replies) {
        deadline_.Arm(loop_.timers(), loop_.now() + config_.reply_timeout);
      }
      return reply;
    }
    if (!reader_.error().empty()) {
      Break({RedisTrouble::kProtocol, "unreadable reply: " + reader_.error()});
    } else if (!ReadMore()) {
      break;
    }
  }
  return nullptr;
}

bool RedisConnection::ReadMore() {
  char buffer[32 * 1024];
  const net::IoResult result = stream_->Read(buffer);
  switch (result.status) {
    case IoStatus::kOk:
      heard_ = true;
      if (reader_.Feed({buffer, result.bytes})) return true;
      Break({RedisTrouble::kProtocol, reader_.error()});
      return false;
    case IoStatus::kWouldBlock:
      return false;
    case IoStatus::kEnd:
    case IoStatus::kError:
      break;
  }
  const std::string_view why = stream_->failure();
  if (tls_ && stream_->error_number() == 0 && !heard_) {
    // TLS 1.3 tells a client that lacks a certificate so after the handshake, or just leaves.
    Break({RedisTrouble::kTls, why.empty() ? "the server left after the handshake" : why});
  } else {
    Break({RedisTrouble::kClosed, why.empty() ? "Redis closed the connection" : why});
  }
  return false;
}

}  // namespace gatebook::logger
