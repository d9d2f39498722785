// SocketStream: a plain TCP or Unix connection as a Stream.
//
// Thread: the loop's. Owns: the descriptor. Borrows: handler and loop.
// Ends: destroying it closes the descriptor.
#pragma once

#include <memory>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/socket_address.h"
#include "net/socket_event.h"
#include "net/stream.h"

namespace gatebook::net {

class SocketStream : public Stream, private SocketEvent::Handler {
 public:
  // Takes an accepted, non-blocking descriptor. Nothing if the kernel refuses to watch it.
  static std::unique_ptr<SocketStream> Accepted(Loop& loop, base::UniqueFd fd, StreamHandler& handler);
  // Begins to connect; OnStreamReady() or OnStreamFailed() tells the end, always later
  // than this call. The caller bounds the time. `preamble`: sent first of all; a few bytes, that a
  // fresh socket takes at once.
  static base::Result<std::unique_ptr<SocketStream>> Connect(Loop& loop, const SocketAddress& address,
                                                             StreamHandler& handler,
                                                             std::string preamble = {});

  void SetHandler(StreamHandler& handler) override { handler_ = &handler; }
  IoResult Read(std::span<char> into) override;
  IoResult Write(std::string_view bytes) override { return Send(bytes, 0); }
  IoResult WriteLast(std::string_view bytes) override;
  void ShutdownWrite() override;
  int fd() const override { return fd_.get(); }

  std::string_view failure() const override;
  int error_number() const override { return error_; }

 private:
  SocketStream(Loop& loop, base::UniqueFd fd, StreamHandler& handler);
  void OnReady(bool readable, bool writable) override;
  IoResult Send(std::string_view bytes, int flags);

  base::UniqueFd fd_;
  SocketEvent event_;
  StreamHandler* handler_;
  std::string preamble_;  // until it is sent
  int error_ = 0;
  bool connecting_ = false;
  bool readable_ = false;  // a read may give something
  bool write_shut_ = false;
  bool writable_ = false;
};

}  // namespace gatebook::net
