// RedisTrouble: what may be wrong with Redis, as one table: a short stable word for `gatebook status` and
// metrics, and what an operator can do about it.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace gatebook::logger {

// X(enumerator, word, what an error reply begins with; empty: no reply tells of it, what to do)
// The words are those of gatebook_redis_troubles_total (base/metrics.h).
#define GATEBOOK_REDIS_TROUBLES(X)                                                                         \
  X(Refused, "refused", "", "nobody listens there: start Redis, or mend [redis] url")                      \
  X(Unreachable, "unreachable", "", "look at the network, the firewall and the name in [redis] url")       \
  X(Timeout, "timeout", "", "Redis or the network is too slow, or stands still; see redis.reply_timeout")  \
  X(Tls, "tls", "", "look at redis.tls_ca, tls_name and tls_certificate, and at the server's certificate") \
  X(Closed, "closed", "", "the server ended the connection: it restarts, or its log says why")             \
  X(Protocol, "protocol", "", "is that really Redis? look at [redis] url")                                 \
  X(File, "file", "", "Gatebook must be able to read the file")                                            \
  X(Sentinel, "sentinel", "", "look at redis.sentinels and redis.sentinel_master")                         \
  X(Auth, "auth", "NOAUTH", "look at the user in [redis] url and at redis.password_file")                  \
  X(Noperm, "noperm", "NOPERM",                                                                            \
    "give the user the rights that docs/data-model.md lists under What Redis needs")                       \
  X(Oom, "oom", "OOM",                                                                                     \
    "Redis is at its maxmemory: raise it, or keep visits for less long (visit.retention)")                 \
  X(Readonly, "readonly", "READONLY",                                                                      \
    "that server is a replica: point [redis] url at the master, or use redis.sentinels")                   \
  X(Loading, "loading", "LOADING", "Redis is reading its data from disk; it will be back")                 \
  X(Misconf, "misconf", "MISCONF",                                                                         \
    "Redis can't write to its disk: free space or mend it, its log says more")                             \
  X(Noreplicas, "noreplicas", "NOREPLICAS",                                                                \
    "too few replicas are online for the server's min-replicas-to-write")                                  \
  X(Clusterdown, "clusterdown", "CLUSTERDOWN",                                                             \
    "slots are without a master: bring their nodes back, or let a replica be promoted")                    \
  X(Cluster, "cluster", "MOVED", "the server is a node of a Cluster: set redis.cluster = true")            \
  X(Busy, "busy", "BUSY", "a script holds Redis up; SCRIPT KILL ends it")                                  \
  X(EdgeNameTaken, "edge_name_taken", "",                                                                  \
    "give this instance another [edge] name, or remove the other's claim if it is gone for good")          \
  X(DataLost, "data_lost", "",                                                                             \
    "find out who flushed Redis or replaced its data; what was held is written again")                     \
  X(Other, "other", "", "the words are Redis's own")

enum class RedisTrouble : uint8_t {
#define GATEBOOK_REDIS_TROUBLE_ENUM(name, word, prefix, advice) k##name,
  GATEBOOK_REDIS_TROUBLES(GATEBOOK_REDIS_TROUBLE_ENUM)
#undef GATEBOOK_REDIS_TROUBLE_ENUM
      kCount
};

struct RedisTroubleInfo {
  const char* word;
  const char* prefix;
  const char* advice;
  base::Metric metric;
};
const RedisTroubleInfo& InfoOf(RedisTrouble trouble);

// Of an error reply, or of errno when a connection failed.
RedisTrouble TroubleOfReply(std::string_view error);
RedisTrouble TroubleOfErrno(int error);

// What ended a connection, or kept it from coming about. `detail` may hold a server's words: it is
// made clean and short here.
struct RedisFailure {
  RedisFailure(RedisTrouble what, std::string_view detail);
  static RedisFailure OfReply(std::string_view error) { return {TroubleOfReply(error), error}; }

  RedisTrouble trouble;
  std::string detail;

  // "oom: command not allowed when … (Redis is at its maxmemory: …)"
  std::string ToText() const;
};

}  // namespace gatebook::logger
