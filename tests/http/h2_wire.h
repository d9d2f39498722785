// Frames and field blocks written by hand, so that each part of them can be wrong; and a
// reader that says what frames a session has sent, as text.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "http/h2_end.h"
#include "http/h2_frame_reader.h"

namespace gatebook::http {

using H2FieldList = std::vector<std::pair<std::string, std::string>>;

inline std::string Uint32(uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

inline std::string Frame(H2FrameType type, uint8_t flags, int32_t stream, std::string_view payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  std::string out = Uint32(size).substr(1);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  out += Uint32(static_cast<uint32_t>(stream));
  return out.append(payload);
}

inline std::string Setting(uint16_t id, uint32_t value) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id)} + Uint32(value);
}
inline std::string Settings(std::string_view entries = {}) {
  return Frame(H2FrameType::kSettings, 0, 0, entries);
}
inline std::string SettingsAck() { return Frame(H2FrameType::kSettings, kH2Ack, 0, {}); }
inline std::string Ping() { return Frame(H2FrameType::kPing, 0, 0, "12345678"); }
inline std::string Data(int32_t stream, std::string_view payload, bool end = false) {
  return Frame(H2FrameType::kData, end ? kH2EndStream : 0, stream, payload);
}
inline std::string Rst(int32_t stream, uint32_t code = 8) {
  return Frame(H2FrameType::kRstStream, 0, stream, Uint32(code));
}
inline std::string WindowUpdate(int32_t stream, uint32_t by) {
  return Frame(H2FrameType::kWindowUpdate, 0, stream, Uint32(by));
}
inline std::string Goaway(int32_t last, uint32_t code = 0) {
  return Frame(H2FrameType::kGoaway, 0, 0, Uint32(static_cast<uint32_t>(last)) + Uint32(code));
}

// RFC 7541 §6.2.2: literals without indexing, without Huffman: needs no state.
inline std::string HpackInteger(uint8_t first, int prefix, uint64_t value) {
  const uint64_t most = (1U << prefix) - 1;
  if (value < most) return std::string(1, static_cast<char>(first | value));
  std::string out(1, static_cast<char>(first | most));
  for (value -= most; value >= 128; value /= 128) out += static_cast<char>(value % 128 + 128);
  return out += static_cast<char>(value);
}
inline std::string HpackString(std::string_view text) { return HpackInteger(0, 7, text.size()).append(text); }
inline std::string Literal(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + HpackString(name) + HpackString(value);
}
// §6.2.1: the same, and it goes into the dynamic table.
inline std::string IndexedLiteral(std::string_view name, std::string_view value) {
  return "\x40" + HpackString(name) + HpackString(value);
}
inline std::string Block(const H2FieldList& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += Literal(name, value);
  return out;
}
inline std::string Headers(int32_t stream, std::string_view block, bool end = true) {
  return Frame(H2FrameType::kHeaders, static_cast<uint8_t>(kH2EndHeaders | (end ? kH2EndStream : 0)), stream,
               block);
}
inline std::string Headers(int32_t stream, const H2FieldList& fields, bool end = true) {
  return Headers(stream, Block(fields), end);
}
inline H2FieldList Get(std::string path = "/") {
  return {
      {":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", std::move(path)}};
}
inline H2FieldList Post(std::string path = "/") {
  H2FieldList fields = Get(std::move(path));
  fields[0].second = "POST";
  return fields;
}
inline H2FieldList With(H2FieldList fields, const H2FieldList& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline std::string ClientHello() { return std::string(kH2Preface) + Settings(); }

// What a session sent, a frame a line:
//   SETTINGS | SETTINGS ack | PING ack | HEADERS 1 [end] name=value … | DATA 1 [end] n | RST 1 code
//   WINDOW 0 n | GOAWAY last code text
class H2Listener {
 public:
  H2Listener() { CHECK(nghttp2_hd_inflate_new(&inflater_) == 0); }
  ~H2Listener() { nghttp2_hd_inflate_del(inflater_); }
  H2Listener(const H2Listener&) = delete;
  H2Listener& operator=(const H2Listener&) = delete;

  std::string Hear(std::string_view bytes) {
    pending_.append(bytes);
    std::string out;
    if (pending_.starts_with(kH2Preface)) pending_.erase(0, kH2Preface.size());
    while (pending_.size() >= kH2FrameHeadSize) {
      const H2FrameHead head = ParseFrameHead(std::string_view(pending_).substr(0, kH2FrameHeadSize));
      if (pending_.size() < kH2FrameHeadSize + head.length) break;
      out += Line(head, pending_.substr(kH2FrameHeadSize, head.length)) + "\n";
      pending_.erase(0, kH2FrameHeadSize + head.length);
    }
    return out;
  }
  // Of all DATA frames so far.
  const std::string& payload() const { return payload_; }

 private:
  static uint32_t NumberAt(std::string_view bytes, size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  std::string Line(const H2FrameHead& head, const std::string& payload) {
    const std::string stream = std::to_string(head.stream);
    const std::string end = head.Has(kH2EndStream) ? " end" : "";
    switch (head.type) {
      case H2FrameType::kData:
        payload_ += payload;
        return "DATA " + stream + end + " " + std::to_string(payload.size());
      case H2FrameType::kHeaders:
        CHECK(head.Has(kH2EndHeaders));
        return "HEADERS " + stream + end + Fields(payload);
      case H2FrameType::kRstStream:
        return "RST " + stream + " " + std::to_string(NumberAt(payload, 0));
      case H2FrameType::kSettings:
        return head.Has(kH2Ack) ? "SETTINGS ack" : "SETTINGS";
      case H2FrameType::kPing:
        return head.Has(kH2Ack) ? "PING ack" : "PING";
      case H2FrameType::kGoaway:
        return "GOAWAY " + std::to_string(NumberAt(payload, 0)) + " " + std::to_string(NumberAt(payload, 4)) +
               " " + payload.substr(8);
      case H2FrameType::kWindowUpdate:
        return "WINDOW " + stream + " " + std::to_string(NumberAt(payload, 0));
      default:
        return "frame of type " + std::to_string(static_cast<int>(head.type));
    }
  }

  std::string Fields(const std::string& block) {
    std::string out;
    auto* at = reinterpret_cast<uint8_t*>(const_cast<char*>(block.data()));
    size_t left = block.size();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      CHECK(used >= 0);
      at += used;
      left -= static_cast<size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        out += " " + std::string(reinterpret_cast<char*>(field.name), field.namelen) + "=" +
               std::string(reinterpret_cast<char*>(field.value), field.valuelen);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return out;
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string pending_;
  std::string payload_;
};

}  // namespace gatebook::http
