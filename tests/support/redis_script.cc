#include "tests/support/redis_script.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/check.h"
#include "logger/redis_reply.h"

namespace gatebook::support {

RedisScript::RedisScript(Answer answer, size_t split)
    : answer_(std::move(answer)), split_(split), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(::listen(listener_.get(), 64) == 0);
  socklen_t size = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

RedisScript::~RedisScript() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (const base::UniqueFd& fd : accepted_) ::shutdown(fd.get(), SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
}

config::Endpoint RedisScript::server() const {
  config::Endpoint server;
  server.kind = config::Endpoint::Kind::kIp;
  server.ip = *base::IpAddress::Parse("127.0.0.1");
  server.port = port_;
  return server;
}

std::vector<std::string> RedisScript::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void RedisScript::Accept() {
  while (true) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++connections_;
    const std::lock_guard lock(mutex_);
    accepted_.emplace_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void RedisScript::Serve(int fd) {
  // Commands have the form of an array of strings.
  logger::RedisReader reader(1 << 20);
  char buffer[4096];
  while (true) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got <= 0 || !reader.Feed({buffer, static_cast<size_t>(got)})) return;
    while (const logger::RedisReply* request = reader.Next()) {
      Command command;
      std::string words;
      for (const auto& word : request->elements) {
        command.emplace_back(word.text);
        words.append(words.empty() ? "" : " ").append(word.text);
      }
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        heard_.push_back(words);
        answer = answer_(command);
      }
      if (answer == kHangUp) {
        ::shutdown(fd, SHUT_RDWR);
        return;
      }
      const size_t step = split_ == 0 ? answer.size() : split_;
      for (size_t at = 0; at < answer.size(); at += step) {
        if (::send(fd, answer.data() + at, std::min(step, answer.size() - at), MSG_NOSIGNAL) < 0) return;
      }
    }
  }
}

std::string Bulk(const std::string& word) {
  return "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
}

std::string BulkArray(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) text += Bulk(word);
  return text;
}

}  // namespace gatebook::support
