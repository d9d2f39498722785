// RawClient: bytes to and from a server over TCP, TLS or a Unix socket.
//
// It sends what it is told, right or wrong, in the pieces it is told, and shows
// what comes back. Nothing here waits longer than kPatience; what did not come in
// that time is missing from the result.
//
// Thread: one at a time. Owns: the socket. Ends: closes it.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "tests/support/http_message.h"
#include "tests/support/wait.h"

namespace gatebook::support {

struct ClientOptions {
  uint16_t port = 0;
  std::string unix_path;             // set: connect there, plainly
  std::string source = "127.0.0.1";  // any of 127.0.0.0/8, so that a visitor can have another address
  bool tls = true;
  std::string server_name = "localhost";   // empty: no SNI
  std::string certificate_file, key_file;  // of the client, PEM
  std::string alpn;                        // wire format (RFC 7301 §3.1); empty: none offered
  int min_version = 0, max_version = 0;    // TLS1_2_VERSION …; 0: the library's
  int receive_buffer = 0;                  // bytes; 0: the system's
};

class RawClient {
 public:
  // Connects and shakes hands. Failure is seen by is_open() and failure().
  explicit RawClient(ClientOptions options);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool is_open() const { return failure_.empty() && fd_.IsValid(); }
  // Why connecting or shaking hands failed; empty if it did not.
  const std::string& failure() const { return failure_; }
  // After the handshake: "TLSv1.3"; the DNS names of the server's certificate; what ALPN chose.
  std::string tls_version() const;
  std::string server_names() const;
  std::string server_key_type() const;
  std::string alpn() const;

  // False if the peer closed or took nothing in time.
  bool Send(std::string_view bytes);
  bool SendByteByByte(std::string_view bytes);
  // Sends as much as the peer takes without waiting; the number of bytes.
  size_t SendWithoutWaiting(std::string_view bytes);
  // Ends our direction in good order.
  void ShutdownWrite();
  // Ends the connection with a reset (TCP RST).
  void Reset();

  // The next response; 1xx are responses of their own. `head_only`: as after HEAD.
  // A body without framing goes to the close. Nothing: no whole head came.
  std::optional<HttpMessage> ReadResponse(bool head_only = false);
  // Sends a GET and reads its answer; extra_fields: whole lines with CRLF.
  std::optional<HttpMessage> Get(std::string_view path, std::string_view extra_fields = "");
  // Exactly `size` bytes, or fewer at the close or in the end of patience.
  std::string Read(size_t size);
  // One read of what is there, waiting for the first byte.
  std::string ReadSome();
  std::string ReadToClose();
  // Waits for the peer to close; true if it did and nothing else came before.
  bool WaitClosed();
  // How the peer closed: with close_notify (TLS) or FIN (plain), not by a reset or a bare FIN under TLS.
  bool closed_cleanly() const { return closed_cleanly_; }

 private:
  // Waits until `events` of the socket or the deadline; false at the deadline.
  bool Await(short events, std::chrono::steady_clock::time_point deadline);
  // Moves what comes next into buffer_; false at the close or the deadline.
  bool Fill(std::chrono::steady_clock::time_point deadline);
  void ShakeHands(const ClientOptions& options);

  base::UniqueFd fd_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  std::string buffer_;
  std::string failure_;
  bool closed_ = false;
  bool closed_cleanly_ = false;
  bool broken_ = false;  // the last write failed for good
};

}  // namespace gatebook::support
