// H2End: why an HTTP/2 connection ended, as rows of one table; and the error codes of RFC 9113 §7.
//
// From a row come the code of the GOAWAY that was sent, and the label of a counter.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatebook::http {

// RFC 9113 §7. A peer may send any other number too.
enum class H2Error : uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};

// X(enumerator, code of the GOAWAY, slug, what it means)
#define GATEBOOK_H2_ENDS(X)                                                                               \
  X(kDrained, kNoError, "drained", "ended in good order: GOAWAY was sent and no stream is left")          \
  X(kBadPreface, kProtocolError, "bad_preface", "the connection did not begin as HTTP/2")                 \
  X(kProtocolError, kProtocolError, "protocol_error", "a frame against the protocol")                     \
  X(kFrameSize, kFrameSizeError, "frame_size", "a frame of a wrong size")                                 \
  X(kFlowControl, kFlowControlError, "flow_control",                                                      \
    "more data than a window allowed, or a window beyond 2^31-1")                                         \
  X(kCompression, kCompressionError, "compression", "a field block that HPACK cannot read")               \
  X(kStreamClosed, kStreamClosed, "stream_closed", "a frame for a stream that the peer itself had ended") \
  X(kInternal, kInternalError, "internal", "out of memory")                                               \
  X(kRapidReset, kEnhanceYourCalm, "rapid_reset", "streams opened and reset faster than they are used")   \
  X(kProvokedReset, kEnhanceYourCalm, "provoked_reset", "frames that made us reset streams")              \
  X(kContinuationFlood, kEnhanceYourCalm, "continuation_flood",                                           \
    "more CONTINUATION frames than a field block needs")                                                  \
  X(kFieldFlood, kEnhanceYourCalm, "field_flood",                                                         \
    "a field block many times larger than any limit (HPACK bomb)")                                        \
  X(kSettingsFlood, kEnhanceYourCalm, "settings_flood", "too many SETTINGS frames")                       \
  X(kPingFlood, kEnhanceYourCalm, "ping_flood", "too many PING frames")                                   \
  X(kEmptyFrames, kEnhanceYourCalm, "empty_frames", "too many frames that carry nothing")                 \
  X(kPriorityFlood, kEnhanceYourCalm, "priority_flood", "too many PRIORITY frames")                       \
  X(kWindowFlood, kEnhanceYourCalm, "window_flood", "too many WINDOW_UPDATE frames for the data sent")    \
  X(kUnknownFrames, kEnhanceYourCalm, "unknown_frames", "too many frames of unknown types")               \
  X(kControlQueue, kEnhanceYourCalm, "control_queue",                                                     \
    "answers to control frames are asked for and not read")                                               \
  X(kStalledStreams, kEnhanceYourCalm, "stalled_streams",                                                 \
    "answers asked for again and again, and no window opened for them")                                   \
  X(kHeaderTimeout, kEnhanceYourCalm, "header_timeout",                                                   \
    "a head or trailers that did not arrive within timeouts.request_header")                              \
  X(kGlitches, kEnhanceYourCalm, "glitches", "too many small faults, each of them pardonable")

enum class H2End : uint8_t {
#define GATEBOOK_H2_END_ENUM(name, code, slug, meaning) name,
  GATEBOOK_H2_ENDS(GATEBOOK_H2_END_ENUM)
#undef GATEBOOK_H2_END_ENUM
      kCount
};

struct H2EndInfo {
  H2Error code;
  std::string_view slug;
  std::string_view meaning;
};
const H2EndInfo& InfoOf(H2End end);

// The row for a GOAWAY that the codec's library decided on.
H2End EndOf(H2Error code);

}  // namespace gatebook::http
