// Listener: a listening socket on a loop; hands over what it accepts.
//
// Out of descriptors: the listener gives up its reserve descriptor for a moment to take and
// close the waiting connection, tells its owner, and pauses 100 ms, so that it never spins.
//
// Thread: the loop's, but Bind(), which may be called before there is one.
// Ends: destroying it stops accepting and closes the socket; connections that wait in the
//   kernel's queue are accepted first by AcceptWaiting().
// Limits: 64 accepts a turn, so that one full queue does not starve open connections.
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/loop.h"
#include "net/socket_address.h"

namespace gatebook::net {

// Binds and listens, non-blocking; TCP with SO_REUSEADDR and SO_REUSEPORT, IPv6 sockets
// dual-stack for "::" only as the kernel says. A Unix path that a dead process left behind is
// replaced, one that answers is an error; its mode becomes `unix_mode`.
base::Result<base::UniqueFd> BindListener(const SocketAddress& address, const std::string& text, int unix_mode);

// An error if another process listens on this TCP address: SO_REUSEPORT would let both share it.
base::Status CheckUnused(const SocketAddress& address, const std::string& text);

class Listener {
 public:
  // `ip` is nothing for a Unix peer.
  using OnAccept = std::function<void(base::UniqueFd fd, std::optional<base::IpAddress> ip)>;

  Listener(Loop& loop, base::UniqueFd fd, OnAccept on_accept, std::function<void()> on_out_of_descriptors);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void AcceptWaiting();

 private:
  static void OnReadable(evutil_socket_t fd, short what, void* self);
  // False when there is nothing more to accept now.
  bool AcceptOne();
  void Pause();

  Loop& loop_;
  base::UniqueFd fd_;
  base::UniqueFd reserve_;
  OnAccept on_accept_;
  std::function<void()> on_out_of_descriptors_;
  event* event_ = nullptr;
  Timer resume_;
};

}  // namespace gatebook::net
