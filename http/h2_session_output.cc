// The output of H2Session: see h2_session.cc.
//
// The end of a message is told by a flag, and often known only after the last payload was
// framed. An empty DATA frame would do, but the library sends none while a window is closed,
// although none is needed (RFC 9113 §6.9). So the end is handed to it as trailers without a
// field, which no window holds up; of the empty HEADERS frame that it makes, an empty DATA
// frame is made, or the flag is set on the DATA frame before, if nobody has seen that yet.
#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/check.h"
#include "http/characters.h"
#include "http/field_table.h"
#include "http/h2_library.h"
#include "http/h2_session.h"

namespace gatebook::http {
namespace {

void PutUint32(uint32_t value, char* to) {
  for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<char>(value >> shift);
}

std::string_view TextOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

uint8_t* BytesOf(std::string_view text) {
  // The library's lists are not const, and are not written to.
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

size_t NameBytes(std::span<const Field> fields) {
  size_t size = 0;
  for (const Field& field : fields) size += field.name.size();
  return size;
}

}  // namespace

std::string_view H2Session::Output() {
  patchable_stream_ = 0;
  return output_.data();
}

void H2Session::DropOutput(size_t bytes) {
  output_.Consume(bytes);
  output_.ReleaseIfEmpty();
  // In the order of frames it would be exact; what matters is that a peer who reads nothing is noticed.
  control_pending_ -= std::min(control_pending_, bytes);
}

void H2Session::Pump() {
  while (true) {
    const uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(library_.get(), &bytes);
    if (size == 0) return;
    if (size < 0) {
      if (!pending_end_) pending_end_ = H2End::kInternal;
      return;
    }
    AppendFrame(TextOf(bytes, static_cast<size_t>(size)));
  }
}

void H2Session::AppendFrame(std::string_view frame) {
  if (ending_ != 0 && frame.size() == kH2FrameHeadSize) {
    H2FrameHead head = ParseFrameHead(frame);
    if (head.type == H2FrameType::kHeaders && head.length == 0 && head.stream == ending_) {
      if (PatchEnd(ending_)) return;
      char data[kH2FrameHeadSize] = {0, 0, 0, static_cast<char>(H2FrameType::kData), kH2EndStream};
      PutUint32(static_cast<uint32_t>(head.stream), data + 5);
      output_.Append({data, sizeof data});
      patchable_stream_ = 0;
      return;
    }
  }
  output_.Append(frame);
  patchable_stream_ = 0;
}

bool H2Session::PatchEnd(int32_t id) {
  if (patchable_stream_ != id) return false;
  CHECK(output_.size() >= patchable_size_);
  char* head = output_.room().data() - patchable_size_;
  head[4] = static_cast<char>(head[4] | kH2EndStream);
  patchable_stream_ = 0;
  return true;
}

void H2Session::OnFrameSent(int32_t id, H2FrameType type, uint8_t flags, uint32_t code) {
  switch (type) {
    case H2FrameType::kData:
      limits_.OnDataSent();
      [[fallthrough]];
    case H2FrameType::kHeaders:
      if ((flags & kH2EndStream) != 0) {
        if (H2Stream* stream = Find(id)) stream->ended = true;
      }
      break;
    case H2FrameType::kRstStream:
      if (!own_reset_) Charge(H2Budget::kProvokedReset);
      // Beyond their number the library refuses streams without having read anything of them.
      if (code == NGHTTP2_REFUSED_STREAM && options_.role == H2Role::kServer && id > last_begun_) {
        events_.push_back(
            {.kind = Event::Kind::kRefused, .id = id, .fault = {Refusal::kTooManyStreams, true}});
      }
      // RFC 9113 §6.9.2: where the library only resets the streams that a setting overflowed.
      if (code == NGHTTP2_FLOW_CONTROL_ERROR && frames_.head().type == H2FrameType::kSettings) {
        pending_end_ = H2End::kFlowControl;
      }
      break;
    case H2FrameType::kGoaway:
      if (code == NGHTTP2_NO_ERROR) break;
      goaway_sent_ = true;
      if (!pending_end_) pending_end_ = EndOf(static_cast<H2Error>(code));
      break;
    default:
      break;
  }
}

void H2Session::WriteGoaway(H2End end) {
  const H2EndInfo& info = InfoOf(end);
  if (goaway_sent_ || end == H2End::kDrained) return;
  constexpr size_t kFixed = 8;
  char head[kH2FrameHeadSize + kFixed] = {0, 0, static_cast<char>(kFixed + info.slug.size()),
                                          static_cast<char>(H2FrameType::kGoaway)};
  PutUint32(static_cast<uint32_t>(nghttp2_session_get_last_proc_stream_id(library_.get())),
            head + kH2FrameHeadSize);
  PutUint32(static_cast<uint32_t>(info.code), head + kH2FrameHeadSize + 4);
  output_.Append({head, sizeof head});
  output_.Append(info.slug);
  patchable_stream_ = 0;
}

// ---- field blocks: names in lower case in names_, all else where it is; made bytes before anyone returns
// ----

void H2Session::BeginFields(size_t name_bytes) {
  name_values_->list.clear();
  names_.clear();
  names_.reserve(name_bytes);  // so that what points into it stays
}

void H2Session::AddField(std::string_view name, std::string_view value) {
  name_values_->list.push_back({.name = BytesOf(name),
                                .value = BytesOf(value),
                                .namelen = name.size(),
                                .valuelen = value.size(),
                                .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
}

void H2Session::AddFields(std::span<const Field> fields) {
  for (const Field& field : fields) {
    const bool te_trailers = field.id == FieldId::kTe && options_.role == H2Role::kClient &&
                             base::EqualsIgnoreCase(field.value, "trailers");
    if ((field.hop_by_hop && !te_trailers) || field.id == FieldId::kHost) continue;
    if (!IsToken(field.name) || !IsFieldValue(field.value)) continue;
    const size_t begin = names_.size();
    for (const char c : field.name) names_.push_back(base::ToAsciiLower(c));
    AddField(std::string_view(names_).substr(begin), field.value);
  }
}

bool H2Session::SubmitHead(int32_t id, const ResponseHead& head, std::span<const Field> more, bool end) {
  H2Stream* stream = Find(id);
  if (stream == nullptr || stream->head_sent) return false;
  CHECK(head.status >= 100 && head.status <= 999 && head.status != 101);
  CHECK(options_.role == H2Role::kServer);
  char status[3];
  std::to_chars(status, status + sizeof status, head.status);
  char length[20];
  BeginFields(NameBytes(head.fields) + NameBytes(more));
  AddField(":status", {status, sizeof status});
  AddFields(head.fields);
  if (head.has_content_length) {
    const auto last = std::to_chars(length, length + sizeof length, head.content_length).ptr;
    AddField("content-length", {length, static_cast<size_t>(last - length)});
  }
  AddFields(more);
  const auto& list = name_values_->list;
  if (head.status < 200) {
    nghttp2_submit_headers(library_.get(), NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(), nullptr);
  } else {
    stream->head_sent = true;
    nghttp2_data_provider payload{.source = {.ptr = stream}, .read_callback = Callbacks::OnReadOffer};
    nghttp2_submit_response(library_.get(), id, list.data(), list.size(), end ? nullptr : &payload);
  }
  Pump();
  AfterEnd(*stream);
  return true;
}

std::optional<int32_t> H2Session::SubmitRequest(const H2Request& request, bool end) {
  CHECK(options_.role == H2Role::kClient);
  if (FreeStreams() == 0) return std::nullopt;
  BeginFields(NameBytes(request.fields) + NameBytes(request.more));
  AddField(":method", request.method);
  AddField(":scheme", request.scheme);
  AddField(":authority", request.authority);
  AddField(":path", request.path);
  if (!request.protocol.empty()) AddField(":protocol", request.protocol);
  AddFields(request.fields);
  AddFields(request.more);
  const auto& list = name_values_->list;
  auto stream = pool_.TakeStream();
  nghttp2_data_provider payload{.source = {.ptr = stream.get()}, .read_callback = Callbacks::OnReadOffer};
  const int32_t id = nghttp2_submit_request(library_.get(), nullptr, list.data(), list.size(),
                                            end ? nullptr : &payload, stream.get());
  if (id < 0) {
    pool_.Give(std::move(stream));
    return std::nullopt;
  }
  stream->id = id;
  stream->place = streams_.size();
  stream->request_method = MethodOf(request.method);
  stream->head_sent = true;
  stream->turn_left = kTurn;
  streams_.push_back(std::move(stream));
  Pump();
  return id;
}

bool H2Session::AllowsConnect() const {
  return nghttp2_session_get_remote_settings(library_.get(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

ResponseHead H2Session::KeepHead(int32_t id, H2HeadText& text) {
  // The library may have done with the stream already.
  const auto found = std::ranges::find(streams_, id, [](const auto& stream) { return stream->id; });
  CHECK(found != streams_.end() && (*found)->head_read);
  H2Stream& stream = **found;
  held_heads_ -= stream.text.size();
  text.text.clear();
  text.fields.clear();
  text.TakeOver(stream.text);
  ResponseHead head = stream.response;
  head.fields = text.fields;
  stream.response = {};
  return head;
}

bool H2Session::CanSubmit() const {
  return !end_ && !goaway_received_ && !drain_finishing_ &&
         nghttp2_session_check_request_allowed(library_.get()) != 0;
}

uint32_t H2Session::FreeStreams() const {
  if (!CanSubmit()) return 0;
  const uint32_t allowed =
      std::min(kStreamsMost,
               nghttp2_session_get_remote_settings(library_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
  const auto open = static_cast<uint32_t>(streams_.size());
  return open < allowed ? allowed - open : 0;
}

size_t H2Session::OfferData(int32_t id, std::string_view piece, bool end) {
  H2Stream* stream = Find(id);
  if (stream == nullptr || !stream->head_sent || stream->ended) return 0;
  if (piece.empty()) {
    if (end) End(id);
    return 0;
  }
  const bool others_wait = waiting_.size() > (stream->waiting ? 1U : 0U);
  const size_t most = others_wait ? std::min(piece.size(), stream->turn_left) : piece.size();
  size_t taken = 0;
  if (most > 0 && HasRoom()) {
    stream->offer = piece.substr(0, most);
    stream->offer_ends = end && most == piece.size();
    nghttp2_session_resume_data(library_.get(), id);
    Pump();
    taken = most - stream->offer.size();
    stream->offer = {};
    stream->turn_left -= std::min(stream->turn_left, taken);
  }
  if (taken < piece.size() && !stream->closed) Wait(*stream);
  AfterEnd(*stream);
  return taken;
}

void H2Session::Wait(H2Stream& stream) {
  if (stream.waiting) return;
  stream.waiting = true;
  waiting_.push_back(&stream);
}

void H2Session::End(int32_t id) {
  H2Stream* stream = Find(id);
  if (stream == nullptr || !stream->head_sent || stream->ended) return;
  ending_ = id;
  nghttp2_submit_trailer(library_.get(), id, nullptr, 0);
  Pump();
  ending_ = 0;
  AfterEnd(*stream);
}

void H2Session::SubmitTrailers(int32_t id, std::span<const Field> fields) {
  H2Stream* stream = Find(id);
  if (stream == nullptr || !stream->head_sent || stream->ended) return;
  BeginFields(NameBytes(fields));
  AddFields(fields);
  const auto& list = name_values_->list;
  if (list.empty()) return End(id);
  nghttp2_submit_trailer(library_.get(), id, list.data(), list.size());
  Pump();
  AfterEnd(*stream);
}

// RFC 9113 §8.1: a refused request's answer is whole, and nobody wants the rest of its body.
void H2Session::AfterEnd(H2Stream& stream) {
  if (stream.ended && stream.refused && !stream.peer_ended) Reset(stream.id, H2Error::kNoError);
}

}  // namespace gatebook::http
