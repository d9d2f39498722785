// A counter of every session is small while few are met, as for most pages and referrers, so that it begins
// as a set. HyperLogLog afterwards: each hash chooses a register by its first bits, and the register keeps
// the longest run of zeros of the rest. The count is read with Ertl's estimator (O. Ertl, "New cardinality
// estimation algorithms for HyperLogLog sketches", 2017, algorithm 6): one formula over the whole range,
// without the tables and borders of the older ones.

#include "review/distinct_counter.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace gatebook::review {
namespace {

constexpr size_t kFirstSlots = 4;
// 1 / (2 ln 2)
constexpr double kAlphaInfinity = 0.721347520444481703680;

double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    before = z;
    x *= x;
    z += x * y;
    y += y;
  }
  return z;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    before = z;
    x = std::sqrt(x);
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

void DistinctCounter::Add(uint64_t hash) {
  if (!registers_.empty()) return Register(hash);
  if (hash == 0) hash = 1;  // 0 marks a free slot
  if (2 * (static_cast<size_t>(held_) + 1) > slots_.size()) Grow();
  Insert(hash);
  if (held_ <= exact_) return;
  registers_.assign(size_t{1} << precision_, 0);
  for (const uint64_t held : slots_) {
    if (held != 0) Register(held);
  }
  slots_ = {};
}

void DistinctCounter::Insert(uint64_t hash) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at] != 0 && slots_[at] != hash) at = (at + 1) & mask;
  held_ += slots_[at] == 0 ? 1 : 0;
  slots_[at] = hash;
}

void DistinctCounter::Grow() {
  std::vector<uint64_t> before(slots_.empty() ? kFirstSlots : 2 * slots_.size());
  before.swap(slots_);
  held_ = 0;
  for (const uint64_t hash : before) {
    if (hash != 0) Insert(hash);
  }
}

void DistinctCounter::Register(uint64_t hash) {
  const size_t index = hash >> (64 - precision_);
  const uint64_t rest = (hash << precision_) | (uint64_t{1} << (precision_ - 1));  // ends any run
  const auto run = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  if (run > registers_[index]) registers_[index] = run;
}

uint64_t DistinctCounter::Count() const {
  return IsExact() ? held_ : static_cast<uint64_t>(std::llround(Estimate()));
}

double DistinctCounter::StandardError() const {
  return IsExact() ? 0 : 1.04 / std::sqrt(static_cast<double>(registers_.size()));
}

double DistinctCounter::Estimate() const {
  const int bits = 64 - precision_;
  const double m = static_cast<double>(registers_.size());
  std::array<uint32_t, 66> of_value{};
  for (const uint8_t value : registers_) ++of_value[value];
  double z = m * Tau(1 - static_cast<double>(of_value[static_cast<size_t>(bits) + 1]) / m);
  for (int value = bits; value >= 1; --value)
    z = 0.5 * (z + static_cast<double>(of_value[static_cast<size_t>(value)]));
  z += m * Sigma(static_cast<double>(of_value[0]) / m);
  return kAlphaInfinity * m * m / z;
}

}  // namespace gatebook::review
