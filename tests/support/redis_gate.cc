#include "tests/support/redis_gate.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace gatebook::support {
namespace {

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  CHECK(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

base::UniqueFd UnixSocket() { return base::UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

// Somebody who takes nothing holds the gate up no longer than this.
void LimitSending(int fd) {
  const timeval most{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

}  // namespace

RedisGate::RedisGate(std::string redis_socket)
    : socket_(directory_.Path("gate.sock")),
      redis_socket_(std::move(redis_socket)),
      listener_(UnixSocket()),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  const sockaddr_un address = AddressOf(socket_);
  CHECK(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  CHECK(::listen(listener_.get(), 16) == 0);
  thread_ = std::thread([this] { Carry(); });
}

RedisGate::~RedisGate() {
  CHECK(::eventfd_write(stop_.get(), 1) == 0);
  thread_.join();
}

void RedisGate::CutRequestsAfter(std::vector<size_t> bytes) {
  const std::lock_guard lock(mutex_);
  request_cuts_.assign(bytes.begin(), bytes.end());
  for (auto& link : links_) link->requests.passed = 0;
}

void RedisGate::CutRepliesAfter(std::vector<size_t> bytes) {
  const std::lock_guard lock(mutex_);
  reply_cuts_.assign(bytes.begin(), bytes.end());
  for (auto& link : links_) link->replies.passed = 0;
}

size_t RedisGate::cuts_left() const {
  const std::lock_guard lock(mutex_);
  return request_cuts_.size() + reply_cuts_.size();
}

void RedisGate::Carry() {
  for (;;) {
    std::vector<pollfd> waiting = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& link : links_) {
      waiting.push_back({link->requests.from, POLLIN, 0});
      waiting.push_back({link->replies.from, POLLIN, 0});
    }
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) break;
    const std::lock_guard lock(mutex_);
    const size_t links = links_.size();
    for (size_t i = 0; i < links; ++i) {
      Link& link = *links_[i];
      bool lives = waiting[2 + 2 * i].revents == 0 || PassOn(link.requests);
      lives = lives && (waiting[3 + 2 * i].revents == 0 || PassOn(link.replies));
      if (!lives) links_[i].reset();
    }
    if (waiting[1].revents != 0) ComeIn();
    std::erase(links_, nullptr);
  }
  links_.clear();
}

void RedisGate::ComeIn() {
  base::UniqueFd edge(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  base::UniqueFd redis = UnixSocket();
  const sockaddr_un address = AddressOf(redis_socket_);
  ++connections_;
  if (::connect(redis.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  LimitSending(edge.get());
  LimitSending(redis.get());
  const int edge_fd = edge.get(), redis_fd = redis.get();
  links_.push_back(std::make_unique<Link>(Link{std::move(edge), std::move(redis),
                                               Direction{edge_fd, redis_fd, &request_cuts_},
                                               Direction{redis_fd, edge_fd, &reply_cuts_}}));
}

bool RedisGate::PassOn(Direction& direction) {
  char piece[16384];
  const ssize_t got = ::recv(direction.from, piece, sizeof piece, 0);
  if (got <= 0) return false;
  std::string_view bytes(piece, static_cast<size_t>(got));
  const bool is_reply = direction.cuts == &reply_cuts_;
  const Way way = way_;
  if (is_reply && way == Way::kSwallowReplies) return true;
  if (way == Way::kSlow) ::poll(nullptr, 0, static_cast<int>(kSlowness.count()));
  if (direction.cuts->empty()) return Send(direction.to, bytes);
  const size_t left = direction.cuts->front() - std::min(direction.passed, direction.cuts->front());
  direction.passed += bytes.size();
  if (bytes.size() < left) return Send(direction.to, bytes);
  Send(direction.to, bytes.substr(0, left));
  direction.cuts->pop_front();
  return false;
}

bool RedisGate::Send(int to, std::string_view bytes) {
  const size_t step = way_ == Way::kSingleBytes ? 1 : bytes.size();
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), std::min(step, bytes.size()), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace gatebook::support
