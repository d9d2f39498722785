// ClientFacts: which facts about a client already stand in the current stream.
//
// A visitor's address, name, place and agent are the same from visit to visit.
// They are written once a minute, session and worker; later entries of the same
// stream point to the entry that has them (logger/visit_record.h). This is the
// memory of those entries: of one stream at a time, and only of entries that this
// connection to Redis has sent, because only of those we know they are there.
//
// Thread: one. Owns: copies of the facts. Limits: 4,096 clients; then it forgets all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "logger/visit.h"

namespace gatebook::logger {

class ClientFacts {
 public:
  ClientFacts();

  // The earlier entry of the minute of `id` with the same facts; else null, and `id` is
  // remembered as the entry that has them: the caller must write them in whole.
  const VisitId* FindOrAdd(const VisitId& id, const Visit& visit, const Name& name);
  // For a new connection.
  void Clear();

 private:
  struct Hash {
    using is_transparent = void;
    uint64_t seed;  // random: the keys hold texts that clients choose
    size_t operator()(std::string_view text) const;
  };
  static constexpr size_t kMost = 4096;

  uint64_t minute_ = 0;
  std::string key_;  // kept for its memory
  std::unordered_map<std::string, VisitId, Hash, std::equal_to<>> entries_;
};

}  // namespace gatebook::logger
