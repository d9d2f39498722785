// KnownTime on the disk: <journal>/clock, what time it was when an edge last looked, so that a clock that
// leaps while none runs is found out (base/guarded_clock.h). One line: boot, time since the boot and wall
// time, both in milliseconds.
//
// Thread: any; blocks on the disk.
#pragma once

#include <optional>
#include <string>

#include "base/guarded_clock.h"
#include "base/result.h"

namespace gatebook::logger {

// Nothing if there is no file, or it is damaged.
std::optional<base::KnownTime> LoadKnownTime(const std::string& journal_directory);
// Whole or not at all. An error: 74.
base::Status SaveKnownTime(const std::string& journal_directory, const base::KnownTime& known);

}  // namespace gatebook::logger
