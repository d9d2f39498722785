// SinkWriter: how a sink gets rid of what it has made ready: to a file, standard output, or syslog.
//
// Never waits: what does not go now stays in the outbox, and the handler is called when it is worth trying
// again. What fails (a full disk, a peer that is away) is tried again with back-off, 100 ms to 5 s, and said
// in trouble().
//
// Thread: the loop's of its sink. Borrows: loop, handler, metrics, clock. Ends: destroying closes what is
// open.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "net/loop.h"
#include "review/sink_outbox.h"

namespace gatebook::review {

class SinkWriter {
 public:
  class Handler {
   public:
    // Write() may do more than the last time.
    virtual void OnWriterReady() = 0;

   protected:
    ~Handler() = default;
  };
  struct Parts {
    net::Loop& loop;
    const config::Sink& config;
    std::chrono::milliseconds keep;  // of files
    const base::Clock& clock;
    base::MetricsBlock& metrics;
    Handler& handler;
  };
  struct Progress {
    size_t written = 0;  // messages
    size_t refused = 0;  // messages that can never be written: too long for a datagram
  };

  virtual ~SinkWriter() = default;

  // Never calls back before it has returned.
  virtual void Start() = 0;
  virtual Progress Write(SinkOutbox& outbox) = 0;
  // To be called every second.
  virtual void Housekeep() {}
  // Files: opens the path again. Others have nothing to open.
  virtual void Reopen(SinkOutbox&) {}
  // Files: what is written so far is closed, and can be rewritten by others (review/sink_erasure.h).
  virtual void CloseFile(SinkOutbox&) {}
  // Empty: all is well.
  const std::string& trouble() const { return trouble_; }

 protected:
  explicit SinkWriter(const Parts& parts);
  // Something failed: counts it, and has TryAgain() called in a while.
  void Fail(std::string why);
  // Something was written.
  void Succeed();
  // It is there, but has taken nothing yet: the next trial waits as long as the last one.
  void Arrive() { trouble_.clear(); }
  bool IsBackingOff() const { return retry_.IsArmed(); }
  virtual void TryAgain() { parts_.handler.OnWriterReady(); }

  const Parts parts_;

 private:
  std::string trouble_;
  std::chrono::milliseconds back_off_;
  net::Timer retry_;
};

// One for `parts.config.kind`. An error: what it names can't be used at all, as a file in a directory that
// is not there.
base::Result<std::unique_ptr<SinkWriter>> MakeSinkWriter(const SinkWriter::Parts& parts);

}  // namespace gatebook::review
