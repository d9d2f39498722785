#include "net/listener.h"

#include <event2/event.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace gatebook::net {
namespace {

constexpr int kAcceptsATurn = 64;
constexpr std::chrono::milliseconds kPause{100};

base::Error BindError(const std::string& text, const char* call) {
  return base::Error{fmt::format("cannot listen on {}: {}: {}", text, call, std::strerror(errno)),
                     base::ExitCode::kCannotCreate};
}

enum class UnixPath { kFree, kStale, kAnswered };

UnixPath Probe(const SocketAddress& address) {
  const base::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.IsValid()) return UnixPath::kFree;
  // EAGAIN: its queue is full, so someone lives there.
  if (::connect(probe.get(), address.get(), address.size()) == 0 || errno == EAGAIN)
    return UnixPath::kAnswered;
  // Anything else (a file, a socket that is not ours to enter) is left to bind() to refuse.
  return errno == ECONNREFUSED ? UnixPath::kStale : UnixPath::kFree;
}

}  // namespace

base::Result<base::UniqueFd> BindListener(const SocketAddress& address, const std::string& text,
                                          int unix_mode) {
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.IsValid()) return BindError(text, "socket");
  const bool is_unix = address.family() == AF_UNIX;
  const char* path = is_unix ? reinterpret_cast<const sockaddr_un*>(address.get())->sun_path : nullptr;
  if (is_unix) {
    const UnixPath found = Probe(address);
    if (found == UnixPath::kAnswered) {
      return base::Error{fmt::format("cannot listen on {}: another process answers there", text),
                         base::ExitCode::kCannotCreate};
    }
    struct stat info {};
    if (found == UnixPath::kStale && ::lstat(path, &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(path);
  } else {
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what is accepted
  }
  if (::bind(fd.get(), address.get(), address.size()) != 0) return BindError(text, "bind");
  if (is_unix && ::chmod(path, static_cast<mode_t>(unix_mode)) != 0) return BindError(text, "chmod");
  if (::listen(fd.get(), 4096) != 0) return BindError(text, "listen");
  return fd;
}

base::Status CheckUnused(const SocketAddress& address, const std::string& text) {
  const base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.IsValid()) return BindError(text, "socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), address.get(), address.size()) != 0) return BindError(text, "bind");
  return {};
}

Listener::Listener(Loop& loop, base::UniqueFd fd, OnAccept on_accept,
                   std::function<void()> on_out_of_descriptors)
    : loop_(loop),
      fd_(std::move(fd)),
      reserve_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      on_accept_(std::move(on_accept)),
      on_out_of_descriptors_(std::move(on_out_of_descriptors)),
      resume_([this] { event_add(event_, nullptr); }) {
  event_ = event_new(loop_.base(), fd_.get(), EV_READ | EV_PERSIST, &Listener::OnReadable, this);
  CHECK(event_ != nullptr);
  CHECK(event_add(event_, nullptr) == 0);
}

Listener::~Listener() { event_free(event_); }

void Listener::OnReadable(evutil_socket_t, short, void* self) {
  auto* listener = static_cast<Listener*>(self);
  listener->loop_.EnterTurn();
  for (int i = 0; i < kAcceptsATurn; ++i) {
    if (!listener->AcceptOne()) return;
  }
}

void Listener::AcceptWaiting() {
  while (AcceptOne()) {
  }
}

bool Listener::AcceptOne() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  base::UniqueFd fd(
      ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.IsValid()) {
    on_accept_(std::move(fd), base::IpAddress::FromSockaddr(reinterpret_cast<const sockaddr&>(storage)));
    return true;
  }
  switch (errno) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      reserve_.Reset();
      fd.Reset(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      fd.Reset();
      reserve_.Reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      on_out_of_descriptors_();
      Pause();
      return false;
    default:  // the client left while it waited, and the like
      return true;
  }
}

void Listener::Pause() {
  event_del(event_);
  resume_.Arm(loop_.timers(), loop_.now() + kPause);
}

}  // namespace gatebook::net
