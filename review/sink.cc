#include "review/sink.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/thread.h"

namespace gatebook::review {
namespace {

using base::Metric;
using namespace std::chrono_literals;

// Visits looked at in a turn of the loop, so that what others want of it is heard.
constexpr size_t kMostATurn = 2048;
// A sink that is blocked when it is to end gets no more than this.
constexpr auto kEndWhileBlocked = 500ms;

}  // namespace

base::Result<std::unique_ptr<Sink>> Sink::Make(Parts parts) {
  auto line = SinkLine::Make(parts.config, parts.edge, parts.keep);
  if (!line.ok()) return line.error();
  std::unique_ptr<Sink> sink(new Sink(std::move(parts), std::move(line).value()));
  if (auto made = sink->MakeWriter(); !made.ok()) return made.error();
  return sink;
}

Sink::Sink(Parts parts, SinkLine line)
    : parts_(std::move(parts)),
      line_(std::move(line)),
      second_([this] { OnSecond(); }),
      stop_([this] { loop_.Stop(); }) {
  published_.name = parts_.config.name;
}

Sink::~Sink() {
  if (thread_.joinable()) {
    BeginEnd(base::SteadyTime::min());
    Join();
  }
}

base::Status Sink::MakeWriter() {
  auto writer = MakeSinkWriter({loop_, parts_.config, parts_.keep, parts_.clock, parts_.metrics,
                                static_cast<SinkWriter::Handler&>(*this)});
  if (!writer.ok()) return writer.error();
  writer_ = std::move(writer).value();
  return {};
}

void Sink::Start() {
  CHECK(!thread_.joinable());
  thread_ = base::StartThread(
      "gb:" + parts_.config.name,
      [this] {
        second_.Arm(loop_.timers(), loop_.now() + 1s);
        writer_->Start();
        Publish();
        loop_.Run();
        // Gauges are of what runs.
        SetBlocked("");
        ended_.store(true, std::memory_order_release);
      },
      base::Niceness::kBehindWorkers);
}

size_t Sink::Give(std::span<const ToldVisitPtr> visits) {
  size_t taken;
  bool post;
  {
    const std::lock_guard lock(mutex_);
    taken =
        std::min(visits.size(), parts_.config.queue - std::min<size_t>(parts_.config.queue, queue_.size()));
    queue_.insert(queue_.end(), visits.begin(), visits.begin() + static_cast<ptrdiff_t>(taken));
    left_out_ += visits.size() - taken;
    post = taken != 0 && !std::exchange(posted_, true);
  }
  if (post) loop_.Post([this] { Pump(); });
  return visits.size() - taken;
}

void Sink::Reopen() {
  loop_.Post([this] {
    writer_->Reopen(outbox_);
    Pump();
  });
}

std::future<void> Sink::Erase(std::shared_ptr<const logger::ErasureList> erasures) {
  const auto done = std::make_shared<std::promise<void>>();
  loop_.Post([this, done, erasures = std::move(erasures)] {
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(queue_, [&](const ToldVisitPtr& visit) { return IsErased(*visit, *erasures); });
    }
    writer_->CloseFile(outbox_);
    outbox_.Erase(*erasures);
    done->set_value();
  });
  return done->get_future();
}

void Sink::BeginEnd(base::SteadyTime deadline) {
  loop_.Post([this, deadline] {
    stopping_ = true;
    const base::SteadyTime now = loop_.now();
    stop_.Arm(loop_.timers(),
              std::max(now, blocked_.empty() ? deadline : std::min(deadline, now + kEndWhileBlocked)));
    Pump();
  });
}

void Sink::Join() {
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  const size_t left = queue_.size() + outbox_.size();
  if (left == 0) return;
  parts_.metrics.Add(Metric::kSinkVisitsDropped, left);
  base::LogWarning("sink", "{}: {} visits could not be written before the end", parts_.config.name, left);
  queue_.clear();
}

SinkState Sink::state() const {
  const std::lock_guard lock(mutex_);
  SinkState state = published_;
  state.queued = queue_.size();
  state.left_out = left_out_;
  return state;
}

void Sink::OnWriterReady() {
  // A writer may say so from inside Write().
  if (!pumping_) Pump();
}

void Sink::Pump() {
  pumping_ = true;
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
  }
  bool more = true;
  for (size_t looked = 0; more && looked < kMostATurn; looked += 256) {
    more = Fill();
    const size_t before = outbox_.size();
    Count(writer_->Write(outbox_));
    if (outbox_.size() == before && outbox_.IsFull()) more = false;  // the handler is called
  }
  pumping_ = false;
  const std::string& trouble = writer_->trouble();
  if (trouble.empty() && outbox_.IsEmpty()) {
    if (!blocked_.empty()) SetBlocked("");
  } else if (!trouble.empty()) {
    SetBlocked(trouble);
  }
  if (more) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(posted_, true)) loop_.Post([this] { Pump(); });
  }
  StopIfDone();
}

bool Sink::Fill() {
  std::deque<ToldVisitPtr> taken;
  const base::WallTime now = parts_.clock.SureNow();
  while (!outbox_.IsFull()) {
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      const auto end = queue_.begin() + static_cast<ptrdiff_t>(std::min<size_t>(queue_.size(), 64));
      taken.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
    }
    for (ToldVisitPtr& visit : taken) {
      SinkOutbox::Message message;
      if (!line_.Append(*visit, now, &message.bytes)) {
        parts_.metrics.Add(Metric::kSinkVisitsFiltered);
        continue;
      }
      message.visit = std::move(visit);
      outbox_.Add(std::move(message));
    }
  }
  return true;
}

void Sink::Count(const SinkWriter::Progress& progress) {
  moved_ += progress.written + progress.refused;
  if (progress.written != 0) parts_.metrics.Add(Metric::kSinkVisits, progress.written);
  if (progress.refused != 0) parts_.metrics.Add(Metric::kSinkVisitsDropped, progress.refused);
  written_ += progress.written;
}

void Sink::OnSecond() {
  second_.Arm(loop_.timers(), loop_.now() + 1s);
  writer_->Housekeep();
  Pump();
  // Nothing has moved for a second, and nobody says why.
  if (writer_->trouble().empty() && !outbox_.IsEmpty()) {
    SetBlocked(moved_ == moved_before_ ? "nothing is taken" : "");
  }
  moved_before_ = moved_;
  Publish();
}

void Sink::SetBlocked(const std::string& why) {
  if (blocked_ == why) return;
  parts_.metrics.Set(Metric::kSinksBlocked, why.empty() ? 0 : 1);
  uint64_t left_out;
  {
    const std::lock_guard lock(mutex_);
    left_out = left_out_;
  }
  if (blocked_.empty()) {
    left_out_before_ = left_out;
    base::LogWarning("sink", "{}: blocked: {}", parts_.config.name, why);
  } else if (why.empty() && !stopping_) {
    base::LogInfo("sink", "{}: goes on; {} visits were left out", parts_.config.name,
                  left_out - left_out_before_);
  }
  blocked_ = why;
  Publish();
}

void Sink::Publish() {
  const std::lock_guard lock(mutex_);
  published_.state = blocked_.empty() ? "ok" : "blocked: " + blocked_;
  published_.written = written_;
}

void Sink::StopIfDone() {
  if (!stopping_ || !outbox_.IsEmpty()) return;
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) stop_.Arm(loop_.timers(), loop_.now());
}

}  // namespace gatebook::review
