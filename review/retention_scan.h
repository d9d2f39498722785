// RetentionScan: looks at every place in which anything of a visitor may stand, and says how old it is.
//
// It reads and changes nothing: keys and entries of Redis page by page, a copy of the journal's files, ages
// of files. The promise of each place stands in review/retention_places.h.
//
// Thread: one, which it blocks; with a large book for minutes. Borrows: everything it is made of.
// Limits: holds the names of all keys, some 60 bytes each, one segment of the journal and 64 MiB of the log;
//   128 keys are asked about at a time, 500 entries a reply.
#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "logger/redis_client.h"
#include "review/retention_report.h"

namespace gatebook::review {

class RetentionScan {
 public:
  struct Options {
    // Every entry of each stream; else the first, whose arrival is at most 30 s after the earliest.
    bool every_entry = true;
    // Names in the running edge's memory; nothing: it does not run.
    std::function<std::optional<uint64_t>()> names = {};
    // When Redis's files were last written anew, if that is not in the ledger yet.
    std::optional<base::WallTime> rewritten = {};
    std::function<void(double)> on_progress = {};  // the share of the keys that is done, 0 to 1
    const std::atomic<bool>* stop = nullptr;       // set: end soon, with an error
  };

  // What is overdue is told by the clock's SureNow().
  RetentionScan(const config::Config& config, logger::RedisClient& client, const base::Clock& clock,
                Options options)
      : config_(config), client_(client), clock_(clock), options_(std::move(options)) {}

  // An error: Redis (69), or a file that can't be read (74).
  base::Result<RetentionReport> Look();

 private:
  struct Stream;
  base::Status LookAtClock();
  base::Status LookAtKeys();
  base::Status LookAtStreams(const std::vector<std::string>& keys);
  base::Status ReadEntries(std::vector<Stream>& streams);
  base::Status LookAtIndex(const std::vector<std::string>& keys);
  void Suspect(const std::string& key, std::string_view index);
  base::Status LookAtOthers(const std::vector<std::string>& keys);
  base::Status LookAtRedisFiles();
  base::Status LookAtJournal();
  base::Status LookAtQuarantine();
  base::Status LookAtErasures();
  base::Status LookAtObjections();
  base::Status LookAtSinks();
  base::Status LookAtLog();
  base::Status LookAtLedger();
  base::Status LookAtAudit();
  void LookAtNames();
  // Counts a deadline, in milliseconds as PEXPIRETIME says it; false: the key is gone.
  bool TakeDeadline(PlaceReport& place, int64_t deadline, base::WallTime latest);
  void Progress(size_t keys);
  bool IsToStop() const { return options_.stop != nullptr && options_.stop->load(); }

  const config::Config& config_;
  logger::RedisClient& client_;
  const base::Clock& clock_;
  const Options options_;
  RetentionReport report_;
  base::WallTime began_{};                       // what was due then is overdue
  std::set<std::string, std::less<>> suspects_;  // texts of the log that may be a session's id or an address
  std::set<std::string> named_;                  // of them, those that are
  std::set<std::string> suspected_;              // streams whose index says that they may be in there
  size_t keys_ = 0;
  size_t keys_done_ = 0;
};

}  // namespace gatebook::review
