// Visits and closings as bytes: the payload of a journal record.
//
// One grammar (docs/journal-format.md), versioned by its first byte; the same
// value always makes the same bytes. Encoding trusts its caller's memory;
// decoding trusts nothing: what stands in a journal after a crash may be
// anything, and what it accepts is within every cap of logger/visit.h, has
// known enumerators, no control characters in its texts and no byte left over.
//
// Thread: functions of their arguments alone. No allocation.
#pragma once

#include <cstddef>
#include <string_view>

#include "logger/visit.h"

namespace gatebook::logger {

// No encoded visit or closing has more bytes.
inline constexpr size_t kMostEncodedVisit = 3584;
inline constexpr size_t kMostEncodedClosing = 128;

// An upper bound for EncodeVisit(visit), at most kMostEncodedVisit; 0 if a text is longer than its cap.
size_t EncodedVisitBound(const Visit& visit) noexcept;
// Writes to `out`, which has EncodedVisitBound(visit) bytes; returns the end of what was written.
char* EncodeVisit(const Visit& visit, char* out) noexcept;
// False, with *visit unspecified, unless `bytes` are one whole visit. The texts of *visit view into `bytes`.
bool DecodeVisit(std::string_view bytes, Visit* visit) noexcept;

// `out` has kMostEncodedClosing bytes. The worker of `of` is the journal's own and not written.
char* EncodeClosing(const Closing& closing, char* out) noexcept;
// As DecodeVisit, texts too. `worker` is the journal's.
bool DecodeClosing(std::string_view bytes, uint32_t worker, Closing* closing) noexcept;

}  // namespace gatebook::logger
