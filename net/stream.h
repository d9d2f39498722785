// Stream: a transport connection as bytes in and out; plain (net/socket_stream.h)
// or TLS (tls/tls_stream.h).
//
// Pull model: when OnStreamReady() is called the handler tries whatever it has
// to do, reading and writing until kWouldBlock. A Read or Write that is known
// to block costs no system call, so trying is free.
//
// Thread: the loop's. Owns: the descriptor. Borrows: the handler.
// Ends: destroying it closes the descriptor at once. It must not be destroyed
//   inside its own callback: hand its owner to Loop::Dispose().
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gatebook::net {

enum class IoStatus {
  kOk,          // `bytes` > 0 were moved
  kWouldBlock,  // OnStreamReady() will be called when it is worth trying again
  kEnd,         // Read only: the peer has ended its direction in good order
  // The connection is broken; only destroying it is left to do. After a failed Write(), Read()
  // may still give what had come before the break.
  kError,
};

struct IoResult {
  IoStatus status;
  size_t bytes = 0;
};

class StreamHandler {
 public:
  // Something may be readable or writable that was not before. For a TLS stream
  // first called when the handshake is done.
  virtual void OnStreamReady() = 0;
  // The handshake (or connect) failed; no other call will come.
  virtual void OnStreamFailed() = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Who is told from now on.
  virtual void SetHandler(StreamHandler& handler) = 0;

  virtual IoResult Read(std::span<char> into) = 0;
  // May take less than all of it. The same bytes must be offered again after kWouldBlock.
  virtual IoResult Write(std::string_view bytes) = 0;
  // As Write(), and if all of it was taken as ShutdownWrite() after it: the end goes with the bytes, in one packet
  // where they fit into one.
  virtual IoResult WriteLast(std::string_view bytes) = 0;
  // Ends the writing direction in good order (close_notify, FIN). Nothing may be written after it; again is nothing.
  virtual void ShutdownWrite() = 0;
  // Bytes that Write() or ShutdownWrite() took stand in the stream and not yet in the
  // kernel. Who is done waits until this is false (OnStreamReady() is called) before
  // destroying the stream, or cuts off the end.
  virtual bool HasUnsent() const { return false; }
  // How many; for telling a client's progress.
  virtual size_t unsent_size() const { return 0; }
  virtual int fd() const = 0;
  // After OnStreamFailed() or kError: why, in a few words that hold nothing of the peer's; may be empty.
  virtual std::string_view failure() const { return {}; }
  // errno of that failure; 0: it is none of the kernel's.
  virtual int error_number() const { return 0; }
};

}  // namespace gatebook::net
