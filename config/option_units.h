// The units in which rows of the option table say their bounds.
//
// Thread: const; any.
#pragma once

#include <cstdint>

namespace gatebook::config {

inline constexpr uint64_t kSecond = 1000;  // durations are in milliseconds
inline constexpr uint64_t kMinute = 60 * kSecond;
inline constexpr uint64_t kHour = 60 * kMinute;
inline constexpr uint64_t kDay = 24 * kHour;
inline constexpr uint64_t kKiB = 1ULL << 10;
inline constexpr uint64_t kMiB = 1ULL << 20;
inline constexpr uint64_t kGiB = 1ULL << 30;

}  // namespace gatebook::config
