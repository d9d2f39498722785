#include "http/h2_limits.h"

#include <algorithm>
#include <chrono>

namespace gatebook::http {
namespace {

constexpr auto kInfos = std::to_array<H2BudgetInfo>({
#define GATEBOOK_H2_BUDGET_ROW(name, at_once, per_second, per_request, end) \
  {at_once, per_second, per_request, H2End::end},
    GATEBOOK_H2_BUDGETS(GATEBOOK_H2_BUDGET_ROW)
#undef GATEBOOK_H2_BUDGET_ROW
});
static_assert(kInfos.size() == static_cast<size_t>(H2Budget::kCount));

// Nothing is earned in shorter spans, so that a busy connection does not compute all the time.
constexpr auto kRefillStep = std::chrono::milliseconds(100);

}  // namespace

const H2BudgetInfo& InfoOf(H2Budget budget) { return kInfos[static_cast<size_t>(budget)]; }

H2Limits::H2Limits() {
  for (size_t i = 0; i < kInfos.size(); ++i) left_[i] = kInfos[i].at_once * kUnit;
}

std::optional<H2End> H2Limits::OnFrame(const H2FrameHead& frame, base::SteadyTime now) {
  switch (frame.type) {
    case H2FrameType::kData:
      // Padding alone is found when the frame has been read.
      if (frame.length == 0 && !frame.Has(kH2EndStream)) return Charge(H2Budget::kEmpty, now);
      return std::nullopt;
    case H2FrameType::kHeaders:
      continuations_ = 0;
      if (frame.length == 0 && !frame.Has(kH2EndStream)) return Charge(H2Budget::kEmpty, now);
      return std::nullopt;
    case H2FrameType::kContinuation:
      if (++continuations_ > kContinuationsMost) return H2End::kContinuationFlood;
      if (frame.length == 0) return Charge(H2Budget::kEmpty, now);
      return std::nullopt;
    case H2FrameType::kPriority:
    case H2FrameType::kPriorityUpdate:
      return Charge(H2Budget::kPriority, now);
    case H2FrameType::kRstStream:
      return Charge(H2Budget::kPeerReset, now);
    case H2FrameType::kSettings:
      return Charge(H2Budget::kSettings, now);
    case H2FrameType::kPing:
      return Charge(H2Budget::kPing, now);
    case H2FrameType::kWindowUpdate:
      return Charge(H2Budget::kWindow, now);
    case H2FrameType::kGoaway:
    case H2FrameType::kPushPromise:
      return Charge(H2Budget::kGlitch, now);
  }
  return Charge(H2Budget::kUnknown, now);
}

std::optional<H2End> H2Limits::Charge(H2Budget budget, base::SteadyTime now) {
  Refill(now);
  int64_t& left = left_[static_cast<size_t>(budget)];
  if (left < kUnit) return InfoOf(budget).end;
  left -= kUnit;
  return std::nullopt;
}

void H2Limits::OnRequestDone() {
  for (size_t i = 0; i < kInfos.size(); ++i) Earn(static_cast<H2Budget>(i), kInfos[i].per_request * kUnit);
}

void H2Limits::OnDataSent() {
  Earn(H2Budget::kWindow, kWindowUpdatesPerData * kUnit);
  Earn(H2Budget::kPing, kPingsPerData * kUnit);
}

void H2Limits::Refill(base::SteadyTime now) {
  if (!refilled_at_) refilled_at_ = now;
  const auto span = now - *refilled_at_;
  if (span < kRefillStep) return;
  refilled_at_ = now;
  // Beyond a minute every budget is full.
  const auto ms =
      std::min<int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count(), 60'000);
  for (size_t i = 0; i < kInfos.size(); ++i) {
    static_assert(kUnit == 1000, "a budget's thousandths a millisecond are its units a second");
    Earn(static_cast<H2Budget>(i), kInfos[i].per_second * ms);
  }
}

void H2Limits::Earn(H2Budget budget, int64_t thousandths) {
  int64_t& left = left_[static_cast<size_t>(budget)];
  left = std::min(left + thousandths, InfoOf(budget).at_once * kUnit);
}

}  // namespace gatebook::http
