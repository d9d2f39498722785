// JournalQuarantine: where damaged bytes of a journal are kept for a look.
//
// <journal>/quarantine/, 0700, its files 0600. The bytes may hold visits, so
// they are destroyed like visits: Purge removes what is older than the retention.
//
// Thread: any; the bound is counted atomically.
// Limits: 16 MiB in all; more is counted by the caller but not kept.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace gatebook::logger {

class JournalQuarantine {
 public:
  static constexpr uint64_t kMostBytes = 16ULL << 20;

  // `directory`: the journal's. Nothing is made until there is something to keep.
  explicit JournalQuarantine(const std::string& directory);

  // Keeps what fits under `name`. False if nothing could be kept.
  bool Keep(const std::string& name, std::string_view bytes);
  // Moves a whole file of the journal here, or removes it when it is larger than what is left.
  void TakeFile(const std::string& name);
  void Purge(base::WallTime older_than);

 private:
  bool MakeDirectory();
  // Takes up to `wanted` of the bytes that are left; the rest of the bound stays.
  uint64_t Reserve(uint64_t wanted);

  const std::string journal_;
  const std::string path_;
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace gatebook::logger
