#include "http/h2_frame_reader.h"

#include <algorithm>

namespace gatebook::http {

H2FrameHead ParseFrameHead(std::string_view nine_bytes) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(nine_bytes[i]));
  };
  return {
      .length = byte(0) << 16 | byte(1) << 8 | byte(2),
      .type = static_cast<H2FrameType>(byte(3)),
      .flags = static_cast<uint8_t>(byte(4)),
      .stream = static_cast<int32_t>((byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)),
  };
}

H2FrameReader::Step H2FrameReader::Next(std::string_view& data) {
  if (data.empty()) return {};
  if (payload_left_ > 0) {
    const std::string_view piece = data.substr(0, payload_left_);
    data.remove_prefix(piece.size());
    payload_left_ -= piece.size();
    return {Step::Kind::kPayload, piece, payload_left_ == 0};
  }
  std::string_view head;
  if (held_ == 0 && data.size() >= kH2FrameHeadSize) {
    head = data.substr(0, kH2FrameHeadSize);
    data.remove_prefix(kH2FrameHeadSize);
  } else {
    const size_t taken = std::min(kH2FrameHeadSize - held_, data.size());
    std::copy_n(data.begin(), taken, bytes_.begin() + held_);
    data.remove_prefix(taken);
    held_ += taken;
    if (held_ < kH2FrameHeadSize) return {};
    held_ = 0;
    head = {bytes_.data(), bytes_.size()};
  }
  head_ = ParseFrameHead(head);
  payload_left_ = head_.length;
  return {Step::Kind::kHead, head, payload_left_ == 0};
}

}  // namespace gatebook::http
