#include "tests/support/tls_conversation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/check.h"

namespace gatebook::support {
namespace {

// A connection over loopback, both ends non-blocking.
std::array<int, 2> TcpPair() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::bind(listener.get(), at, size) == 0 && ::listen(listener.get(), 1) == 0);
  CHECK(::getsockname(listener.get(), at, &size) == 0);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(::connect(client, at, size) == 0);
  const int server = ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  CHECK(server >= 0 && ::fcntl(client, F_SETFL, O_NONBLOCK) == 0);
  return {client, server};
}

}  // namespace

void TestServer::Add(const CertificateText& text) {
  const std::string number = std::to_string(files_.size());
  files_.push_back(
      {directory_.Write("chain" + number, text.chain), directory_.Write("key" + number, text.key)});
}

std::shared_ptr<tls::TlsContext> TestServer::MakeContext() {
  auto context = TryContext(config);
  CHECK(context.ok());
  return *context;
}

base::Result<std::shared_ptr<tls::TlsContext>> TestServer::TryContext(const config::Tls& other) {
  if (!tickets_) {
    auto tickets = tls::TicketKeys::Make(config.ticket_key_rotation, clock_);
    CHECK(tickets.ok());
    tickets_ = *tickets;
  }
  if (!store_) {
    std::vector<std::string> warnings;
    auto store = tls::CertificateStore::Load(files_, base::Clock::System().WallNow(), warnings);
    CHECK(store.ok());
    store_ = *store;
  }
  return tls::TlsContext::Make(other, store_, tickets_, protocols);
}

Conversation::Conversation(net::Loop& loop, std::shared_ptr<tls::TlsContext> context,
                           const ClientOptions& options)
    : loop_(loop), client_context_(SSL_CTX_new(TLS_client_method())), byte_by_byte_(options.byte_by_byte) {
  SSL_CTX* client = client_context_.get();
  SSL_CTX_set_security_level(client, 0);
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(client, options.version);
    SSL_CTX_set_max_proto_version(client, options.version);
  }
  if (!options.ciphers12.empty()) CHECK(SSL_CTX_set_cipher_list(client, options.ciphers12.c_str()) == 1);
  if (!options.signatures.empty()) CHECK(SSL_CTX_set1_sigalgs_list(client, options.signatures.c_str()) == 1);
  if (options.certificate) {
    const tls::BioPtr chain(BIO_new_mem_buf(options.certificate->chain.data(), -1));
    const tls::BioPtr key(BIO_new_mem_buf(options.certificate->key.data(), -1));
    const tls::X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
    const tls::KeyPtr secret(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
    CHECK(SSL_CTX_use_cert_and_key(client, leaf.get(), secret.get(), nullptr, 1) == 1);
  }
  SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(client, this);
  SSL_CTX_sess_set_new_cb(client, [](SSL* ssl, SSL_SESSION* session) {
    auto* me = static_cast<Conversation*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    me->session_.reset(session);
    return 1;
  });
  client_.reset(SSL_new(client));
  to_client_ = BIO_new(BIO_s_mem());
  from_client_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(to_client_, -1);
  SSL_set_bio(client_.get(), to_client_, from_client_);
  SSL_set_connect_state(client_.get());
  if (!options.server_name.empty()) SSL_set_tlsext_host_name(client_.get(), options.server_name.c_str());
  std::string protocols;
  for (const std::string& name : options.protocols) protocols += static_cast<char>(name.size()) + name;
  if (!protocols.empty()) {
    SSL_set_alpn_protos(client_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned int>(protocols.size()));
  }
  if (options.session != nullptr) CHECK(SSL_set_session(client_.get(), options.session) == 1);

  std::array<int, 2> pair{};
  if (options.tcp) {
    pair = TcpPair();
  } else {
    CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
  }
  client_fd_.Reset(pair[0]);
  server_ = tls::TlsStream::Accepted(loop, base::UniqueFd(pair[1]), std::move(context), *this);
  CHECK(server_ != nullptr);
}

Conversation::~Conversation() {
  // OpenSSL forgets the sessions of connections that were not closed in good order.
  SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void Conversation::ResetClient() {
  const linger now{1, 0};
  setsockopt(client_fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  DropClient();
}

void Conversation::StepClient() {
  if (SSL_is_init_finished(client_.get()) || !client_error_.empty()) return;
  ERR_clear_error();
  const int done = SSL_do_handshake(client_.get());
  if (done != 1 && SSL_get_error(client_.get(), done) == SSL_ERROR_SSL) {
    client_error_ = tls::TakeError();
  }
}

bool Conversation::CarryToServer() {
  std::array<char, 4096> bytes;
  bool moved = false;
  const size_t most = byte_by_byte_ ? 1 : bytes.size();
  while (BIO_ctrl_pending(from_client_) > 0) {
    const int size = BIO_read(from_client_, bytes.data(), static_cast<int>(most));
    ClientSendRaw({bytes.data(), static_cast<size_t>(size)});
    moved = true;
    if (byte_by_byte_) loop_.RunOnce(false);
  }
  return moved;
}

std::string Conversation::TakeFromClient() {
  StepClient();
  std::string bytes(BIO_ctrl_pending(from_client_), '\0');
  BIO_read(from_client_, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

bool Conversation::TryCarryNow() {
  const std::string bytes = TakeFromClient();
  const ssize_t sent = ::send(client_fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(bytes.size());
}

bool Conversation::CarryToClient() {
  std::array<char, 4096> bytes;
  bool moved = false;
  const size_t most = byte_by_byte_ ? 1 : bytes.size();
  while (!stopped_ && !client_saw_fin_) {
    const ssize_t size = ::recv(client_fd_.get(), bytes.data(), most, 0);
    if (size < 0) break;
    moved = true;
    if (size == 0) {
      client_saw_fin_ = true;
      break;
    }
    bytes_received_ += static_cast<size_t>(size);
    received_.append(bytes.data(), static_cast<size_t>(size));
    CHECK(BIO_write(to_client_, bytes.data(), static_cast<int>(size)) == size);
    if (byte_by_byte_) StepClient();
  }
  return moved;
}

void Conversation::Settle() {
  for (int idle = 0; idle < 3;) {
    StepClient();
    const bool sent = CarryToServer();
    loop_.RunOnce(false);
    const bool got = CarryToClient();
    idle = sent || got ? 0 : idle + 1;
  }
}

bool Conversation::Handshake() {
  Settle();
  return server_->IsEstablished() && SSL_is_init_finished(client_.get()) == 1 && client_error_.empty();
}

void Conversation::ClientWrite(std::string_view text) {
  ERR_clear_error();
  CHECK(SSL_write(client_.get(), text.data(), static_cast<int>(text.size())) ==
        static_cast<int>(text.size()));
  Settle();
}

std::string Conversation::ClientRead() {
  std::string text;
  std::array<char, 16384> bytes;
  for (;;) {
    ERR_clear_error();
    const int size = SSL_read(client_.get(), bytes.data(), bytes.size());
    if (size > 0) {
      text.append(bytes.data(), static_cast<size_t>(size));
      continue;
    }
    if (SSL_get_error(client_.get(), size) == SSL_ERROR_SSL) client_error_ = tls::TakeError();
    return text;
  }
}

void Conversation::ClientSendRaw(std::string_view bytes) {
  CHECK(::send(client_fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(bytes.size()));
}

std::string Conversation::ClientReadRaw() {
  std::string text(65536, '\0');
  const ssize_t size = ::recv(client_fd_.get(), text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  return text;
}

std::vector<size_t> Conversation::TakeRecordSizes() {
  std::vector<size_t> sizes;
  constexpr size_t kHeader = 5;
  while (received_.size() >= kHeader) {
    const size_t size = static_cast<size_t>(static_cast<unsigned char>(received_[3])) << 8 |
                        static_cast<unsigned char>(received_[4]);
    if (received_.size() < kHeader + size) break;
    sizes.push_back(size);
    received_.erase(0, kHeader + size);
  }
  return sizes;
}

std::string Conversation::ServerRead(net::IoStatus* end) {
  std::string text;
  std::array<char, 16384> bytes;
  for (;;) {
    const net::IoResult result = server_->Read(bytes);
    if (result.status != net::IoStatus::kOk) {
      if (end != nullptr) *end = result.status;
      return text;
    }
    text.append(bytes.data(), result.bytes);
  }
}

}  // namespace gatebook::support
