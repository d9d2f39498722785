// TestUpstream: a web service on loopback that does what a test tells it.
//
// A thread accepts; each connection has a thread of its own, so that a script
// may simply wait. For each request head that comes, the script is called with
// the connection: it reads the body, answers, cuts off, or waits, as it likes.
// Everything received is kept, byte for byte.
//
// Thread: all public functions of TestUpstream from the test's thread; scripts
//   run on the connections' threads.
// Ends: closes every connection, whatever its script waits for, and joins all threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "tests/support/http_message.h"
#include "tests/support/wait.h"

namespace gatebook::support {

// One connection, as its script sees it. Every call fails softly when the peer
// or the test has closed.
class UpstreamConnection {
 public:
  UpstreamConnection(base::UniqueFd fd, size_t which, const std::atomic<bool>& ending)
      : number(which), fd_(std::move(fd)), ending_(ending) {}

  // The number of this connection, from 0, and of the request on it, from 0.
  const size_t number;
  size_t exchange = 0;

  bool Send(std::string_view bytes);
  // Reads the body of `request`, by its framing.
  bool ReadBody(HttpMessage* request);
  // What comes next, whatever it is; empty at the close.
  std::string ReadSome();
  // Reads and forgets until the peer closes.
  void WaitClosed();
  // A slow reader: closes the receive window by not reading until `condition`.
  void WaitFor(const std::function<bool()>& condition);
  void Close();
  void Reset();  // TCP RST
  bool is_open() const { return fd_.IsValid(); }

 private:
  friend class TestUpstream;
  bool Fill();
  std::function<void(const HttpMessage&)> on_body_;  // for the book of TestUpstream
  // From any thread: lets every waiting call end.
  void Interrupt();

  std::mutex closing_;  // between Interrupt() and closing the descriptor
  base::UniqueFd fd_;
  std::string buffer_;
  std::atomic<uint64_t> received_ = 0;  // bytes
  const std::atomic<bool>& ending_;
};

class TestUpstream {
 public:
  using Script = std::function<void(UpstreamConnection&, HttpMessage& request)>;

  // Port 0 of 127.0.0.1, or `port`. Without a script: reads the body and answers 200 with "hello".
  explicit TestUpstream(Script script = {}, uint16_t port = 0);
  ~TestUpstream();
  TestUpstream(const TestUpstream&) = delete;
  TestUpstream& operator=(const TestUpstream&) = delete;

  uint16_t port() const { return port_; }
  // "127.0.0.1:PORT", for the config.
  std::string address() const;

  // Requests whose head came, in the order of their heads; with the bodies read so far.
  std::vector<HttpMessage> requests() const;
  HttpMessage last_request() const;
  size_t connections() const;
  bool WaitForRequests(size_t count) const;
  // Every byte received on all connections together.
  uint64_t bytes_received() const;
  // Closes the idle and busy connections there are; new ones are welcome.
  void CloseAll();

 private:
  struct Guest {
    Guest(base::UniqueFd fd, size_t number, const std::atomic<bool>& ending)
        : connection(std::move(fd), number, ending) {}
    UpstreamConnection connection;
    std::thread thread;
  };
  void Accept();
  void Serve(UpstreamConnection& connection);

  Script script_;
  base::UniqueFd listener_;
  uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  mutable std::mutex mutex_;
  std::vector<HttpMessage> requests_;
  std::vector<std::unique_ptr<Guest>> guests_;
  std::thread acceptor_;
};

// A whole answer with Content-Length.
std::string Answer(int status, std::string_view body, std::string_view extra_fields = "");

}  // namespace gatebook::support
