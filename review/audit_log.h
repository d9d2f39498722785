// AuditLog: who saw what is hidden, when, what and why. Append-only, a line a look, chained by digests
// (review/hash_chain.h).
//
// A line is written, and on the disk, before anything is shown: what can't be written down is not shown.
// It names readers, not visitors: of a question only its text, in which addresses stand only if the reader
// typed them. Lines older than audit.keep are destroyed from the beginning; the first that stays says what
// the digest before it was, so that the chain still holds.
//
// Thread: any; one writer at a time, also among processes (flock). Blocks on the disk.
// Limits: names of 128 octets are kept; a reason has 500 octets; what was asked is as long as a query may be.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "review/hash_chain.h"

namespace gatebook::review {

struct AuditEntry {
  std::string who;   // a [[reader]], or the login of this machine
  std::string via;   // "command", "desk"
  std::string what;  // "visits ip = 203.0.113.7, since …"
  std::string why;   // the reason given; never empty
};

struct AuditLine {
  uint64_t number = 0;  // from 1, over all time
  base::WallTime time{};
  AuditEntry entry;
  std::string chain;  // hexadecimal
  std::string text;   // the whole line, without its end
};

struct AuditContents {
  std::vector<AuditLine> lines;
  std::string broken;  // empty: the chain holds. Else where it breaks first, as a sentence.
};

class AuditLog {
 public:
  AuditLog(const config::Audit& config, const base::Clock& clock)
      : keep_(config.keep),
        clock_(clock),
        chain_(config.file, "the audit log", HashChain::Begins::kSomewhere) {}

  // Nothing is written yet: no lines. Errors: 74.
  base::Result<AuditContents> Read() const;
  // On the disk when it returns. Errors: 73, 74; 2 if CheckReason() has something against the reason.
  base::Status Append(const AuditEntry& entry) const;
  // Destroys the lines that are older than audit.keep; how many. If all are, a line that says so takes their
  // place. Errors: 73, 74.
  base::Result<uint64_t> DestroyOld() const;

 private:
  const std::chrono::milliseconds keep_;
  const base::Clock& clock_;
  const HashChain chain_;
};

// Whether it can stand as a reason: it says something, in 500 octets at most. An error is for people, with 2.
base::Status CheckReason(std::string_view reason);

}  // namespace gatebook::review
