// SubjectRights: what is stored of one person, whole, and its erasure: the engine of
// `gatebook subject export|erase` and of the visitor's self-service.
//
// An erasure cannot be undone by what comes late. In this order: it is written into the register of this
// edge's journal (logger/erasures.h); the running edge is told, and says when nothing that is covered is on
// its way to Redis any more; then visits (XDEL, entry by entry: the stream stays, so that Redis refuses the
// same id for good), their closings, and what the index says of them go from Redis. Entries that lean on an
// erased one for their client's facts are visits of the same session from the same address, and go as well.
// What waits in the journal is dropped when it is met (`dropped{reason="erased"}`) and its bytes are
// destroyed. At last the files of sinks are written anew without the person's lines (review/sink_erasure.h).
//
// Thread: one, which it blocks: never a worker's. Borrows: everything it is made of.
// Limits: holds what it exports in memory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "logger/erasures.h"
#include "logger/redis_client.h"

namespace gatebook::review {

// Whom it is about. Exactly one of session and ip is set. An address may be shared: it needs a window.
struct Subject {
  std::optional<logger::SessionId> session;
  std::optional<base::IpAddress> ip;
  base::WallTime since{};  // of the arrivals: since <= arrival < until
  base::WallTime until{};  // not after now

  // All of a session so far. `since`: before it began, if that is known.
  static Subject OfSession(const logger::SessionId& session, base::WallTime now, base::WallTime since = {});
  static Subject OfAddress(const base::IpAddress& ip, base::WallTime since, base::WallTime until);
};

struct ErasureReceipt {
  std::string id;      // 22 characters, random
  std::string digest;  // of the session or address under the edge's key, hexadecimal
  base::WallTime time{};
  Subject subject;
  std::string reason;
  uint64_t visits = 0;              // removed from Redis
  uint64_t closings = 0;            // likewise, with what leaned on the visits
  uint64_t index_elements = 0;      // overwritten
  uint64_t waiting_in_journal = 0;  // found in the journal's files: destroyed as soon as they are met
  uint64_t quarantine_files = 0;    // removed, as they may hold something of the person
  uint64_t sink_lines = 0;          // taken out of the files of sinks
  uint64_t sink_files = 0;          // that were written anew for that
  // Sinks whose visits are with others by now: syslog, standard output.
  std::vector<std::string> sinks_out_of_reach;
  bool edge_told = false;   // a running edge has it in force; else it has when it starts
  std::string aof_rewrite;  // "asked", "within a day", or why Redis did not take it

  bool IsEmpty() const {
    return visits + closings + index_elements + waiting_in_journal + quarantine_files + sink_lines == 0;
  }
  // One JSON object, indented, with its end. It names nobody: neither address nor session.
  std::string ToJson() const;
};

class SubjectRights {
 public:
  // Makes the running edge read its register: true when it has done so (Recorder::LoadErasures, or the
  // admin listener's POST /erasures), false if there is none.
  using TellEdge = std::function<bool()>;

  SubjectRights(const config::Config& config, logger::RedisClient& client, const base::Clock& clock,
                logger::ErasureKey key)
      : config_(config), client_(client), clock_(clock), key_(key) {}

  // All that is stored, as one JSON object, indented, with its end: sessions, visits, and visits that wait in
  // this edge's journal. kNegative if nothing is.
  base::Result<std::string> Export(const Subject& subject);

  // kNegative, and nothing is changed, if nothing is stored of the subject. `rewrite`: Redis is asked at once
  // to write its append-only file anew; else that is left to the edge's daily round.
  base::Result<ErasureReceipt> Erase(const Subject& subject, const std::string& reason, const TellEdge& tell,
                                     bool rewrite = true);

 private:
  struct Found;
  base::Status Find(const Subject& subject, Found* found);
  base::Status FindVisits(const Subject& subject, Found* found);
  // Keys that may hold visits of these minutes.
  base::Result<std::vector<std::string>> StreamsOf(uint64_t first, uint64_t last);
  base::Status FindWaiting(const Subject& subject, Found* found);
  base::Status Remove(const Found& found, ErasureReceipt* receipt);
  base::Status RemoveFromIndex(const Found& found, ErasureReceipt* receipt);
  std::string AskForRewrite();

  const config::Config& config_;
  logger::RedisClient& client_;
  const base::Clock& clock_;
  const logger::ErasureKey key_;
};

}  // namespace gatebook::review
