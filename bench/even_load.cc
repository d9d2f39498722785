// Asks at an even rate, whatever the answers take: a request begins when its time has come, and waits for a
// connection that is free if there is none. Its latency is counted from that time, so that a stall is not
// hidden by the requests that were not made meanwhile.
//
// usage: gatebook_even_load tls|plain PORT CONNECTIONS RATE SECONDS   (prints "COUNT P50 P99", µs)
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr char kRequest[] =
    "GET / HTTP/1.1\r\nHost: localhost\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36 Edg/126.0.0.0\r\nReferer: https://www.example.org/some/page\r\n"
    "Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-GB,en;q=0.7\r\n\r\n";

[[noreturn]] void Fail(const char* why) {
  std::fprintf(stderr, "even_load: %s\n", why);
  std::exit(1);
}

class Connection {
 public:
  Connection(SSL_CTX* tls, uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) Fail("cannot connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tls != nullptr) {
      ssl_ = SSL_new(tls);
      SSL_set_fd(ssl_, fd_);
      SSL_set_tlsext_host_name(ssl_, "localhost");
      if (SSL_connect(ssl_) != 1) Fail("the handshake failed");
    }
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Connection() {
    SSL_free(ssl_);
    ::close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Ask(Clock::time_point due) {
    due_ = due;
    constexpr size_t kSize = sizeof kRequest - 1;
    const auto put = ssl_ != nullptr ? SSL_write(ssl_, kRequest, kSize) : ::write(fd_, kRequest, kSize);
    if (put != static_cast<ssize_t>(kSize)) Fail("a request was not taken");
  }
  // Whether the answer is whole now.
  bool Read() {
    char buffer[16384];
    while (true) {
      const auto got =
          ssl_ != nullptr ? SSL_read(ssl_, buffer, sizeof buffer) : ::read(fd_, buffer, sizeof buffer);
      if (got <= 0) break;
      answer_.append(buffer, static_cast<size_t>(got));
    }
    ERR_clear_error();
    const size_t head = answer_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    if (!answer_.starts_with("HTTP/1.1 200")) Fail("an answer was not 200");
    std::string lower = answer_.substr(0, head);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const size_t at = lower.find("content-length: ");
    if (at == std::string::npos) Fail("an answer has no length");
    if (answer_.size() < head + 4 + std::strtoul(lower.c_str() + at + 16, nullptr, 10)) return false;
    answer_.clear();
    return true;
  }
  int fd() const { return fd_; }
  Clock::time_point due() const { return due_; }

 private:
  int fd_;
  SSL* ssl_ = nullptr;
  std::string answer_;
  Clock::time_point due_;
};

// Microseconds of each request.
std::vector<double> Load(std::vector<std::unique_ptr<Connection>>& connections, double rate, double seconds) {
  const int watch = ::epoll_create1(0);
  std::deque<Connection*> free;
  for (auto& connection : connections) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = connection.get();
    ::epoll_ctl(watch, EPOLL_CTL_ADD, connection->fd(), &event);
    free.push_back(connection.get());
  }
  std::vector<double> times;
  const auto total = static_cast<size_t>(rate * seconds);
  times.reserve(total);
  const Clock::time_point begin = Clock::now();
  const auto due_of = [&](size_t number) {
    return begin + std::chrono::duration_cast<Clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(number) / rate));
  };
  for (size_t asked = 0; times.size() < total;) {
    Clock::time_point now = Clock::now();
    while (asked < total && !free.empty() && due_of(asked) <= now) {
      free.front()->Ask(due_of(asked++));
      free.pop_front();
    }
    timespec wait{1, 0};
    if (asked < total && !free.empty()) {
      const auto left =
          std::max<std::chrono::nanoseconds>(due_of(asked) - Clock::now(), std::chrono::nanoseconds(0));
      wait = {0, std::min<long>(left.count(), 999'999'999)};
    }
    epoll_event ready[64];
    const int count = ::epoll_pwait2(watch, ready, 64, &wait, nullptr);
    now = Clock::now();
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(ready[i].data.ptr);
      if (!connection->Read()) continue;
      times.push_back(std::chrono::duration<double, std::micro>(now - connection->due()).count());
      free.push_back(connection);
    }
    if (now - begin > std::chrono::duration<double>(4 * seconds + 10)) Fail("too slow for this rate");
  }
  ::close(watch);
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) Fail("usage: gatebook_even_load tls|plain PORT CONNECTIONS RATE SECONDS");
  ::prctl(PR_SET_TIMERSLACK, 1);  // wake when asked to, not 50 µs later
  SSL_CTX* tls = nullptr;
  if (std::string(argv[1]) == "tls") tls = SSL_CTX_new(TLS_client_method());
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    connections.push_back(std::make_unique<Connection>(tls, static_cast<uint16_t>(std::atoi(argv[2]))));
  }
  const double rate = std::atof(argv[4]);
  Load(connections, rate, 0.5);  // to be warm
  std::vector<double> times = Load(connections, rate, std::atof(argv[5]));
  std::sort(times.begin(), times.end());
  std::printf("%zu %.1f %.1f\n", times.size(), times[times.size() / 2], times[times.size() * 99 / 100]);
}
