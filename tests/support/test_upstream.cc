#include "tests/support/test_upstream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace gatebook::support {

bool UpstreamConnection::Send(std::string_view bytes) {
  while (!bytes.empty() && fd_.IsValid()) {
    const ssize_t n = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return fd_.IsValid();
}

bool UpstreamConnection::Fill() {
  if (!fd_.IsValid()) return false;
  char bytes[65536];
  const ssize_t n = recv(fd_.get(), bytes, sizeof bytes, 0);
  if (n <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(n));
  received_ += static_cast<uint64_t>(n);
  return true;
}

void UpstreamConnection::Interrupt() {
  std::lock_guard lock(closing_);
  if (fd_.IsValid()) shutdown(fd_.get(), SHUT_RDWR);
}

bool UpstreamConnection::ReadBody(HttpMessage* request) {
  BodyEnd end;
  while ((end = TakeBody(request, &buffer_, true)) == BodyEnd::kMore) {
    if (!Fill()) return false;
  }
  // Before the script answers, so that whoever has the answer finds the body too.
  if (on_body_) on_body_(*request);
  return end == BodyEnd::kComplete;
}

std::string UpstreamConnection::ReadSome() {
  if (buffer_.empty()) Fill();
  return std::exchange(buffer_, {});
}

void UpstreamConnection::WaitClosed() {
  while (Fill()) buffer_.clear();
}

void UpstreamConnection::WaitFor(const std::function<bool()>& condition) {
  WaitUntil([&] { return ending_ || condition(); });
}

void UpstreamConnection::Close() {
  std::lock_guard lock(closing_);
  fd_.Reset();
}

void UpstreamConnection::Reset() {
  const linger now{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

TestUpstream::TestUpstream(Script script, uint16_t port) : script_(std::move(script)) {
  if (!script_) {
    script_ = [](UpstreamConnection& connection, HttpMessage& request) {
      if (connection.ReadBody(&request)) connection.Send(Answer(200, "hello"));
    };
  }
  listener_.Reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  CHECK(bind(listener_.get(), generic, size) == 0);
  CHECK(listen(listener_.get(), 1024) == 0);
  CHECK(getsockname(listener_.get(), generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

TestUpstream::~TestUpstream() {
  ending_ = true;
  shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  CloseAll();
  for (auto& guest : guests_) guest->thread.join();
}

std::string TestUpstream::address() const { return "127.0.0.1:" + std::to_string(port_); }

std::vector<HttpMessage> TestUpstream::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

HttpMessage TestUpstream::last_request() const {
  std::lock_guard lock(mutex_);
  CHECK(!requests_.empty());
  return requests_.back();
}

size_t TestUpstream::connections() const {
  std::lock_guard lock(mutex_);
  return guests_.size();
}

bool TestUpstream::WaitForRequests(size_t count) const {
  return WaitUntil([&] {
    std::lock_guard lock(mutex_);
    return requests_.size() >= count;
  });
}

void TestUpstream::CloseAll() {
  std::lock_guard lock(mutex_);
  for (auto& guest : guests_) guest->connection.Interrupt();
}

void TestUpstream::Accept() {
  while (!ending_) {
    base::UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.IsValid()) continue;
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::lock_guard lock(mutex_);
    guests_.push_back(std::make_unique<Guest>(std::move(fd), guests_.size(), ending_));
    Guest& guest = *guests_.back();
    guest.thread = std::thread([this, &guest] { Serve(guest.connection); });
  }
}

void TestUpstream::Serve(UpstreamConnection& connection) {
  for (; !ending_ && connection.is_open(); ++connection.exchange) {
    size_t head_end = 0;
    bool whole = true;
    while ((head_end = connection.buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!(whole = connection.Fill())) break;
    }
    if (!whole) break;
    HttpMessage request = ParseHead(connection.buffer_.substr(0, head_end + 4));
    connection.buffer_.erase(0, head_end + 4);
    size_t place = 0;
    {
      std::lock_guard lock(mutex_);
      place = requests_.size();
      requests_.push_back(request);
    }
    connection.on_body_ = [this, place](const HttpMessage& with_body) {
      std::lock_guard lock(mutex_);
      requests_[place] = with_body;
    };
    script_(connection, request);
    std::lock_guard lock(mutex_);
    requests_[place] = std::move(request);
  }
  connection.Close();
}

uint64_t TestUpstream::bytes_received() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const auto& guest : guests_) bytes += guest->connection.received_;
  return bytes;
}

std::string Answer(int status, std::string_view body, std::string_view extra_fields) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " Said\r\n";
  answer.append(extra_fields);
  answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return answer.append(body);
}

}  // namespace gatebook::support
