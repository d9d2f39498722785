// BodyReader: takes the framing off a body and checks it.
//
// Thread: one. Owns nothing; state is a few words, no allocation.
// Limits: a chunk line of 32 bytes of size digits and extension up to 256 (extensions are
// dropped); trailers up to 8 KiB and the field count of HeadLimits, read and dropped.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head.h"
#include "http/refusal.h"

namespace gatebook::http {

class BodyReader {
 public:
  struct Step {
    // Bytes of the input that are done with, framing and payload together.
    size_t consumed = 0;
    // Payload among them: one view into the input, may be empty.
    std::string_view payload;
  };

  // Begins a body. kNone is done at once; kToClose is never done by itself.
  void Begin(Framing framing, uint64_t content_length);

  // Takes framing and at most one run of payload off the front of `data`. Call again
  // with the rest until done(), failed(), or consumed == 0 (needs more bytes).
  // Payload is never longer than `most`.
  Step Read(std::string_view data, size_t most = SIZE_MAX);

  // kToClose: the connection's end was the body's end. Otherwise an end before done() is a fault of the caller's peer.
  bool IsDone() const;
  bool HasFailed() const;
  Refusal refusal() const;   // kBadChunk or kBadTrailer
  Framing framing() const { return framing_; }
  uint64_t remaining() const { return remaining_; }  // kLength: payload bytes to come

 private:
  Framing framing_ = Framing::kNone;
  uint64_t remaining_ = 0;
};

// The line before a chunk's payload ("1a2b\r\n"); CRLF stands behind the payload. Returns its length, at most 18.
size_t WriteChunkLine(uint64_t size, char* out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace gatebook::http
