// H2Stream and H2Pool: what a session keeps of a stream, and where it comes from.
//
// Thread: a pool and all sessions on it belong to one thread; it outlives them.
// Limits: a pool keeps kFreeMost free streams, each with at most kTextMost bytes of text; what
//   is beyond goes back to the system. So no request allocates in steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "http/h2_fields.h"
#include "http/head.h"

namespace gatebook::http {

struct H2Stream {
  int32_t id = 0;
  size_t place = 0;  // in the session's list

  H2HeadText text;
  RequestHead request;
  ResponseHead response;
  Method request_method = Method::kOther;  // client: of what was asked

  // What the peer sends.
  bool head_read = false;  // the final one
  bool peer_ended = false;
  bool peer_reset = false;
  bool refused = false;  // its body is dropped
  bool broken = false;   // a rule was broken and a reset is under way
  bool has_length = false;
  uint64_t length = 0;    // that Content-Length promised
  uint64_t received = 0;  // payload
  size_t trailers = 0;    // bytes of them, which whoever was told keeps as long as the stream
  size_t held = 0;        // payload that was not yet given back by Consume()
  std::optional<Refusal> refusal;

  // What we send.
  bool head_sent = false;
  bool ended = false;  // END_STREAM went into the output
  bool reset = false;  // by Reset(): nothing more is told of it but its end
  bool by_connection = false;
  bool closed = false;  // gone for the library; OnClosed is due
  bool waiting = false;
  uint32_t close_code = 0;
  std::string_view offer;  // of the OfferData() under way
  bool offer_ends = false;
  size_t turn_left = 0;  // bytes it may still send while others wait
};

class H2Pool {
 public:
  static constexpr size_t kFreeMost = 512;
  static constexpr size_t kTextMost = 4096;

  explicit H2Pool(base::BufferPool& buffers) : buffers_(buffers) {}

  base::BufferPool& buffers() { return buffers_; }
  std::unique_ptr<H2Stream> TakeStream();
  void Give(std::unique_ptr<H2Stream> stream);
  // For the one field block that a connection is reading.
  std::unique_ptr<H2Fields> TakeFields();
  void Give(std::unique_ptr<H2Fields> fields);
  // Streams that are with sessions now.
  size_t taken() const { return taken_; }

 private:
  base::BufferPool& buffers_;
  std::vector<std::unique_ptr<H2Stream>> streams_;
  std::vector<std::unique_ptr<H2Fields>> fields_;
  size_t taken_ = 0;
};

}  // namespace gatebook::http
