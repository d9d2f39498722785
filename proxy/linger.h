// Linger: what a client still sends that nobody will answer, read away for a while.
//
// Bytes that nobody reads would make the kernel reset the connection, and the reset can overtake the answer
// (RFC 9112 §9.6) or the GOAWAY.
//
// Thread: the stream's loop.
// Limits: kLinger, kMostLingerBytes in all, kLingerShare a turn.
#pragma once

#include <chrono>

#include "net/stream.h"

namespace gatebook::proxy {

inline constexpr std::chrono::seconds kLinger{2};
inline constexpr size_t kMostLingerBytes = 1024 * 1024;
inline constexpr size_t kLingerShare = 64 * 1024;  // others wait meanwhile

enum class Lingering {
  kForNews,  // nothing more is there
  kForTurn,  // this turn's share is read: go on in the next one
  kOver,     // the client has ended, is gone, or has sent too much
};

// `lingered`: bytes so far, over all calls.
inline Lingering ReadAway(net::Stream& stream, size_t& lingered) {
  char waste[4096];
  for (const size_t end = lingered + kLingerShare; lingered < end;) {
    const net::IoResult result = stream.Read(waste);
    if (result.status == net::IoStatus::kWouldBlock) return Lingering::kForNews;
    lingered += result.bytes;
    if (result.status != net::IoStatus::kOk || lingered > kMostLingerBytes) return Lingering::kOver;
  }
  return Lingering::kForTurn;
}

}  // namespace gatebook::proxy
