// SocketBio: what OpenSSL takes for the network, straight on a socket.
//
// Problem: OpenSSL's own socket BIO makes a system call for each thing that
// OpenSSL wants to read or write, also when it is known that nothing is there, and one
// for each record. Idea: this one knows what the socket last said. A read
// that the kernel can't serve makes no call until the next edge; with OpenSSL's
// read-ahead a record costs one recv(). Records are gathered in memory that all
// streams of a worker share, and leave in one sendmsg() when the call into OpenSSL is over; the
// last one, if it is announced, without having been copied. Only what the socket
// does not take is kept here.
//
// Thread: the loop's. Borrows: descriptor, event and scratch, which must outlive it and
//   the BIO that Make() returned.
// Limits: at most kMostUnsent is kept; OpenSSL is told to wait beyond that. At most kMostQuiet
//   is received between two calls of ForgetQuiet(): hellos without end and endless key
//   updates break the connection.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/socket_event.h"
#include "tls/openssl_ptr.h"

namespace gatebook::tls {

// Records of one call into OpenSSL. Empty whenever no stream's member runs.
struct RecordScratch {
  // Four full records, or sixteen small ones, with their headers and tags, and a little more.
  static constexpr size_t kSize = 68 * 1024;
  std::array<char, kSize> bytes;
  size_t size = 0;
};

class SocketBio {
 public:
  static constexpr size_t kMostUnsent = 2 * RecordScratch::kSize;  // bytes
  static constexpr size_t kMostQuiet = 64 * 1024;                  // bytes

  SocketBio(int fd, const net::SocketEvent& event, RecordScratch& scratch)
      : fd_(fd), event_(event), scratch_(scratch) {}
  SocketBio(const SocketBio&) = delete;
  SocketBio& operator=(const SocketBio&) = delete;

  // A BIO for both directions; the caller owns it. Null: no memory.
  BIO* Make();

  // What an edge said.
  void OnReadable() { drained_ = false; }
  // Sends what is kept if the socket had been full.
  void OnWritable();

  // Ends a call into OpenSSL: sends what is kept and what it left in the scratch.
  void Send() { Send({}, 0); }
  // Likewise, and a FIN follows at once, which the kernel then sends in the same packet.
  void SendBeforeFin();
  // Ends a call into OpenSSL, but leaves for the next Send() what can wait.
  void Defer();
  // The next record is the last of its call: sent at once, with all before it.
  void AnnounceLast(bool last) { last_record_ = last; }
  // Application data came: what was received until now was worth it.
  void ForgetQuiet() { quiet_bytes_ = 0; }

  bool IsDrained() const { return drained_; }  // a recv() would give nothing
  bool IsBlocked() const { return blocked_; }  // a send() would take nothing
  bool IsAtEnd() const { return at_end_; }     // the peer's FIN was read
  bool IsBroken() const { return broken_; }    // nothing more comes: the socket failed, or a limit was passed
  // Nothing more can be sent. What had come before is still to be read; behind it the BIO is broken.
  bool IsUnwritable() const { return unwritable_ || broken_; }
  bool IsTooQuiet() const { return quiet_bytes_ > kMostQuiet; }
  bool HasScratch() const { return scratch_.size > 0; }
  size_t unsent_size() const { return unsent_.size() - unsent_at_; }

 private:
  static const BIO_METHOD* Method();
  static int OnRead(BIO* bio, char* into, size_t size, size_t* got);
  static int OnWrite(BIO* bio, const char* bytes, size_t size, size_t* put);
  static long OnControl(BIO* bio, int command, long number, void* pointer);

  // 1: got something; 0: ask again later (or never, see IsBroken() and IsAtEnd()).
  int Receive(std::span<char> into, size_t& got);
  bool Take(std::string_view record);
  void Send(std::string_view last, int flags);
  void Keep(const std::array<std::string_view, 3>& parts, size_t sent);

  const int fd_;
  const net::SocketEvent& event_;
  RecordScratch& scratch_;
  std::string unsent_;      // holds no memory while empty
  uint32_t unsent_at_ = 0;  // sent of unsent_
  uint32_t quiet_bytes_ = 0;
  bool drained_ = true;
  bool blocked_ = false;
  bool at_end_ = false;
  bool broken_ = false;
  bool unwritable_ = false;
  bool last_record_ = false;
};

}  // namespace gatebook::tls
