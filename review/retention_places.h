// The places in which anything of a visitor, or about visitors, may stand: the table of truth of
// `gatebook retention`, of the ledger and of docs/operations.md.
//
// Thread: const; any.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatebook::review {

// X(enumerator, slug, what, how it is looked at, what is promised)
#define GATEBOOK_RETENTION_PLACES(X)                                                                      \
  X(kVisits, "visits", "`gb:visits:*` in Redis: the visits", "deadline and entries of every stream",      \
    "a stream destroys itself no later than its earliest arrival + `visit.retention`")                    \
  X(kIndex, "index", "`gb:index:*`: in which minutes whom to look for", "deadline and elements of every string", \
    "destroys itself no later than the end of its earliest minute + `visit.retention`")                   \
  X(kEdges, "edges", "`gb:edges`: names of edges, nothing of visitors", "its deadline",                   \
    "destroys itself 31 days after the last edge looked")                                                 \
  X(kCounts, "counts", "`gb:stats:*`: figures that name nobody", "deadline of every key",   \
    "each key has a deadline")                                                                            \
  X(kOtherKeys, "other keys", "any other `gb:*`", "deadline of every key; some are named",                \
    "there is none: nobody could vouch for it")                                                           \
  X(kRedisFiles, "redis files", "Redis's append-only file and snapshot",                                  \
    "`INFO`, and the ledger's last rewrite",                                                              \
    "written anew within a day and an hour, so that they lose what has expired")                          \
  X(kJournal, "journal", "segments of this edge's journal", "every record of a copy of each file",        \
    "what is delivered or over is erased within 15 s by the running edge")                                \
  X(kQuarantine, "quarantine", "damaged bytes beside the journal", "age of every file",                   \
    "removed as soon as anything in it may be over")                                                      \
  X(kErasures, "erasures", "keyed digests of what was erased on a person's wish", "every line",           \
    "struck out when nothing that it covers can exist, within a day")                                     \
  X(kObjections, "objections", "keyed digests of who objected to statistics", "every line",                 \
    "kept as long as the objection holds: until its end, or until it is withdrawn")                       \
  X(kSinks, "sinks", "files of sinks: visits beside Redis", "names of closed files; lines of all",         \
    "a file is destroyed when its oldest visit is as old as `sink.keep` allows")                          \
  X(kNames, "names", "names of addresses in the memory of the running edge", "what the edge says",        \
    "forgotten after the name's time to live, 24 h at most")                                              \
  X(kLog, "log", "the operations log", "its last 64 MiB, for session ids and addresses that Redis knows", \
    "names nobody")                                                                                       \
  X(kLedger, "ledger", "counts by day, nothing of visitors", "every line and the chain",                  \
    "no line is missing or changed")                                                                      \
  X(kAudit, "audit log", "who saw what is hidden, when, what and why", "every line and the chain",        \
    "lines are destroyed within a day of `audit.keep`; none is changed or missing in between")

enum class Place : uint8_t {
#define GATEBOOK_PLACE_ENUM(name, slug, what, looked, promise) name,
  GATEBOOK_RETENTION_PLACES(GATEBOOK_PLACE_ENUM)
#undef GATEBOOK_PLACE_ENUM
      kCount
};

struct PlaceInfo {
  std::string_view slug;
  std::string_view what;
  std::string_view looked;
  std::string_view promise;
};
const PlaceInfo& InfoOf(Place place);

// Of a key in Redis that begins with "gb:".
Place PlaceOfKey(std::string_view key);

}  // namespace gatebook::review
