// DaySample: the sessions of one day that published figures are counted from.
//
// Of each network (/24 of IPv4, /48 of IPv6) only a bounded number of sessions is taken, so that nobody, and
// no group of few networks, can move a figure by much, however many sessions they make
// (docs/statistics.md, docs/decisions/0060-what-may-be-published.md). Which ones: those whose hash is
// smallest, so that it does not depend on the hour, and is the same when the day is counted again.
//
// Visits of people who objected, and refused ones of nobody's session, are not taken.
//
// Thread: one. Owns: what it holds; nothing of it outlives it.
// Limits: 262,144 networks; beyond, a random half of all networks is counted for all, and so on. 200,000
// values, 256 a session: others are counted as values without a name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "logger/visit_record.h"
#include "review/keyed_hash.h"

namespace gatebook::review {

// X(enumerator, plural in JSON, heading): the closed list of what is published. No two of them are crossed.
#define GATEBOOK_PUBLISHED_DIMENSIONS(X)            \
  X(kHour, "hours", "Hours of the day (UTC)")       \
  X(kSource, "sources", "Where sessions came from") \
  X(kCountry, "countries", "Countries")             \
  X(kPage, "pages", "Pages")                        \
  X(kStatus, "statuses", "Statuses of answers")     \
  X(kDevice, "devices", "Devices")

#define GATEBOOK_ENUMERATOR(enumerator, name, heading) enumerator,
enum class PublishedDimension : uint8_t { GATEBOOK_PUBLISHED_DIMENSIONS(GATEBOOK_ENUMERATOR) };
#undef GATEBOOK_ENUMERATOR
#define GATEBOOK_ONE(enumerator, name, heading) +1
inline constexpr size_t kPublishedDimensions = 0 GATEBOOK_PUBLISHED_DIMENSIONS(GATEBOOK_ONE);
#undef GATEBOOK_ONE

// The plural name, and the heading for people.
std::string_view NameOf(PublishedDimension dimension);
std::string_view HeadingOf(PublishedDimension dimension);

// The members of a cell by their numbers, each once, growing.
using SessionSet = std::vector<uint32_t>;

struct Cell {
  std::string parent;  // of a source: its channel; else empty
  std::string value;   // empty: without a name
  SessionSet sessions;
};

// What a DaySample has at the end of its day.
struct CountedDay {
  std::vector<uint32_t> network_of;  // of each session
  std::vector<uint64_t> hash_of;     // likewise
  std::vector<Cell> cells[kPublishedDimensions];
  uint32_t networks = 0;
  uint32_t scale = 1;  // each counted network stands for so many
};

class DaySample {
 public:
  // Requires: sessions_of_a_network of at least 1.
  explicit DaySample(uint32_t sessions_of_a_network, size_t most_networks = 262'144);

  // Visits of the day, in the order of arrival: the first of a session says where it came from.
  void Take(const logger::StoredVisit& visit);
  CountedDay Finish() const;

 private:
  struct Session {
    uint64_t network = 0;
    std::vector<uint32_t> cells;  // growing
  };
  struct CellName {
    PublishedDimension dimension;
    std::string parent, value;
  };

  // The session of the visit if it is counted.
  Session* Admit(const logger::StoredVisit& visit, uint64_t id);
  void Thin();
  void Put(Session& session, PublishedDimension dimension, std::string_view parent, std::string_view value);
  uint32_t NumberOf(PublishedDimension dimension, std::string_view parent, std::string_view value);

  const uint32_t sessions_of_a_network_;
  const size_t most_networks_;
  KeyedHash hash_;
  uint32_t halvings_ = 0;
  std::unordered_map<uint64_t, Session> sessions_;
  std::unordered_map<uint64_t, std::vector<uint64_t>> networks_;  // network -> its sessions, growing
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<CellName> names_;
  std::string scratch_;
};

}  // namespace gatebook::review
