// H2FrameReader: finds where frames begin in a stream of bytes (RFC 9113 §4.1), so that each
// can be judged before anybody works on it.
//
// Thread: one. Owns: nothing but nine bytes. Pure: no frame's payload is looked at.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatebook::http {

enum class H2FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
  kPriorityUpdate = 16,  // RFC 9218
};

inline constexpr uint8_t kH2EndStream = 0x1;  // DATA, HEADERS
inline constexpr uint8_t kH2Ack = 0x1;        // SETTINGS, PING
inline constexpr uint8_t kH2EndHeaders = 0x4;
inline constexpr uint8_t kH2Padded = 0x8;
inline constexpr uint8_t kH2Priority = 0x20;

inline constexpr size_t kH2FrameHeadSize = 9;
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct H2FrameHead {
  uint32_t length = 0;  // of the payload
  H2FrameType type{};   // or any other number
  uint8_t flags = 0;
  int32_t stream = 0;  // without its reserved bit

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
};

H2FrameHead ParseFrameHead(std::string_view nine_bytes);

class H2FrameReader {
 public:
  struct Step {
    enum class Kind : uint8_t { kNeedMore, kHead, kPayload };
    Kind kind = Kind::kNeedMore;
    // kHead: the nine bytes, valid until the next call; kPayload: as much of it as is there.
    std::string_view bytes;
    bool last = false;  // the frame ends behind `bytes`
  };

  // Takes the next step off the front of `data`. kNeedMore: all of it was taken.
  Step Next(std::string_view& data);

  // Payload of the frame is still to come.
  bool IsInPayload() const { return payload_left_ > 0; }
  // Of the last kHead.
  const H2FrameHead& head() const { return head_; }

 private:
  std::array<char, kH2FrameHeadSize> bytes_{};
  size_t held_ = 0;
  size_t payload_left_ = 0;
  H2FrameHead head_;
};

}  // namespace gatebook::http
