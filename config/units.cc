#include "config/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "base/ascii.h"
#include "base/check.h"

namespace gatebook::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr std::array<Unit, 6> kDurationUnits = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr uint64_t kLongestDuration = 36'500ULL * 86'400'000;  // ms

constexpr std::array<Unit, 4> kSizeUnits = {
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};
constexpr uint64_t kLargestSize = 1ULL << 63;  // bytes

struct Kind {
  std::string_view noun;
  std::span<const Unit> units;
  std::string_view unit_list;
  uint64_t most;
};

constexpr Kind kDuration = {"duration", kDurationUnits, "ms, s, min, h or d", kLongestDuration};
constexpr Kind kSize = {"size", kSizeUnits, "B, KiB, MiB or GiB", kLargestSize};

base::Result<uint64_t> ParseAmount(std::string_view text, const Kind& kind) {
  size_t digits = 0;
  while (digits < text.size() && base::IsAsciiDigit(text[digits])) ++digits;
  if (digits == 0) {
    return base::Error{
        fmt::format("not a {}: write a whole number and a unit ({})", kind.noun, kind.unit_list)};
  }
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + digits, number);
  const bool overflows = parsed.ec != std::errc();
  const std::string_view name = text.substr(digits);
  if (name.empty()) {
    return base::Error{fmt::format("the {} has no unit: write {}", kind.noun, kind.unit_list)};
  }
  if (name.front() == '.' || name.front() == ',') {
    return base::Error{
        fmt::format("a {} is a whole number: use a smaller unit ({})", kind.noun, kind.unit_list)};
  }
  for (const Unit& unit : kind.units) {
    if (unit.name != name) continue;
    if (overflows || number > kind.most / unit.factor) {
      return base::Error{fmt::format("the {} is too large", kind.noun)};
    }
    return number * unit.factor;
  }
  return base::Error{fmt::format("the unit of the {} is unknown: write {}", kind.noun, kind.unit_list)};
}

}  // namespace

base::Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const auto amount = ParseAmount(text, kDuration);
  if (!amount.ok()) return amount.error();
  return std::chrono::milliseconds(static_cast<int64_t>(*amount));
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  CHECK(duration.count() >= 0);
  const uint64_t milliseconds = static_cast<uint64_t>(duration.count());
  const auto in = [&](uint64_t factor) { return milliseconds % factor == 0 && milliseconds >= factor; };
  // One day is a word for a date as well as a length: "24h" is what people write.
  if (in(86'400'000) && milliseconds > 86'400'000) return fmt::format("{}d", milliseconds / 86'400'000);
  if (in(3'600'000)) return fmt::format("{}h", milliseconds / 3'600'000);
  if (in(60'000)) return fmt::format("{}min", milliseconds / 60'000);
  if (milliseconds % 1000 == 0) return fmt::format("{}s", milliseconds / 1000);
  return fmt::format("{}ms", milliseconds);
}

base::Result<uint64_t> ParseSize(std::string_view text) { return ParseAmount(text, kSize); }

std::string FormatSize(uint64_t bytes) {
  for (size_t i = kSizeUnits.size(); i-- > 0;) {
    const Unit& unit = kSizeUnits[i];
    if (bytes >= unit.factor && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
  }
  return "0B";
}

}  // namespace gatebook::config
