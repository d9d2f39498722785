// The input of H2Session: see h2_session.cc.
#include <algorithm>

#include "base/check.h"
#include "http/body_reader.h"
#include "http/h2_library.h"
#include "http/h2_session.h"

namespace gatebook::http {
namespace {

// A field block that holds this many times what is accepted at all is an attack.
constexpr size_t kFloodFactor = 16;

}  // namespace

bool H2Session::Receive(std::string_view bytes, base::SteadyTime now) {
  now_ = now;
  std::string_view head;
  while (!end_ && !bytes.empty()) {
    if (preface_left_ > 0) {
      const std::string_view piece = bytes.substr(0, preface_left_);
      bytes.remove_prefix(piece.size());
      preface_left_ -= piece.size();
      Feed(piece);
      continue;
    }
    H2FrameReader::Step step = frames_.Next(bytes);
    if (step.kind == H2FrameReader::Step::Kind::kNeedMore) break;
    if (step.kind == H2FrameReader::Step::Kind::kHead) {
      if (const auto end = Judge(frames_.head())) {
        Finish(*end);
        DeliverEvents();
        break;
      }
      head = step.bytes;
      if (!step.last && !bytes.empty() && bytes.data() == head.data() + head.size()) {
        // The usual case: one call for head and payload.
        step = frames_.Next(bytes);
        step.bytes = {head.data(), head.size() + step.bytes.size()};
      }
    }
    Feed(step.bytes);
  }
  return !end_;
}

void H2Session::Feed(std::string_view bytes) {
  const auto result =
      nghttp2_session_mem_recv(library_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (result < 0 && !pending_end_) {
    pending_end_ = result == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? H2End::kBadPreface
                   : result == NGHTTP2_ERR_FLOODED        ? H2End::kControlQueue
                                                          : H2End::kInternal;
  }
  if (!pending_end_ && nghttp2_session_want_write(library_.get()) != 0) {
    const size_t before = output_.size();
    Pump();
    control_pending_ += output_.size() - before;
    if (control_pending_ > kControlMost && !pending_end_) pending_end_ = H2End::kControlQueue;
  }
  DeliverEvents();
  EndIfDue();
}

void H2Session::EndIfDue() {
  if (end_) return;
  // The library reads no more when a GOAWAY went either way and the last stream has closed.
  if (!pending_end_ && streams_.empty() && nghttp2_session_want_read(library_.get()) == 0) {
    pending_end_ = H2End::kDrained;
  }
  if (!pending_end_) return;
  Finish(*pending_end_);
  DeliverEvents();
}

// Before the library works on a frame, and so before the frame costs anything.
std::optional<H2End> H2Session::Judge(const H2FrameHead& frame) {
  // What an upstream resets are streams that we opened.
  const bool answer = options_.role == H2Role::kClient && frame.type == H2FrameType::kRstStream &&
                      Find(frame.stream) != nullptr;
  if (const auto end = answer ? std::nullopt : limits_.OnFrame(frame, now_)) return end;
  // RFC 9113 §6.3: the library no longer looks, since priorities mean nothing.
  if (frame.type == H2FrameType::kPriority && frame.stream == 0) return H2End::kProtocolError;
  if (frame.type != H2FrameType::kData && frame.type != H2FrameType::kHeaders) return std::nullopt;
  if (frame.stream == 0 || Find(frame.stream) != nullptr) return std::nullopt;
  // RFC 9113 §5.1.1. The library ignores it, for it does not remember which streams there were.
  if (frame.type == H2FrameType::kHeaders && options_.role == H2Role::kServer &&
      !numbering_.Admits(frame.stream)) {
    return H2End::kProtocolError;
  }
  // RFC 9113 §5.1, closed: whoever ended a stream can't have anything more to say on it. What
  // was under way when we reset it is pardonable, and bounded by the windows.
  if (departed_.Holds(frame.stream, true)) return H2End::kStreamClosed;
  const bool old = frame.stream <= nghttp2_session_get_last_proc_stream_id(library_.get());
  if (!old || drain_finishing_ || departed_.Holds(frame.stream, false)) return std::nullopt;
  return limits_.Charge(H2Budget::kGlitch, now_);
}

void H2Session::DeliverEvents() {
  if (delivering_) return;  // the loop below is at it
  delivering_ = true;
  for (size_t i = 0; i < events_.size(); ++i) {
    const Event event = events_[i];  // the list may grow
    Deliver(event);
  }
  events_.clear();
  delivering_ = false;
  if (block_ && !block_open_) pool_.Give(std::move(block_));
}

void H2Session::Deliver(const Event& event) {
  H2Stream* stream = event.stream;
  switch (event.kind) {
    case Event::Kind::kRequest:
      return handler_.OnRequest(stream->id, stream->request, stream->peer_ended);
    case Event::Kind::kRefused:
      return handler_.OnRefused(event.id, {.refusal = event.fault.refusal,
                                           .answerable = !event.fault.malformed,
                                           .method = block_ ? block_->refused_method() : std::string_view(),
                                           .target = block_ ? block_->refused_target() : std::string_view()});
    case Event::Kind::kInterim:
      return handler_.OnInterim(stream->id, passing_head_);
    case Event::Kind::kResponse:
      return handler_.OnResponse(stream->id, stream->response, stream->peer_ended);
    case Event::Kind::kData:
      if (!stream->reset) handler_.OnData(stream->id, event.piece);
      return;
    case Event::Kind::kTrailers:
      if (!stream->reset) handler_.OnTrailers(stream->id, passing_text_.fields);
      return;
    case Event::Kind::kEnd:
      if (!stream->reset) handler_.OnEnd(stream->id);
      return;
    case Event::Kind::kGoaway:
      return handler_.OnGoaway(event.id, event.code);
    case Event::Kind::kSettings:
      return handler_.OnSettings();
    case Event::Kind::kClosed:
      break;
  }
  if (!end_ && stream->held > 0) nghttp2_session_consume_connection(library_.get(), stream->held);
  handler_.OnClosed(stream->id, {.code = stream->close_code,
                                 .by_peer = stream->peer_reset,
                                 .connection = stream->by_connection,
                                 .refusal = stream->refusal});
  RemoveStream(*stream);
  if (!end_) Pump();
}

void H2Session::OnBlockBegin(int32_t id, bool first) {
  if (!block_) block_ = pool_.TakeFields();
  block_open_ = true;
  if (first) last_begun_ = id;
  const H2Stream* stream = first ? nullptr : Find(id);
  block_heeded_ = first || (stream != nullptr && !stream->refused && !stream->broken);
  using Kind = H2Fields::Kind;
  const Kind kind = first                                    ? Kind::kRequest
                    : stream != nullptr && stream->head_read ? Kind::kTrailers
                                                             : Kind::kResponse;
  HeadLimits limits = options_.limits;
  if (kind == Kind::kTrailers && options_.role == H2Role::kServer) {
    // As those of HTTP/1.
    limits.header_size =
        std::min<decltype(limits.header_size)>(limits.header_size, BodyReader::kTrailerSizeMost);
    limits.header_count =
        std::min<decltype(limits.header_count)>(limits.header_count, BodyReader::kTrailerCountMost);
  }
  block_->Begin(kind, limits, options_.scheme, options_.extended_connect);
}

bool H2Session::OnField(std::string_view name, std::string_view value) {
  if (!block_heeded_) return true;
  block_->Take(name, value);
  if (block_->fields_seen() <= kFloodFactor * options_.limits.header_count &&
      block_->bytes_seen() <= kFloodFactor * options_.limits.header_size) {
    return true;
  }
  pending_end_ = H2End::kFieldFlood;
  return false;
}

void H2Session::OnBlockEnd(int32_t id, bool ended) {
  block_open_ = false;
  H2Stream* stream = Find(id);
  if (!block_heeded_) {
    if (stream != nullptr && ended) OnPeerEnd(*stream);
    return;
  }
  switch (block_->kind()) {
    case H2Fields::Kind::kRequest:
      return EndRequest(id, ended);
    case H2Fields::Kind::kResponse:
      return EndResponse(*stream, ended);
    case H2Fields::Kind::kTrailers:
      return EndTrailers(*stream, ended);
  }
}

void H2Session::EndRequest(int32_t id, bool ended) {
  H2Stream& stream = AddStream(id);
  auto fault = block_->FinishRequest(ended, stream.text, stream.request);
  held_heads_ += stream.text.size();
  if (!fault && held_heads_ > kHeldMost) fault = H2Fault{Refusal::kHeadsHeld, true};
  if (fault) {
    held_heads_ -= stream.text.size();
    stream.text.text.clear();
    stream.text.fields.clear();
    return RefuseRequest(stream, *fault, ended);
  }
  stream.head_read = true;
  stream.peer_ended = ended;
  stream.has_length = stream.request.has_content_length;
  stream.length = stream.request.content_length;
  stream.turn_left = kTurn;
  events_.push_back({.kind = Event::Kind::kRequest, .stream = &stream});
}

void H2Session::RefuseRequest(H2Stream& stream, const H2Fault& fault, bool ended) {
  Charge(H2Budget::kGlitch);
  events_.push_back({.kind = Event::Kind::kRefused, .id = stream.id, .fault = fault});
  if (fault.malformed) {
    const bool may_come_again = fault.refusal == Refusal::kHeadsHeld;
    nghttp2_submit_rst_stream(library_.get(), NGHTTP2_FLAG_NONE, stream.id,
                              may_come_again ? NGHTTP2_REFUSED_STREAM : NGHTTP2_PROTOCOL_ERROR);
    nghttp2_session_set_stream_user_data(library_.get(), stream.id, nullptr);
    RemoveStream(stream);
    return;
  }
  stream.head_read = stream.refused = true;
  stream.peer_ended = ended;
  stream.turn_left = kTurn;
}

void H2Session::EndResponse(H2Stream& stream, bool ended) {
  ResponseHead head;
  const auto fault = block_->FinishResponse(ended, stream.request_method, passing_text_, head);
  if (fault) return Break(stream, Refusal::kUpstreamBadHead, ended);
  if (head.status < 200) {
    passing_head_ = head;
    events_.push_back({.kind = Event::Kind::kInterim, .stream = &stream});
    return;
  }
  // The views point into text that moves with its storage, but for what is short.
  CHECK(!block_->FinishResponse(ended, stream.request_method, stream.text, stream.response));
  held_heads_ += stream.text.size();
  stream.head_read = true;
  stream.peer_ended = ended;
  stream.has_length = stream.response.has_content_length || head.framing == Framing::kNone;
  stream.length = head.framing == Framing::kLength ? head.content_length : 0;
  events_.push_back({.kind = Event::Kind::kResponse, .stream = &stream});
}

void H2Session::EndTrailers(H2Stream& stream, bool ended) {
  // RFC 9113 §8.1: a second block of fields ends the message.
  if (!ended || block_->FinishTrailers(passing_text_)) return Break(stream, Refusal::kBadTrailer, ended);
  const bool whole = !stream.has_length || stream.received == stream.length;
  stream.trailers = passing_text_.size();
  held_heads_ += stream.trailers;
  if (options_.role == H2Role::kServer && held_heads_ > kHeldMost)
    return Break(stream, Refusal::kHeadsHeld, ended);
  if (whole) events_.push_back({.kind = Event::Kind::kTrailers, .stream = &stream});
  OnPeerEnd(stream);
}

void H2Session::OnPiece(int32_t id, std::string_view piece) {
  H2Stream* stream = Find(id);
  size_t good = 0;
  if (stream != nullptr && !stream->refused && !stream->broken) {
    if (!stream->head_read) {
      Break(*stream, Refusal::kUpstreamBadHead, false);
    } else {
      // What is within the length is told, however the rest arrives.
      good = stream->has_length
                 ? static_cast<size_t>(std::min<uint64_t>(piece.size(), stream->length - stream->received))
                 : piece.size();
      stream->received += good;
      stream->held += good;
      if (good > 0) {
        events_.push_back({.kind = Event::Kind::kData, .stream = stream, .piece = piece.substr(0, good)});
      }
      if (good < piece.size()) Break(*stream, Refusal::kLengthMismatch, false);
    }
  }
  if (good < piece.size()) nghttp2_session_consume(library_.get(), id, piece.size() - good);
}

void H2Session::OnPeerEnd(H2Stream& stream) {
  if (stream.broken) return;
  if (!stream.head_read) return Break(stream, Refusal::kUpstreamBadHead, true);
  if (!stream.refused && stream.has_length && stream.received != stream.length) {
    return Break(stream, Refusal::kLengthMismatch, true);
  }
  stream.peer_ended = true;
  if (!stream.refused) events_.push_back({.kind = Event::Kind::kEnd, .stream = &stream});
}

void H2Session::Break(H2Stream& stream, Refusal refusal, bool ended) {
  if (stream.broken) return;
  stream.broken = true;
  stream.refusal = refusal;
  if (ended && stream.ended) return;  // both sides have: there is nothing left to reset
  nghttp2_submit_rst_stream(library_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_PROTOCOL_ERROR);
}

void H2Session::OnLibraryClosed(int32_t id, uint32_t code) {
  H2Stream* stream = Find(id);
  departed_.Add(id, stream != nullptr && (stream->peer_ended || stream->peer_reset));
  if (stream == nullptr) return;
  stream->closed = true;
  stream->close_code = stream->broken ? static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR) : code;
  std::erase(waiting_, stream);
  if (code == NGHTTP2_NO_ERROR && stream->peer_ended && stream->ended && !stream->refused &&
      !stream->broken) {
    ++completed_;
    limits_.OnRequestDone();
  }
  events_.push_back({.kind = Event::Kind::kClosed, .stream = stream});
}

}  // namespace gatebook::http
