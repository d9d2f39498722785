// RetentionLedger: a line a day about what was stored and destroyed, that can't be changed afterwards
// unnoticed (review/hash_chain.h).
//
// Who has seen the last digest somewhere else (the operations log has it every day) can tell a chain that was
// made anew or cut off. It holds counts and times only, outlives what it counts, and is kept outside of it.
//
// Thread: any; one writer at a time, also among processes (flock). Blocks on the disk.
// Limits: a line of 16 KiB; some 2 KiB as a rule, 700 KiB a year.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "review/hash_chain.h"
#include "review/retention_report.h"

namespace gatebook::review {

// What a line says besides the report.
struct LedgerEntry {
  std::string edge;
  RetentionReport report;
  std::string redis_rewrite;  // "ok", "off", or why not
};

struct LedgerLine {
  uint64_t number = 0;  // from 1
  base::WallTime time{};
  bool kept = false;
  bool rewritten = false;  // Redis's files had been written anew
  std::string chain;       // hexadecimal
  std::string text;        // the whole line, without its end
};

struct LedgerContents {
  std::vector<LedgerLine> lines;
  // Empty: the chain holds. Else where it breaks first, as a sentence.
  std::string broken;
};

class RetentionLedger {
 public:
  explicit RetentionLedger(std::string path)
      : chain_(std::move(path), "the ledger", HashChain::Begins::kAtOne) {}

  // Nothing is written yet: no lines. An error (74): there is a file and it can't be read.
  base::Result<LedgerContents> Read() const;
  // On the disk when it returns: the line. What was cut short by a power cut before is left as it is, and
  // shows as a break. Errors: 73, 74.
  base::Result<LedgerLine> Append(const LedgerEntry& entry) const;

  const std::string& path() const { return chain_.path(); }

 private:
  const HashChain chain_;
};

}  // namespace gatebook::review
