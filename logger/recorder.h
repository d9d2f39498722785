// Recorder: carries visits from the journal to Redis, with name and place.
//
// One thread of its own reads the journals of all workers, asks for the name of
// each address, and gives the visits to Redis in the order of each journal. A
// visit waits for its name at most dns.timeout since it was read, then goes as
// `timeout`. What Redis has acknowledged is held, and released in the journal when Redis has it on its
// disk (logger/redis_durability.h): a Redis that is killed or flushed gets all that is held once more and
// refuses what it still has. What is held when the recorder ends stays in the journal, and comes again at the
// next start.
//
// A visit whose time is over before Redis could take it is dropped, counted and
// destroyed in the journal, whether Redis is there or not; and what has been released
// does not stay in the files (JournalReader::EraseReleased).
//
// Whatever fails (Redis, DNS, the files of places), traffic does not notice: the
// journal keeps the visits, state() says it, counters count it, and it heals.
//
// A tap (logger/visit_tap.h) is told of each visit once, before Redis gets it and also while Redis is away.
//
// Thread: constructor, Start, Stop and state() by any one thread; the rest is its own.
// Borrows: everything it is made of, until Stop has returned.
// Ends: Stop, or destroying, which does not wait to deliver.
// Limits: 65,536 records wait for names at most; one wake-up in 5 ms or more by workers; what is held is
// bounded
//   (logger/held_visits.h). When the journal is full and what is held waits for
//   too long, half of it is released a second, and counted: new visits would be lost for sure.
#pragma once

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "config/config.h"
#include "logger/enrichment.h"
#include "logger/erasures_in_force.h"
#include "logger/held_visits.h"
#include "logger/journal.h"
#include "logger/name_hints.h"
#include "logger/redis_writer.h"
#include "logger/visit_tap.h"
#include "net/loop.h"
#include "net/socket_event.h"

namespace gatebook::logger {

// For `gatebook status`: one line each, "ok" when all is well.
struct RecorderState {
  std::string redis;
  bool redis_up = false;
  // What an acknowledged visit waits for, or why nothing does.
  std::string durability;
  std::string dns;
  std::string geo;
  // How old the oldest visit is that Redis does not have yet.
  std::chrono::milliseconds lag{0};
};

class Recorder final : private RedisWriter::Handler, private net::SocketEvent::Handler {
 public:
  // `workers`: how many write the journal now. `metrics` is the block that the journal was
  // given as recorder_metrics: this thread alone writes it.
  Recorder(Journal& journal, uint32_t workers, const config::Config& config, base::MetricsBlock& metrics,
           const base::Clock& clock, NameHints& hints, Doorbell& doorbell);
  ~Recorder();

  // Before Start(): what is erased on a person's wish, and is dropped when it is met. Read at Start() and
  // when its file has changed.
  void SetErasures(ErasureRegister erasures, ErasureKey key);
  // Before Start(): who else hears of visits. Borrowed until Stop has returned.
  void SetTap(VisitTap& tap);
  void Start();
  // Reads the register, and returns when nothing that it covers is on its way to Redis: whoever then erases
  // there erases all. False if that takes longer than `patience`, or the register can't be read.
  // Any thread but the recorder's.
  bool LoadErasures(std::chrono::milliseconds patience);
  // Delivers what it can until `deadline`, at once if all is delivered or Redis is away, and ends
  // the thread. The rest stays in the journal.
  void Stop(base::SteadyTime deadline);
  // What is done every 5 s is done in a moment: the place files are looked at again (HUP), and what is
  // over is dropped. Any thread.
  void Reload();

  // Which fields it adds to visits (logger/enrichment.h). Any thread.
  void SetRecorded(config::VisitFieldSet recorded) { enrichment_.SetRecorded(recorded); }

  RecorderState state() const;  // any thread

 private:
  struct Waiting {
    Record record;
    base::SteadyTime since;
  };
  struct Sent {
    JournalPosition position;
    uint64_t oldest;  // milliseconds of its first record
  };
  struct Lane {
    Lane(JournalReader* of, base::MetricsBlock& metrics) : reader(of), held(metrics) {}

    JournalReader* reader;
    std::vector<Waiting> waiting;  // from head on
    size_t head = 0;
    size_t told = 0;                 // of waiting, those before it the tap has heard of, or need not
    JournalPosition told_until = 0;  // likewise, and does not go back when the journal is read again
    std::deque<Sent> sent;           // batches that are not answered, two at most
    HeldVisits held;
    // Up to here Redis had acknowledged before the connection was lost: what it takes of it now, it had lost.
    JournalPosition acknowledged = 0;
  };

  void OnWriterReady() override;
  void OnBatchStored(size_t lane, const BatchTally& tally) override;
  void OnWriterLost() override;
  void OnWriterLooked() override;
  void OnWriterStateChanged() override;

  void OnReady(bool readable, bool writable) override;  // the doorbell rings
  // What comes in a moment is taken with what is there.
  void Gather();
  void Housekeep();
  void Pump();
  void PumpLane(size_t index);
  // Reads from the journal until `most` records wait.
  void Fill(Lane& lane, size_t most);
  bool IsTapped() const { return tap_ != nullptr && tap_->IsListening(); }
  // Whether Redis or the tap waits for the name of `ip`.
  bool WaitsFor(const Lane& lane, const base::IpAddress& ip) const;
  // Tells the tap of what waits and has its name.
  void TellTap(Lane& lane);
  // The name to write now; false if it is worth waiting for it.
  bool NameFor(const Waiting& waiting, Name* name);
  void Hold(Lane& lane, const Sent& sent, const BatchTally& tally);
  void ReleaseDurable();
  void Release(Lane& lane, const HeldVisits::Taken& taken);
  // What is held must not fill the journal.
  void RelieveJournal();
  void ReadErasures(bool always = false);
  // A lane's batch is through, or all are lost: whoever waits for it.
  void Settle(size_t lane);
  // While Redis is away nobody else finds out that a visit's time is over.
  void DropExpired();
  // Whether the visit, or the one that a closing is of, must be gone by now.
  bool IsOver(const Record& record) const;
  void BeginStop(base::SteadyTime deadline);
  void StopIfDone();
  void Publish();
  uint64_t Oldest() const;

  const config::Config& config_;
  const base::Clock& clock_;
  base::MetricsBlock& metrics_;
  NameHints& hints_;
  Doorbell& doorbell_;
  net::Loop loop_;
  Enrichment enrichment_;
  std::vector<Lane> lanes_;
  VisitTap* tap_ = nullptr;
  RedisWriter writer_;
  // What an erasure waits for: the batches that were under way when it came.
  struct Unsettled {
    std::vector<std::pair<size_t, size_t>> lanes;  // and how many batches of each
    std::shared_ptr<std::promise<bool>> settled;
  };
  ErasuresInForce erasures_;
  std::vector<Unsettled> unsettled_;
  net::SocketEvent bell_;
  net::Timer housekeeping_;
  net::Timer gather_;
  net::Timer name_deadline_;
  net::Timer stop_;
  bool stopping_ = false;
  std::thread thread_;
  std::atomic<uint64_t> oldest_{0};  // milliseconds; 0: nothing waits
  mutable std::mutex mutex_;
  RecorderState published_;  // guarded by mutex_
};

}  // namespace gatebook::logger
