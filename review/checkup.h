// Checkup: what `gatebook doctor` has found, a line each.
//
// The checks are rows of one table, from which the answers, their remedies and the table in
// docs/operations.md are made. Who examines says what was seen and how bad it is; a check may speak more
// than once, and is left out where there is nothing to examine.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace gatebook::review {

enum class Check : uint8_t {
  kEdge,
  kUpstreams,
  kRedis,
  kRedisVersion,
  kRedisRole,
  kRedisEviction,
  kRedisMemory,
  kRedisDurability,
  kRedisDisk,
  kRedisClock,
  kRedisNetwork,
  kRedisRights,
  kEdgeName,
  kJournal,
  kJournalDisk,
  kJournalBacklog,
  kQuarantine,
  kCertificates,
  kDns,
  kPlaces,
  kSessionKey,
  kDescriptors,
  kCores,
  kClock,
  kCount
};

struct CheckInfo {
  const char* slug;
  const char* looks_at;
  const char* remedy;  // said with each warning and error
};
const CheckInfo& InfoOf(Check check);

enum class Severity : uint8_t { kOk, kWarning, kError };

struct Finding {
  Check check;
  Severity severity;
  std::string says;  // what was seen and what it means, without a full stop
};

class Checkup {
 public:
  void Ok(Check check, std::string says) { Add(check, Severity::kOk, std::move(says)); }
  void Warn(Check check, std::string says) { Add(check, Severity::kWarning, std::move(says)); }
  void Fail(Check check, std::string says) { Add(check, Severity::kError, std::move(says)); }
  void Add(Check check, Severity severity, std::string says);

  const std::vector<Finding>& findings() const { return findings_; }

  // For people, or one JSON object a line. In the table's order.
  std::string Render(bool json) const;
  // kOk, kNegative with any error, kUnavailable where Redis does not answer.
  base::ExitCode exit_code() const;

 private:
  std::vector<Finding> findings_;
};

// For people: "3 GiB", "2 days".
std::string InBytes(uint64_t bytes);
std::string InDays(int64_t seconds);

}  // namespace gatebook::review
