#include "http/h2_library.h"

#include <memory>
#include <utility>

#include "base/check.h"

namespace gatebook::http {
namespace {

H2Session& Self(void* self) { return *static_cast<H2Session*>(self); }

std::string_view TextOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

const nghttp2_session_callbacks* H2Session::Callbacks::All() {
  static const auto* const all = [] {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnDataChunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, OnFrameSent);
    nghttp2_session_callbacks_set_send_data_callback(made, OnSendData);
    return made;
  }();
  return all;
}

const nghttp2_option* H2Session::Callbacks::Options() {
  static const auto* const options = [] {
    nghttp2_option* made = nullptr;
    CHECK(nghttp2_option_new(&made) == 0);
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_http_messaging(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    // What is received within limits.header_size can be sent; above its own limit the library drops a head
    // silently.
    constexpr size_t kMostFieldBlock = 2 * 1024 * 1024;
    nghttp2_option_set_max_send_header_block_length(made, kMostFieldBlock);
    return made;
  }();
  return options;
}

int H2Session::Callbacks::OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  const bool first = frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  Self(self).OnBlockBegin(frame->hd.stream_id, first);
  return 0;
}

int H2Session::Callbacks::OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name,
                                   size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                                   void* self) {
  const bool well = Self(self).OnField(TextOf(name, name_size), TextOf(value, value_size));
  return well ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

int H2Session::Callbacks::OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  H2Session& us = Self(self);
  const bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  auto* stream = static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
  switch (frame->hd.type) {
    case NGHTTP2_DATA:
      // Padding alone; unpadded emptiness was charged by the frame's head.
      if (!ended && frame->hd.length > 0 && frame->hd.length == frame->data.padlen)
        us.Charge(H2Budget::kEmpty);
      if (ended && stream != nullptr) us.OnPeerEnd(*stream);
      break;
    case NGHTTP2_HEADERS:
      us.OnBlockEnd(frame->hd.stream_id, ended);
      break;
    case NGHTTP2_RST_STREAM:
      if (stream != nullptr) stream->peer_reset = true;
      break;
    case NGHTTP2_SETTINGS:
      if (us.options_.role == H2Role::kClient && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0 &&
          !std::exchange(us.settings_received_, true)) {
        us.events_.push_back({.kind = Event::Kind::kSettings});
      }
      break;
    case NGHTTP2_GOAWAY:
      us.goaway_received_ = true;
      us.events_.push_back({.kind = Event::Kind::kGoaway,
                            .id = frame->goaway.last_stream_id,
                            .code = frame->goaway.error_code});
      break;
    default:
      break;
  }
  return 0;
}

int H2Session::Callbacks::OnDataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                                      void* self) {
  Self(self).OnPiece(id, TextOf(data, size));
  return 0;
}

int H2Session::Callbacks::OnStreamClose(nghttp2_session*, int32_t id, uint32_t code, void* self) {
  Self(self).OnLibraryClosed(id, code);
  return 0;
}

int H2Session::Callbacks::OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  uint32_t code = 0;
  if (frame->hd.type == NGHTTP2_RST_STREAM) code = frame->rst_stream.error_code;
  if (frame->hd.type == NGHTTP2_GOAWAY) code = frame->goaway.error_code;
  Self(self).OnFrameSent(frame->hd.stream_id, static_cast<H2FrameType>(frame->hd.type), frame->hd.flags,
                         code);
  return 0;
}

ssize_t H2Session::Callbacks::OnReadOffer(nghttp2_session*, int32_t, uint8_t*, size_t most, uint32_t* flags,
                                          nghttp2_data_source* source, void* self) {
  const auto& stream = *static_cast<H2Stream*>(source->ptr);
  if (stream.offer.empty() || !Self(self).HasRoom()) return NGHTTP2_ERR_DEFERRED;
  const size_t size = std::min(most, stream.offer.size());
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (stream.offer_ends && size == stream.offer.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

int H2Session::Callbacks::OnSendData(nghttp2_session*, nghttp2_frame*, const uint8_t* head, size_t size,
                                     nghttp2_data_source* source, void* self) {
  H2Session& us = Self(self);
  auto& stream = *static_cast<H2Stream*>(source->ptr);
  us.output_.Reserve(kH2FrameHeadSize + size);
  us.AppendFrame(TextOf(head, kH2FrameHeadSize));
  us.output_.Append(stream.offer.substr(0, size));
  stream.offer.remove_prefix(size);
  us.patchable_stream_ = stream.id;
  us.patchable_size_ = kH2FrameHeadSize + size;
  return 0;
}

}  // namespace gatebook::http
