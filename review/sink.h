// Sink: visits written beside Redis, on a thread of their own.
//
// The recorder gives it visits, which wait in a bounded queue; the sink's thread picks out those that are for
// it, masks and forms them (review/sink_line.h) and writes them (review/sink_writer.h). A sink whose file,
// pipe or server takes nothing holds up nobody: its queue fills, what comes then is left out and counted, and
// state() says why. It goes on by itself when it can.
//
// Thread: Give by the recorder's; Make, Start, BeginEnd, Join by one; the rest any.
// Owns: its thread, loop and writer. Borrows: clock and metrics, until it is destroyed.
// Ends: BeginEnd, then Join: what is queued is written until the deadline, the rest is left out and counted.
// Limits: sink.queue visits wait, and a SinkOutbox of lines.
#pragma once

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "config/config.h"
#include "logger/erasures.h"
#include "net/loop.h"
#include "net/socket_event.h"
#include "review/sink_line.h"
#include "review/sink_outbox.h"
#include "review/sink_writer.h"

namespace gatebook::review {

// For `gatebook status`.
struct SinkState {
  std::string name;
  std::string state = "starting";  // "ok", "blocked: …"
  uint64_t queued = 0;             // visits that wait
  uint64_t written = 0;
  uint64_t left_out = 0;  // since it was started
};

class Sink final : private SinkWriter::Handler {
 public:
  struct Parts {
    config::Sink config;
    std::string edge;
    std::chrono::milliseconds keep;  // of files
    const base::Clock& clock;
    base::MetricsBlock& metrics;  // this thread's
  };
  // An error: one sentence that says what of the configuration can't be used.
  static base::Result<std::unique_ptr<Sink>> Make(Parts parts);
  ~Sink();

  void Start();
  // Returns how many of them were left out, because the queue is full.
  size_t Give(std::span<const ToldVisitPtr> visits);
  // USR1: a file is opened again by its name.
  void Reopen();
  // Nothing of what is erased is written any more, and what was written stands in closed files: done when the
  // future is.
  std::future<void> Erase(std::shared_ptr<const logger::ErasureList> erasures);
  void BeginEnd(base::SteadyTime deadline);
  // Requires: BeginEnd.
  void Join();
  bool HasEnded() const { return ended_.load(std::memory_order_acquire); }

  SinkState state() const;
  const config::Sink& config() const { return parts_.config; }
  base::MetricsBlock& metrics() { return parts_.metrics; }

 private:
  Sink(Parts parts, SinkLine line);
  base::Status MakeWriter();
  void OnWriterReady() override;
  void Pump();
  // From the queue into the outbox. False: the queue is empty.
  bool Fill();
  void Count(const SinkWriter::Progress& progress);
  void OnSecond();
  void SetBlocked(const std::string& why);
  void Publish();
  void StopIfDone();

  const Parts parts_;
  const SinkLine line_;
  net::Loop loop_;
  SinkOutbox outbox_;
  std::unique_ptr<SinkWriter> writer_;
  net::Timer second_;
  net::Timer stop_;
  std::string blocked_;  // why; empty: it is not
  uint64_t moved_ = 0;   // messages that the writer is through with
  uint64_t moved_before_ = 0;
  uint64_t left_out_before_ = 0;
  uint64_t written_ = 0;
  bool pumping_ = false;
  bool stopping_ = false;
  std::atomic<bool> ended_{false};
  std::thread thread_;
  mutable std::mutex mutex_;
  std::deque<ToldVisitPtr> queue_;  // guarded by mutex_, as what follows
  bool posted_ = false;             // a Pump() is under way
  uint64_t left_out_ = 0;
  SinkState published_;
};

}  // namespace gatebook::review
