// JournalWriter: a worker's pen.
//
// An append is a copy into mapped memory: no system call, no allocation, no
// lock, no wait. The bytes belong to the kernel at once, so that a process
// killed at any instruction leaves every visit whose Append returned, and at
// most a torn tail that the next start cuts off. When a segment is full the
// writer takes the spare that the keeper has ready; if there is none, the visit
// is dropped and counted. Ids grow, also when the clock steps back or the process
// starts again.
//
// Counts in the worker's metrics: visits and closings accepted, in journal, dropped.
//
// Thread: the worker's, but for the flush callback, which the keeper's thread calls.
// Borrows everything it is made of. Ends: without effect; what was written stays.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"
#include "base/metrics.h"
#include "logger/doorbell.h"
#include "logger/journal_lane.h"
#include "logger/visit.h"

namespace gatebook::logger {

struct Appended {
  enum class Outcome : uint8_t {
    kOk,
    kFull,       // the journal has reached its max_size
    kNoSegment,  // the keeper has no segment ready: the disk fails, or is too slow
    kTooLarge,   // a text is longer than its cap in logger/visit.h
  };
  Outcome outcome = Outcome::kOk;
  VisitId id;                    // kOk: the record's own
  JournalPosition position = 0;  // kOk: behind the record
};

class JournalWriter {
 public:
  JournalWriter(JournalLane& lane, RecordId last, const base::Clock& clock, Doorbell& recorder,
                Doorbell& keeper, base::MetricsBlock& metrics);
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // Returned kOk: the visit stands in the book. The texts are copied.
  Appended Append(const Visit& visit) noexcept;
  // Completes a visit that was appended open, by the id it was given.
  Appended Append(const Closing& closing) noexcept;

  // Whether the next append will find room: asked before a request is served where on_full = "refuse".
  bool HasRoom() const noexcept;

  // flush = "always": asks for everything appended so far to be brought to the disk, for all who asked
  // meanwhile at once. When that is done, or has failed, the callback is called.
  void RequestFlush() noexcept;
  JournalPosition flushed_position() const noexcept { return lane_.flushed.load(std::memory_order_acquire); }
  // The last flush failed; the keeper goes on trying. Who holds an answer back decides by on_full.
  bool IsFlushFailing() const noexcept { return lane_.flush_failing.load(std::memory_order_acquire); }
  // Called by the keeper's thread, once for any number of requests; must only post. Empty: none. When
  // this has returned, the former callback is not running and will not be called.
  void SetFlushCallback(std::function<void()> callback);

  // Stamps the current segment as ended, so that the next start need not search it. Nothing is appended
  // after.
  void Close() noexcept;

  uint32_t worker() const { return lane_.worker; }

 private:
  // Room for a record with `payload` bytes in the current segment, taking the spare if it must.
  bool MakeRoom(size_t payload) noexcept;
  bool TakeSpare() noexcept;
  void Seal() noexcept;
  // `payload` bytes stand behind the record's header to be.
  Appended Finish(RecordType type, size_t payload) noexcept;
  // Accepted, and what became of it, in one.
  void CountVisit(base::Metric what_became_of_it) noexcept;
  Appended::Outcome WhyNoRoom() const noexcept;
  RecordId NextId() noexcept;

  JournalLane& lane_;
  const base::Clock& clock_;
  Doorbell& recorder_;
  Doorbell& keeper_;
  base::MetricsBlock& metrics_;
  JournalSegment* segment_ = nullptr;
  char* data_ = nullptr;
  uint64_t offset_ = 0;
  uint64_t size_ = 0;
  uint64_t seed_ = 0;
  uint32_t visits_ = 0;
  RecordId last_;
};

}  // namespace gatebook::logger
