// ExamineMachine and ExamineHelpers: what an edge leans on beside Redis and its disk.
//
// Thread: one, which they block: a name server is waited for as long as [dns] timeout says.
#pragma once

#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "review/checkup.h"

namespace gatebook::review {

// What the kernel lets a process do. Unlimited: the greatest number.
struct ProcessLimits {
  uint64_t descriptors = 0;
  uint64_t core_bytes = 0;
};
// Of a running process; of this one, as far as a process may raise them itself, for 0.
ProcessLimits LimitsOf(int process);

enum class ClockState : uint8_t { kSynchronised, kFree, kUnknown };
ClockState ClockStateNow();

// File descriptors, cores, the clock. `edge_process`: the running edge's; 0: none runs.
void ExamineMachine(const config::Config& config, int edge_process, const ProcessLimits& limits,
                    ClockState clock, Checkup& checkup);

// Session key, name servers, place databases.
void ExamineHelpers(const config::Config& config, const base::Clock& clock, Checkup& checkup);

}  // namespace gatebook::review
