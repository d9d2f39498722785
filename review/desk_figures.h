// DeskFigures: what the desk draws of a range of time, counted in one pass over its visits.
//
// Visits, denials, status classes and latencies by bucket of time; channels, countries, networks, pages and
// addresses by how often they came. Addresses are counted as they are given: whoever may not see them whole
// adds visits that have been made discreet.
//
// Thread: one. Limits: 120 buckets; 20,000 different values of each kind, of which, beyond, the rarest half
// is let go, so that figures of rare values may be too low; sessions are estimated beyond 65,536 (0.8 %).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "logger/visit_record.h"
#include "review/distinct_counter.h"
#include "review/keyed_hash.h"
#include "review/latency_counter.h"

namespace gatebook::review {

class DeskFigures {
 public:
  // Requires: since before until.
  DeskFigures(base::WallTime since, base::WallTime until);

  void Add(const logger::StoredVisit& visit);
  uint64_t visits() const { return visits_; }
  nlohmann::ordered_json ToJson() const;

  // Of bucket: a length that people know, of which at most 120 cover the range.
  static std::chrono::milliseconds BucketFor(base::WallTime since, base::WallTime until);

 private:
  struct Bucket {
    uint32_t visits = 0;
    uint32_t denied = 0;
    std::array<uint32_t, 6> classes{};  // 0: none yet, or not one of HTTP
    LatencyCounter latency;
  };
  struct Row {
    uint64_t visits = 0;
    uint64_t denied = 0;
    std::string more;  // a word beside it: the name of a network, the place of an address
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Rows = std::unordered_map<std::string, Row, Hash, std::equal_to<>>;

  static void Count(Rows& rows, std::string_view value, std::string_view more, bool denied);
  static nlohmann::ordered_json TopOf(const Rows& rows);

  const base::WallTime since_;
  const std::chrono::milliseconds bucket_;
  std::vector<Bucket> buckets_;
  uint64_t visits_ = 0;
  uint64_t denied_ = 0;
  uint64_t open_ = 0;
  uint64_t bytes_out_ = 0;
  KeyedHash hash_;
  DistinctCounter sessions_{65536, 14};
  Rows channels_, countries_, networks_, pages_, addresses_, reasons_, agents_;
  std::string scratch_;
};

}  // namespace gatebook::review
