#include "proxy/http2_connection.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "proxy/linger.h"

namespace gatebook::proxy {
namespace {

using base::Metric;
using http::Refusal;
using net::IoStatus;

// What one turn reads before others have theirs.
constexpr size_t kReadShare = 256 * 1024;
constexpr size_t kReadRoom = 16 * 1024;
// Likewise what it writes: a client that takes everything at once would have the worker for itself.
constexpr uint64_t kWriteShare = 1024 * 1024;
// Between the first and the last word of a graceful end: a long round trip (RFC 9113 §6.8).
constexpr std::chrono::seconds kDrainRoundTrip{1};

http::H2Options OptionsFor(const WorkerContext& context) {
  http::H2Options options;
  options.limits = context.generation->head_limits;
  return options;
}

}  // namespace

Http2Connection::Http2Connection(WorkerContext& context, Owner& owner, Arrival arrival)
    : ClientConnection(context, owner, std::move(arrival.seat)),
      facts_(std::move(arrival.facts)),
      stream_(std::move(arrival.stream)),
      session_(OptionsFor(context), context.h2_pool, *this),
      received_(context.buffers),
      idle_timer_([this] { OnIdle(); }),
      head_timer_([this] {
        session_.GiveUpHead();
        Pump();
      }),
      body_timer_([this] { OnBodySpan(); }),
      write_timer_([this] { OnWriteSpan(); }),
      end_of_turn_(context.loop, [this] { Pump(); }) {
  stream_->SetHandler(*this);
  context_.metrics.Add(Metric::kH2ConnectionsOpen);
}

Http2Connection::~Http2Connection() {
  streams_.clear();
  context_.metrics.Sub(Metric::kH2ConnectionsOpen);
}

void Http2Connection::Begin() {
  // A client that connects means to ask.
  idle_timer_.Arm(context_.loop.timers(),
                  context_.loop.now() + context_.generation->config.timeouts.request_header);
  Pump();
}

// ---- what drives it

void Http2Connection::Pump() {
  if (closed_) return;
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  if (lingering_) return Linger();
  pumping_ = true;
  size_t share = kReadShare / kReadRoom;
  const uint64_t write_end = written_ + kWriteShare;
  do {
    pump_again_ = false;
    PumpStreams();
    Flush();
    while (!closed_ && written_ < write_end && session_.Dispatch()) {
      PumpStreams();
      Flush();
    }
    if (closed_) break;
    if (written_ >= write_end && session_.IsDue()) end_of_turn_.Arm();
    if (ReadSome()) {
      if (--share == 0) {
        end_of_turn_.Arm();
        break;
      }
      pump_again_ = true;
    }
  } while (pump_again_ && !closed_);
  pumping_ = false;
  if (closed_) return;
  if (!ready_.empty()) end_of_turn_.Arm();
  WatchHead();
  EndIfOver();
}

bool Http2Connection::ReadSome() {
  // Who does not take answers is not asked for more to answer.
  if (session_.IsOver() || !session_.HasRoom()) return false;
  received_.Reserve(kReadRoom);
  const auto result = stream_->Read(received_.room());
  if (result.status == IoStatus::kWouldBlock) {
    received_.Release();
    return false;
  }
  if (result.status != IoStatus::kOk) {
    Close(streams_.empty() ? CloseReason::kClientClosed : CloseReason::kClientAborted);
    return false;
  }
  received_.Commit(result.bytes);
  const bool goes_on = session_.Receive(received_.data(), context_.loop.now());
  received_.Consume(received_.size());
  if (!goes_on) NoteEnd();
  return true;
}

void Http2Connection::NoteEnd() {
  if (std::exchange(end_noted_, true)) return;
  context_.h2_ends.Count(session_.end());
  if (session_.end() != http::H2End::kDrained) reason_ = CloseReason::kHttp2Broken;
}

void Http2Connection::PumpStreams() {
  // Streams that get ready meanwhile come in the next round.
  pumping_ids_.swap(ready_);
  for (const int32_t id : pumping_ids_) {
    Http2Stream* const stream = Find(id);
    if (stream == nullptr) continue;
    stream->is_ready = false;
    stream->Pump();
  }
  pumping_ids_.clear();
}

void Http2Connection::MakeReady(Http2Stream& stream) {
  if (!std::exchange(stream.is_ready, true)) ready_.push_back(stream.id());
  if (!pumping_) end_of_turn_.Arm();
}

void Http2Connection::FlushSoon() {
  if (!pumping_) end_of_turn_.Arm();
}

void Http2Connection::Flush() {
  while (true) {
    const std::string_view output = session_.Output();
    if (output.empty()) break;
    const auto result = stream_->Write(output);
    if (result.status == IoStatus::kWouldBlock) break;
    if (result.status != IoStatus::kOk) return Close(CloseReason::kClientAborted);
    written_ += result.bytes;
    session_.DropOutput(result.bytes);
  }
  blocked_ = session_.HasOutput() || stream_->HasUnsent();
  if (blocked_) ArmSpan(write_timer_, context_.generation->config.timeouts.write_idle);
}

void Http2Connection::EndIfOver() {
  if (!session_.IsOver()) return;
  NoteEnd();
  head_timer_.Cancel();
  if (session_.HasOutput()) return;
  stream_->ShutdownWrite();
  write_timer_.Cancel();
  body_timer_.Cancel();
  lingering_ = true;
  idle_timer_.Arm(context_.loop.timers(), context_.loop.now() + kLinger);
  Linger();
}

void Http2Connection::Linger() {
  switch (ReadAway(*stream_, lingered_)) {
    case Lingering::kForNews:
      return;
    case Lingering::kForTurn:
      return end_of_turn_.Arm();
    case Lingering::kOver:
      return Close(reason_);
  }
}

// ---- from the session

Http2Stream& Http2Connection::AddStream(int32_t id, std::shared_ptr<Generation> generation) {
  // While draining it is the round trip's, whatever is still asked meanwhile.
  if (!draining_) idle_timer_.Cancel();
  ArmSpan(body_timer_, generation->config.timeouts.body_idle);
  ArmSpan(write_timer_, generation->config.timeouts.write_idle);
  streams_.push_back(context_.h2_streams.Make(*this, id, std::move(generation)));
  return *streams_.back();
}

Http2Stream* Http2Connection::Find(int32_t id) {
  for (const auto& stream : streams_) {
    if (stream->id() == id) return stream.get();
  }
  return nullptr;
}

void Http2Connection::RemoveStream(int32_t id) {
  for (auto& stream : streams_) {
    if (stream->id() != id) continue;
    std::swap(stream, streams_.back());
    streams_.pop_back();
    break;
  }
  if (streams_.empty()) ArmIdle();
}

void Http2Connection::OnRequest(int32_t id, const http::RequestHead& head, bool ended) {
  context_.metrics.Add(Metric::kRequests);
  const auto& generation = context_.generation;
  ++requests_;
  const uint32_t most = generation->config.limits.requests_per_connection;
  if (most != 0 && requests_ >= most) BeginDrain();
  AddStream(id, generation).Begin({.head = &head}, ended);
}

void Http2Connection::OnRefused(int32_t id, const http::H2Refused& refused) {
  http::RequestHead known;
  known.method = http::MethodOf(refused.method);
  known.method_text = refused.method;
  known.target = refused.target;
  known.path = refused.target.substr(0, refused.target.find('?'));
  // Its visit is written here and now, and nobody looks at the head afterwards, when the answer waits for the
  // disk.
  AddStream(id, context_.generation).Begin({.head = &known, .refusal = refused.refusal}, false);
  Http2Stream* const stream = Find(id);
  stream->Pump();
  if (!refused.answerable) RemoveStream(id);
}

void Http2Connection::OnData(int32_t id, std::string_view piece) {
  Http2Stream* const stream = Find(id);
  if (stream == nullptr) return session_.Consume(id, piece.size());
  stream->OnBody(piece);
  MakeReady(*stream);
}

void Http2Connection::OnTrailers(int32_t id, std::span<const http::Field> fields) {
  if (Http2Stream* const stream = Find(id)) stream->OnTrailers(fields);
}

void Http2Connection::OnEnd(int32_t id) {
  Http2Stream* const stream = Find(id);
  if (stream == nullptr) return;
  stream->OnBodyEnd();
  MakeReady(*stream);
}

void Http2Connection::OnClosed(int32_t id, const http::H2Closing& closing) {
  Http2Stream* const stream = Find(id);
  if (stream == nullptr) return;
  // What the client left of its own accord is no refusal; what its frames broke is.
  std::optional<Refusal> refusal = closing.refusal;
  if (!refusal && closing.connection && session_.end() != http::H2End::kDrained) {
    refusal = Refusal::kConnectionBroken;
  } else if (!refusal && !closing.connection && !closing.by_peer && closing.code != 0) {
    refusal = Refusal::kStreamBroken;
  }
  stream->OnGone(refusal);
  RemoveStream(id);
}

void Http2Connection::OnWritable(int32_t id) {
  if (Http2Stream* const stream = Find(id)) MakeReady(*stream);
}

void Http2Connection::OnJournalFlushed() {
  for (auto& stream : streams_) MakeReady(*stream);
}

// ---- time, and the end

void Http2Connection::ArmIdle() {
  if (closed_ || draining_) return;
  idle_timer_.Arm(context_.loop.timers(),
                  context_.loop.now() + context_.generation->config.timeouts.keep_alive);
}

// From its first bytes to its last, as of HTTP/1.
void Http2Connection::WatchHead() {
  const int32_t id = session_.IsOver() ? 0 : session_.HeadUnderWay();
  if (id == head_watched_) return;
  head_watched_ = id;
  if (id == 0) return head_timer_.Cancel();
  head_timer_.Arm(context_.loop.timers(),
                  context_.loop.now() + context_.generation->config.timeouts.request_header);
}

void Http2Connection::OnIdle() {
  if (lingering_) return Close(reason_);
  if (!draining_ && head_timer_.IsArmed()) return ArmIdle();  // it has its own time
  if (!std::exchange(draining_, true)) {
    reason_ = CloseReason::kKeepAliveTimeout;
    session_.BeginDrain();
  }
  session_.FinishDrain();
  Pump();
}

void Http2Connection::Drain() {
  reason_ = CloseReason::kDrained;
  BeginDrain();
}

void Http2Connection::BeginDrain() {
  if (std::exchange(draining_, true)) return;
  session_.BeginDrain();
  idle_timer_.Arm(context_.loop.timers(), context_.loop.now() + kDrainRoundTrip);
  FlushSoon();
}

void Http2Connection::ArmSpan(net::Timer& timer, std::chrono::milliseconds span) {
  if (!timer.IsArmed()) timer.Arm(context_.loop.timers(), context_.loop.now() + span);
}

void Http2Connection::OnBodySpan() {
  const config::Config& config = context_.generation->config;
  for (auto& stream : streams_) stream->JudgeReading(config.limits.min_rate);
  if (!streams_.empty()) ArmSpan(body_timer_, config.timeouts.body_idle);
  FlushSoon();
}

void Http2Connection::OnWriteSpan() {
  const config::Config& config = context_.generation->config;
  const uint64_t least = config.limits.min_rate;
  if (blocked_) {
    const uint64_t taken = TakenByClient();
    if (was_blocked_ && taken < taken_mark_ + least) return Close(CloseReason::kWriteTimeout);
    taken_mark_ = taken;
  }
  was_blocked_ = blocked_;
  for (auto& stream : streams_) stream->JudgeWriting(least);
  if (!streams_.empty() || blocked_) ArmSpan(write_timer_, config.timeouts.write_idle);
  FlushSoon();
}

// What we wrote less what still stands in the stream and in the kernel.
uint64_t Http2Connection::TakenByClient() const {
  int queued = 0;
  if (ioctl(stream_->fd(), SIOCOUTQ, &queued) != 0) queued = 0;
  const uint64_t waiting = stream_->unsent_size() + static_cast<uint64_t>(queued);
  return written_ > waiting ? written_ - waiting : 0;
}

void Http2Connection::Close(CloseReason reason) {
  if (std::exchange(closed_, true)) return;
  idle_timer_.Cancel();
  head_timer_.Cancel();
  body_timer_.Cancel();
  write_timer_.Cancel();
  std::optional<Refusal> refusal;
  if (reason == CloseReason::kWriteTimeout) refusal = Refusal::kWriteTimeout;
  for (auto& stream : streams_) stream->OnGone(refusal);
  TellClosed(reason);
}

}  // namespace gatebook::proxy
