// What the TLS tests share: a server side (loop, context, stream) and a real
// OpenSSL client, in one thread over one socket pair.
//
// The client's SSL works on memory BIOs; the harness carries its bytes to and from
// the socket, whole or one at a time, and turns the loop between. So a test
// is in command of every byte, and nothing waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "net/loop.h"
#include "tests/support/temp_directory.h"
#include "tests/support/test_certificates.h"
#include "tls/tls_context.h"
#include "tls/tls_stream.h"

namespace gatebook::support {

// The server's configuration on disk, and contexts made of it.
class TestServer {
 public:
  TestServer() : clock_(base::WallTime(std::chrono::hours(480000))) {}

  void Add(const CertificateRequest& request) { Add(authority_.Issue(request)); }
  void Add(const CertificateText& text);
  // A worker's context. Every call shares ticket keys and store, as workers do.
  std::shared_ptr<tls::TlsContext> MakeContext();
  // The same with another configuration, which may be wrong.
  base::Result<std::shared_ptr<tls::TlsContext>> TryContext(const config::Tls& other);
  // As after a reload: the store is loaded anew.
  void Reload() { store_.reset(); }

  config::Tls config;
  std::vector<std::string> protocols = {"http/1.1"};
  TestAuthority& authority() { return authority_; }
  base::ManualClock& clock() { return clock_; }
  std::string WriteFile(const std::string& name, const std::string& text) {
    return directory_.Write(name, text);
  }

 private:
  TempDirectory directory_;
  TestAuthority authority_;
  base::ManualClock clock_;
  std::vector<config::Certificate> files_;
  std::shared_ptr<const tls::CertificateStore> store_;
  std::shared_ptr<tls::TicketKeys> tickets_;
};

struct ClientOptions {
  std::string server_name = "www.example.com";  // "": sends none
  int version = 0;                              // TLS1_2_VERSION …; 0: either
  std::vector<std::string> protocols;
  std::string ciphers12;
  std::string signatures;
  std::optional<CertificateText> certificate;
  SSL_SESSION* session = nullptr;  // to resume
  bool byte_by_byte = false;
  bool tcp = false;  // a connection that can be reset, instead of a socket pair
};

// One connection: both ends, joined.
class Conversation final : public net::StreamHandler {
 public:
  Conversation(net::Loop& loop, std::shared_ptr<tls::TlsContext> context, const ClientOptions& options);
  ~Conversation();

  // Carries bytes to and fro until neither side has more to say.
  void Settle();
  // Settles; whether both sides have finished the handshake.
  bool Handshake();

  // Client to server and back, through both ends' TLS.
  void ClientWrite(std::string_view text);
  std::string ClientRead();  // all that has come
  void ClientClose() { SSL_shutdown(client_.get()); }
  void ClientFin() { ::shutdown(client_fd_.get(), SHUT_WR); }
  bool ClientSawCloseNotify() const { return (SSL_get_shutdown(client_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  bool ClientSawFin() const { return client_saw_fin_; }
  // Carries what the client has to say, and nothing else; false: the socket took no more.
  bool TryCarryNow();
  void CarryNow() { TryCarryNow(); }
  // What the client has to say, not carried: to be changed and sent raw.
  std::string TakeFromClient();
  // The client is gone, from one moment to the next.
  void DropClient() { client_fd_.Reset(); }
  // The same, and what it had not read is refused (TCP: RST).
  void ResetClient();
  // Raw bytes past the client's TLS.
  void ClientSendRaw(std::string_view bytes);
  std::string ClientReadRaw();
  // The last alert the client received, as OpenSSL's text; "" if none.
  std::string client_error() const { return client_error_; }
  SSL* client() { return client_.get(); }
  // The newest session the client may resume; null if it was given none.
  SSL_SESSION* session() { return session_.get(); }
  // The sizes of the records that the server sent since the last call, without their headers.
  std::vector<size_t> TakeRecordSizes();
  void StopCarrying(bool stop) { stopped_ = stop; }  // a client that does not read
  size_t bytes_received() const { return bytes_received_; }

  tls::TlsStream& server() { return *server_; }
  bool ready() const { return ready_ > 0; }
  int ready_calls() const { return ready_; }
  bool failed() const { return failed_; }
  // Everything the server can read now; `end` gets the status that stopped it.
  std::string ServerRead(net::IoStatus* end = nullptr);

 private:
  struct SessionFree {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  void OnStreamReady() override { ready_++; }
  void OnStreamFailed() override { failed_ = true; }
  bool CarryToServer();
  bool CarryToClient();
  void StepClient();

  net::Loop& loop_;
  tls::SslCtxPtr client_context_;
  tls::SslPtr client_;
  BIO* to_client_ = nullptr;    // owned by client_
  BIO* from_client_ = nullptr;  // owned by client_
  base::UniqueFd client_fd_;
  std::unique_ptr<tls::TlsStream> server_;
  std::unique_ptr<SSL_SESSION, SessionFree> session_;
  std::string received_;  // wire bytes, for TakeRecordSizes()
  std::string client_error_;
  bool byte_by_byte_;
  bool stopped_ = false;
  bool client_saw_fin_ = false;
  size_t bytes_received_ = 0;
  int ready_ = 0;
  bool failed_ = false;
};

}  // namespace gatebook::support
