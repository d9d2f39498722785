// What the files of H2Session share of the library behind it. Nobody else includes this.
//
// Thread: the tables are made once and never changed.
#pragma once

#include <nghttp2/nghttp2.h>

#include <string_view>
#include <vector>

#include "http/h2_session.h"

namespace gatebook::http {

struct H2Session::NameValues {
  std::vector<nghttp2_nv> list;
};

struct H2Session::Callbacks {
  static const nghttp2_session_callbacks* All();
  static const nghttp2_option* Options();
  // Where the library asks for payload (OfferData).
  static ssize_t OnReadOffer(nghttp2_session* session, int32_t id, uint8_t* into, size_t most,
                             uint32_t* flags, nghttp2_data_source* source, void* self);

 private:
  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags, void* self);
  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int OnDataChunk(nghttp2_session* session, uint8_t flags, int32_t id, const uint8_t* data,
                         size_t size, void* self);
  static int OnStreamClose(nghttp2_session* session, int32_t id, uint32_t code, void* self);
  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int OnSendData(nghttp2_session* session, nghttp2_frame* frame, const uint8_t* head, size_t size,
                        nghttp2_data_source* source, void* self);
};

}  // namespace gatebook::http
