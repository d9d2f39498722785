// H2Limits: how much of each cheap thing a peer may do on one HTTP/2 connection.
//
// Every kind of frame that costs us more than its sender has a budget: so many at once, so
// many more each second, so many more for each request that came and went in good order.
// Ordinary use pays for itself; whoever only sends such frames runs dry and is asked to be calm.
//
// Thread: one. Owns nothing; pure: time comes with the calls.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "http/h2_end.h"
#include "http/h2_frame_reader.h"

namespace gatebook::http {

// X(enumerator, at once, per second, per completed request, end when exceeded)
#define GATEBOOK_H2_BUDGETS(X)                                                              \
  X(kPeerReset, 200, 20, 1, kRapidReset)      /* RST_STREAM; CVE-2023-44487 */              \
  X(kProvokedReset, 50, 5, 0, kProvokedReset) /* those we had to send; CVE-2025-8671 */     \
  X(kSettings, 20, 2, 0, kSettingsFlood)      /* CVE-2019-9515 */                           \
  X(kPing, 100, 20, 1, kPingFlood)            /* CVE-2019-9512; and DATA sent adds */       \
  X(kEmpty, 50, 5, 0, kEmptyFrames)           /* CVE-2019-9518 */                           \
  X(kPriority, 300, 20, 4, kPriorityFlood)    /* CVE-2019-9513 */                           \
  X(kWindow, 400, 50, 4, kWindowFlood)        /* CVE-2019-9511, 9517; and DATA sent adds */ \
  X(kUnknown, 50, 10, 1, kUnknownFrames)      /* RFC 9113 §5.5: ignored, yet not free */   \
  X(kStall, 20, 0, 1, kStalledStreams)        /* given up behind a closed window */         \
  X(kGlitch, 100, 5, 1, kGlitches)

enum class H2Budget : uint8_t {
#define GATEBOOK_H2_BUDGET_ENUM(name, at_once, per_second, per_request, end) name,
  GATEBOOK_H2_BUDGETS(GATEBOOK_H2_BUDGET_ENUM)
#undef GATEBOOK_H2_BUDGET_ENUM
      kCount
};

struct H2BudgetInfo {
  int64_t at_once;
  int64_t per_second;
  int64_t per_request;
  H2End end;
};
const H2BudgetInfo& InfoOf(H2Budget budget);

class H2Limits {
 public:
  // CONTINUATION frames that one field block may come in (CVE-2024-27316). With 16 KiB each there is room for
  // 144 KiB of head; the library has the same bound, and cannot be told of another.
  static constexpr uint32_t kContinuationsMost = 8;
  // WINDOW_UPDATE frames that a DATA frame of ours may be answered by.
  static constexpr int64_t kWindowUpdatesPerData = 8;
  // PING frames likewise: gRPC measures each round trip of a stream that way.
  static constexpr int64_t kPingsPerData = 1;

  H2Limits();

  // A frame's head came in. A value: the connection has to end, before the frame is worked on.
  std::optional<H2End> OnFrame(const H2FrameHead& frame, base::SteadyTime now);
  // One more of something that the head alone does not show.
  std::optional<H2End> Charge(H2Budget budget, base::SteadyTime now);

  // What good use earns.
  void OnRequestDone();
  void OnDataSent();

  int64_t left(H2Budget budget) const { return left_[static_cast<size_t>(budget)] / kUnit; }

 private:
  // Budgets are held in thousandths, so that short spans of time earn their share.
  static constexpr int64_t kUnit = 1000;

  void Refill(base::SteadyTime now);
  void Earn(H2Budget budget, int64_t thousandths);

  std::array<int64_t, static_cast<size_t>(H2Budget::kCount)> left_;
  std::optional<base::SteadyTime> refilled_at_;
  uint32_t continuations_ = 0;  // of the field block under way
};

}  // namespace gatebook::http
