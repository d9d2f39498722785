// How the session stands between a careful caller and the library.
//
// Problem: nghttp2 calls back in the middle of its work, where most of its own functions may
// not be called; it works on a frame before one could object to it; and it wants to hold or
// to ask for payload later.
// Idea: bytes are cut into frames first, each is judged by its head (h2_limits), then the
// library is fed that one frame, what it tells is written down as events, what it has to say
// itself goes into the output, and only then the handler is told. So the handler may call
// anything, one frame's effects are whole before the next frame, and any split of the input
// gives the same calls. Whatever is submitted is made bytes at once: names, values and
// payload are never copied to wait anywhere.
// Rejected: the library's own checks of messages (see h2_fields.cc), its own scheduling (one
// stream at most has payload at any time; turns are given here), and its resets' budget.
#include "http/h2_session.h"

#include <algorithm>

#include "base/check.h"
#include "http/h2_library.h"

namespace gatebook::http {

void H2Session::LibraryEnd::operator()(nghttp2_session* session) const { nghttp2_session_del(session); }

H2Session::H2Session(const H2Options& options, H2Pool& pool, H2Handler& handler)
    : options_(options),
      pool_(pool),
      handler_(handler),
      output_(pool.buffers()),
      name_values_(std::make_unique<NameValues>()) {
  nghttp2_session* session = nullptr;
  const bool server = options_.role == H2Role::kServer;
  const auto make = server ? &nghttp2_session_server_new2 : &nghttp2_session_client_new2;
  CHECK(make(&session, Callbacks::All(), this, Callbacks::Options()) == 0);
  library_.reset(session);
  preface_left_ = server ? kH2Preface.size() : 0;
  SubmitSettings();
  Pump();
}

H2Session::~H2Session() {
  library_.reset();
  for (auto& stream : streams_) pool_.Give(std::move(stream));
  if (block_) pool_.Give(std::move(block_));
}

void H2Session::SubmitSettings() {
  std::vector<nghttp2_settings_entry> entries = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(options_.limits.header_size)},
  };
  if (options_.role == H2Role::kServer) {
    entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kStreamsMost});
    // Turns are ours to give: RFC 9113 §5.3.2, RFC 9218 §2.1.
    entries.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
    if (options_.extended_connect) entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  } else {
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  CHECK(nghttp2_submit_settings(library_.get(), NGHTTP2_FLAG_NONE, entries.data(), entries.size()) == 0);
  // Whoever reads one answer slowly may not hold up those of others.
  const int32_t window = options_.role == H2Role::kServer
                             ? kConnectionWindow
                             : static_cast<int32_t>(kStreamsMost) * kStreamWindow;
  CHECK(nghttp2_session_set_local_window_size(library_.get(), NGHTTP2_FLAG_NONE, 0, window) == 0);
}

H2Stream* H2Session::Find(int32_t id) const {
  if (end_) return nullptr;
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(library_.get(), id));
}

H2Stream& H2Session::AddStream(int32_t id) {
  streams_.push_back(pool_.TakeStream());
  H2Stream& stream = *streams_.back();
  stream.id = id;
  stream.place = streams_.size() - 1;
  nghttp2_session_set_stream_user_data(library_.get(), id, &stream);
  return stream;
}

void H2Session::RemoveStream(H2Stream& stream) {
  held_heads_ -= stream.text.size() + stream.trailers;
  const size_t place = stream.place;
  auto gone = std::move(streams_[place]);
  streams_[place] = std::move(streams_.back());
  streams_.pop_back();
  if (place < streams_.size()) streams_[place]->place = place;
  pool_.Give(std::move(gone));
}

void H2Session::Charge(H2Budget budget) {
  if (pending_end_) return;
  pending_end_ = limits_.Charge(budget, now_);
}

bool H2Session::Dispatch() {
  const bool told = !events_.empty();
  DeliverEvents();
  EndIfDue();
  if (end_) return told;
  bool woken = false;
  for (size_t turns = waiting_.size(); turns > 0 && !waiting_.empty() && HasRoom(); --turns) {
    H2Stream* stream = waiting_.front();
    waiting_.erase(waiting_.begin());
    stream->waiting = false;
    if (!HasWindow(stream->id)) {
      Wait(*stream);
      continue;
    }
    stream->turn_left = kTurn;
    woken = true;
    handler_.OnWritable(stream->id);
    DeliverEvents();
    if (end_) break;
  }
  return told || woken;
}

bool H2Session::IsDue() const {
  if (!events_.empty()) return true;
  if (end_ || !HasRoom()) return false;
  return std::ranges::any_of(waiting_, [this](const H2Stream* stream) { return HasWindow(stream->id); });
}

bool H2Session::HasWindow(int32_t id) const {
  return nghttp2_session_get_remote_window_size(library_.get()) > 0 &&
         nghttp2_session_get_stream_remote_window_size(library_.get(), id) > 0;
}

void H2Session::Consume(int32_t id, size_t bytes) {
  H2Stream* stream = Find(id);
  if (stream == nullptr) return;  // its bytes went back to the connection when it closed
  CHECK(bytes <= stream->held);
  stream->held -= bytes;
  if (bytes > 0) nghttp2_session_consume(library_.get(), id, bytes);
  Pump();
}

void H2Session::Reset(int32_t id, H2Error code) {
  H2Stream* stream = Find(id);
  if (stream == nullptr) return;
  stream->reset = true;
  own_reset_ = true;
  nghttp2_submit_rst_stream(library_.get(), NGHTTP2_FLAG_NONE, id, static_cast<uint32_t>(code));
  Pump();
  own_reset_ = false;
}

void H2Session::BeginDrain() {
  if (end_ || options_.role == H2Role::kClient) return;
  nghttp2_submit_shutdown_notice(library_.get());
  Pump();
}

void H2Session::FinishDrain() {
  if (end_ || drain_finishing_) return;
  drain_finishing_ = true;
  nghttp2_submit_goaway(library_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(library_.get()), NGHTTP2_NO_ERROR, nullptr,
                        0);
  Pump();
}

void H2Session::Abort(H2End end) {
  if (!end_) Finish(end);
}

int32_t H2Session::HeadUnderWay() const {
  const H2FrameType type = frames_.head().type;
  const bool begun =
      frames_.IsInPayload() && (type == H2FrameType::kHeaders || type == H2FrameType::kContinuation);
  return begun || block_open_ ? frames_.head().stream : 0;
}

void H2Session::GiveUpHead() {
  const int32_t id = HeadUnderWay();
  if (end_ || id == 0) return;
  const bool request = block_open_ ? block_->kind() == H2Fields::Kind::kRequest : Find(id) == nullptr;
  if (request) {
    events_.push_back({.kind = Event::Kind::kRefused, .id = id, .fault = {Refusal::kHeaderTimeout, true}});
  }
  Finish(H2End::kHeaderTimeout);
}

// Tells nobody: that is for DeliverEvents().
void H2Session::Finish(H2End end) {
  WriteGoaway(end);
  end_ = end;
  waiting_.clear();
  for (const auto& stream : streams_) {
    if (stream->closed) continue;
    stream->closed = stream->by_connection = true;
    stream->close_code = static_cast<uint32_t>(InfoOf(end).code);
    events_.push_back({.kind = Event::Kind::kClosed, .stream = stream.get()});
  }
}

bool H2Session::Numbering::Admits(int32_t id) {
  if (id <= newest_) return id <= gap_begin_ || id >= gap_end_;
  if (id > newest_ + 2) {
    gap_begin_ = newest_;
    gap_end_ = id;
  }
  newest_ = id;
  return true;
}

void H2Session::Departed::Add(int32_t id, bool ended_by_peer) {
  ids_[next_] = ended_by_peer ? id : -id;
  next_ = (next_ + 1) % ids_.size();
}

bool H2Session::Departed::Holds(int32_t id, bool ended_by_peer) const {
  return std::ranges::find(ids_, ended_by_peer ? id : -id) != ids_.end();
}

}  // namespace gatebook::http
