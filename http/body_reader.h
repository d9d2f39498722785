// BodyReader: takes the framing off a body and checks it.
//
// Thread: one. Owns nothing; state is a few words, no allocation.
// Borrows: where trailers go.
// Limits: 16 digits of a chunk's size, 256 bytes of extension a chunk line, and 16 KiB of
// extensions beyond the payload a body (extensions are dropped); trailers up to 8 KiB and
// kTrailerCountMost fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
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

  static constexpr uint16_t kTrailerCountMost = 100;
  static constexpr uint16_t kTrailerSizeMost = 8192;  // bytes

  // Begins a body. kNone is done at once; kToClose is never done by itself. `trailers`: where the trailer
  // section is appended, if it is not empty, with the empty line behind it (http/trailers.h); null: nowhere.
  void Begin(Framing framing, uint64_t content_length, std::string* trailers = nullptr);

  // Takes framing and at most one run of payload off the front of `data`. Call again
  // with the rest until done(), failed(), or consumed == 0 (needs more bytes).
  // Payload is never longer than `most`.
  Step Read(std::string_view data, size_t most = SIZE_MAX);

  // kToClose: the connection's end was the body's end. Otherwise an end before done() is a fault of the
  // caller's peer.
  bool IsDone() const;
  bool HasFailed() const;
  Refusal refusal() const;  // kBadChunk or kBadTrailer
  Framing framing() const { return framing_; }
  uint64_t remaining() const { return remaining_; }  // kLength: payload bytes to come

 private:
  enum class State : uint8_t {
    kDone,
    kFailed,
    kToClose,
    kPayload,
    kSize,
    kExtension,
    kSizeLf,
    kPayloadCr,
    kPayloadLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kLastLf,
  };

  void TakeFraming(char c);
  void TakeTrailer(char c);
  void TakeSizeDigit(char c);
  void BeginChunk();
  void Fail(Refusal refusal);

  Framing framing_ = Framing::kNone;
  State state_ = State::kDone;
  Refusal refusal_ = Refusal::kBadChunk;
  uint64_t remaining_ = 0;       // payload of the body (kLength) or of this chunk
  uint64_t extension_debt_ = 0;  // bytes of extensions that no payload stands against
  std::string* trailers_ = nullptr;
  uint16_t line_size_ = 0;  // size digits, or bytes of extension, in this chunk line
  uint16_t trailer_size_ = 0;
  uint16_t trailer_count_ = 0;
};

// The line before a chunk's payload ("1a2b\r\n"); CRLF stands behind the payload. Returns its length, at
// most 18.
size_t WriteChunkLine(uint64_t size, char* out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace gatebook::http
