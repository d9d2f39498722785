#include "proxy/http2_upstream.h"

#include <algorithm>

#include "base/check.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using net::IoStatus;

// What one turn reads before others have theirs.
constexpr size_t kReadShare = 256 * 1024;
constexpr size_t kReadRoom = 16 * 1024;
// Likewise what it writes.
constexpr uint64_t kWriteShare = 1024 * 1024;
// Free storage for heads.
constexpr size_t kMostTexts = 256;
// Whoever gives an exchange up after so long, on a connection that was silent all the while, knows that
// there is nobody at its other end.
constexpr std::chrono::seconds kSilence{5};

http::H2Options OptionsFor(const http::HeadLimits& limits) {
  http::H2Options options;
  options.role = http::H2Role::kClient;
  options.limits = limits;
  return options;
}

}  // namespace

Http2Upstream::Http2Upstream(const Parts& parts, std::unique_ptr<UpstreamConnection> connection, User& user)
    : parts_(parts),
      user_(&user),
      connection_(std::move(connection)),
      session_(OptionsFor(parts.limits), parts.stores->h2, *this),
      fields_(parts.buffers),
      idle_timer_([this] { Retire(); }),
      end_of_turn_(parts.loop, [this] { Pump(); }) {
  connection_->SetUser(this);
  end_of_turn_.Arm();
}

Http2Upstream::~Http2Upstream() {
  CHECK(streams_.empty());
  if (resting_) parts_.metrics.Sub(Metric::kUpstreamIdle);
  connection_->SetUser(nullptr);
}

// ---- streams

UpstreamLease Http2Upstream::Open() {
  CHECK(HasRoom());
  idle_timer_.Cancel();
  if (std::exchange(resting_, false)) parts_.metrics.Sub(Metric::kUpstreamIdle);
  ++unbegun_;
  http::H2HeadText room;
  std::vector<http::H2HeadText>& texts = parts_.stores->texts;
  if (!texts.empty()) {
    room = std::move(texts.back());
    texts.pop_back();
  }
  streams_.push_back(parts_.stores->streams.Make(*this, parts_.buffers, std::move(room)));
  return UpstreamLease(streams_.back().get());
}

Http2UpstreamStream* Http2Upstream::Find(int32_t id) {
  for (const auto& stream : streams_) {
    if (stream->id() == id) return stream.get();
  }
  return nullptr;
}

void Http2Upstream::Remove(Http2UpstreamStream& stream, bool unanswered) {
  if (!stream.is_begun()) --unbegun_;
  if (unanswered && heard_at_ < stream.begun() && now() - stream.begun() >= kSilence) retired_ = true;
  const auto found = std::ranges::find(streams_, &stream, [](const auto& held) { return held.get(); });
  CHECK(found != streams_.end());
  http::H2HeadText room = stream.TakeText();
  std::vector<http::H2HeadText>& texts = parts_.stores->texts;
  if (room.text.capacity() <= http::H2Pool::kTextMost && texts.size() < kMostTexts)
    texts.push_back(std::move(room));
  std::swap(*found, streams_.back());
  streams_.pop_back();
  has_news_ = true;
  if (streams_.empty()) Rest();
  FlushSoon();
}

void Http2Upstream::Rest() {
  if (over_ || retired_) return;
  if (!std::exchange(resting_, true)) parts_.metrics.Add(Metric::kUpstreamIdle);
  idle_timer_.Arm(parts_.loop.timers(), now() + parts_.keep_alive);
}

void Http2Upstream::MakeReady(Http2UpstreamStream& stream) {
  if (!std::exchange(stream.is_ready, true)) ready_.push_back(stream.id());
}

void Http2Upstream::FlushSoon() {
  if (!pumping_) end_of_turn_.Arm();
}

// ---- what drives it

void Http2Upstream::Pump() {
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  size_t share = kReadShare / kReadRoom;
  const uint64_t write_end = written_ + kWriteShare;
  do {
    pump_again_ = false;
    TellStreams();
    Flush();
    while (!over_ && written_ < write_end && session_.Dispatch()) {
      TellStreams();
      Flush();
    }
    if (!over_ && written_ >= write_end && session_.IsDue()) end_of_turn_.Arm();
    if (!over_ && ReadSome()) {
      if (--share == 0) {
        end_of_turn_.Arm();
        break;
      }
      pump_again_ = true;
    }
  } while ((pump_again_ || !ready_.empty()) && !over_);
  pumping_ = false;
  if (!over_ && session_.IsOver()) {
    End(session_.end() == http::H2End::kDrained ? std::string_view() : http::InfoOf(session_.end()).meaning);
  }
  if (!over_ && retired_ && streams_.empty()) SayGoodbye();
  TellStreams();
  TellUser();
}

bool Http2Upstream::ReadSome() {
  if (session_.IsOver()) return false;
  base::Buffer& received = connection_->received();
  received.Reserve(kReadRoom);
  const auto result = connection_->stream().Read(received.room());
  if (result.status == IoStatus::kWouldBlock) {
    received.Release();
    return false;
  }
  if (result.status != IoStatus::kOk) {
    if (greeted_ && streams_.empty() && !retired_) parts_.metrics.Add(Metric::kUpstreamStale);
    // Exchanges that this breaks tell of it themselves.
    End(greeted_ ? "" : "it closed before it had said anything in HTTP/2");
    return false;
  }
  received.Commit(result.bytes);
  heard_at_ = now();
  session_.Receive(received.data(), now());
  received.Consume(received.size());
  return true;
}

void Http2Upstream::Flush() {
  while (!over_) {
    const std::string_view output = session_.Output();
    if (output.empty()) return;
    const auto result = connection_->stream().Write(output);
    if (result.status == IoStatus::kWouldBlock) return;
    // What came before the break is still to be read.
    if (result.status != IoStatus::kOk) return session_.DropOutput(output.size());
    written_ += result.bytes;
    session_.DropOutput(result.bytes);
  }
}

void Http2Upstream::TellStreams() {
  // Streams that get ready meanwhile come in the next round.
  telling_.swap(ready_);
  for (const int32_t id : telling_) {
    Http2UpstreamStream* const stream = Find(id);
    if (stream == nullptr) continue;
    stream->is_ready = false;
    stream->Tell();
  }
  telling_.clear();
}

void Http2Upstream::TellUser() {
  if (over_ && streams_.empty()) return user_->OnUpstreamFailed();
  if (greeted_ && std::exchange(has_news_, false)) user_->OnUpstreamReady();
}

// ---- from the session

void Http2Upstream::OnSettings() {
  greeted_ = has_news_ = true;
  Rest();
}

void Http2Upstream::OnInterim(int32_t id, const http::ResponseHead& head) {
  Http2UpstreamStream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->OnInterim(head);
  MakeReady(*stream);
}

void Http2Upstream::OnResponse(int32_t id, const http::ResponseHead&, bool ended) {
  Http2UpstreamStream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->OnResponse(ended);
  MakeReady(*stream);
}

void Http2Upstream::OnData(int32_t id, std::string_view piece) {
  Http2UpstreamStream* const stream = Find(id);
  if (stream == nullptr) return session_.Consume(id, piece.size());
  stream->OnData(piece);
  MakeReady(*stream);
}

void Http2Upstream::OnTrailers(int32_t id, std::span<const http::Field> fields) {
  if (Http2UpstreamStream* const stream = Find(id)) stream->OnTrailers(fields);
}

void Http2Upstream::OnEnd(int32_t id) {
  Http2UpstreamStream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->OnEnd();
  MakeReady(*stream);
}

void Http2Upstream::OnClosed(int32_t id, const http::H2Closing& closing) {
  has_news_ = true;
  Http2UpstreamStream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->OnClosed(closing);
  MakeReady(*stream);
}

void Http2Upstream::OnWritable(int32_t id) {
  if (Http2UpstreamStream* const stream = Find(id)) MakeReady(*stream);
}

void Http2Upstream::OnGoaway(int32_t, uint32_t code) {
  retired_ = true;
  if (code != static_cast<uint32_t>(http::H2Error::kNoError)) failure_ = "it ended HTTP/2 with an error";
}

// ---- the end

void Http2Upstream::Retire() {
  retired_ = true;
  FlushSoon();
}

void Http2Upstream::SayGoodbye() {
  session_.FinishDrain();
  Flush();
  connection_->stream().ShutdownWrite();
  End(failure_);
}

void Http2Upstream::End(std::string_view why) {
  if (std::exchange(over_, true)) return;
  idle_timer_.Cancel();
  if (failure_.empty()) failure_ = why;
  if (std::exchange(resting_, false)) parts_.metrics.Sub(Metric::kUpstreamIdle);
  http::H2Closing broken;
  broken.connection = true;
  for (auto& stream : streams_) {
    stream->OnClosed(broken);
    MakeReady(*stream);
  }
  end_of_turn_.Arm();
}

}  // namespace gatebook::proxy
