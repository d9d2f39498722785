// TlsChannel: what both sides of TLS do alike over a socket that is there: handshake
// steps, records in and out, the end. tls/tls_stream.h and tls/tls_client_stream.h are made of it.
//
// A record costs one recv(), all records of one Write() one sendmsg(), and what is known
// to block nothing (tls/socket_bio.h). Records that a full socket does not take stay
// here, and Write() takes nothing more until they are gone.
//
// Thread: the loop's. Owns: the SSL. Borrows: loop, descriptor, event and scratch.
// Ends: unsent bytes are lost (HasUnsent()).
// Limits: 64 KiB taken by one Write(), at most 136 KiB unsent.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/socket_event.h"
#include "net/stream.h"
#include "tls/socket_bio.h"

namespace gatebook::tls {

class TlsChannel {
 public:
  enum class Records {
    // Small ones first, so that the peer can decrypt what the first packets bring, then full ones;
    // after a second's rest it begins anew. What fits one record goes as one.
    kGrowing,
    kFull,
  };
  TlsChannel(int fd, net::SocketEvent& event, RecordScratch& scratch, Records records)
      : fd_(fd), event_(event), records_(records), bio_(fd, event, scratch) {}
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // Joins SSL and socket. False: no memory.
  bool Begin(SslPtr ssl);
  // What an edge said. Requires: Begin().
  void OnEdge(bool readable, bool writable);

  enum class Step { kPending, kDone, kFailed };
  // After kDone our last flight may still be here: Flush() it, or Defer() it to the first Write().
  Step Handshake();
  void Flush() { bio_.Send(); }
  void Defer() { bio_.Defer(); }
  // After kFailed, once: why. `closed`: what to say if the peer just left.
  struct Failure {
    const char* text;
    int reason;  // of ERR_LIB_SSL; 0: none
  };
  Failure TakeFailure(const char* closed);

  // As of net::Stream; not before kDone.
  net::IoResult Read(std::span<char> into);
  net::IoResult Write(std::string_view bytes) { return Write(bytes, false); }
  net::IoResult WriteLast(std::string_view bytes) { return Write(bytes, true); }
  // May come before kDone: then it is a bare FIN.
  void ShutdownWrite();
  bool HasUnsent() const { return bio_.unsent_size() > 0 && bio_.IsBlocked() && !IsBroken(); }
  size_t unsent_size() const { return bio_.unsent_size(); }

  bool IsEstablished() const { return established_; }
  // Whether any application data came.
  bool has_read() const { return has_read_; }
  // Nothing more comes; likewise nothing can be written, though what had come before is still to be read.
  bool IsBroken() const { return broken_ || bio_.IsBroken(); }
  bool IsUnwritable() const { return broken_ || bio_.IsUnwritable(); }
  // The end that Read() told of was a bare FIN, without close_notify.
  bool truncated() const { return truncated_; }
  // Why Read() gave kError, where that is TLS's own doing (an alert, a broken record): OpenSSL's words; else "".
  const char* failure() const { return failure_; }
  SSL* ssl() const { return ssl_.get(); }

 private:
  net::IoResult OnReadStopped(int error);
  size_t NextRecord(size_t left) const;
  net::IoResult Write(std::string_view bytes, bool last);
  void FinishShutdown();

  const int fd_;
  net::SocketEvent& event_;
  const Records records_;
  SocketBio bio_;
  SslPtr ssl_;  // uses bio_
  base::SteadyTime last_write_{};
  uint32_t burst_bytes_ = 0;  // written since the last rest
  const char* failure_ = "";
  bool has_read_ = false;
  bool established_ = false;
  bool broken_ = false;  // the TLS session is beyond repair
  bool ended_ = false;   // Read() has told of the end
  bool truncated_ = false;
  bool shutting_down_ = false;  // ShutdownWrite() was called
  bool fin_sent_ = false;
};

}  // namespace gatebook::tls
