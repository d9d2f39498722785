#include "logger/redis_keys.h"

#include <algorithm>
#include <charconv>

namespace gatebook::logger {
namespace {

void AppendNumber(std::string& to, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(digits, end);
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void AppendVisitsKey(std::string& to, std::string_view edge, uint32_t worker, uint64_t minute) {
  to.append("gb:visits:{").append(edge).push_back('.');
  AppendNumber(to, worker);
  to.push_back('.');
  AppendNumber(to, minute);
  to.push_back('}');
}

std::string VisitsKey(std::string_view edge, uint32_t worker, uint64_t minute) {
  std::string key;
  AppendVisitsKey(key, edge, worker, minute);
  return key;
}

base::WallTime DeadlineOf(base::WallTime arrival, std::chrono::milliseconds retention, base::WallTime now) {
  return std::min(arrival, now) + retention;
}

void AppendEntryId(std::string& to, uint64_t milliseconds, uint32_t n) {
  AppendNumber(to, milliseconds);
  to.push_back('-');
  AppendNumber(to, n);
}

bool ParseEntryId(std::string_view text, VisitId* id) {
  const size_t dash = text.find('-');
  return dash != std::string_view::npos && ParseNumber(text.substr(0, dash), &id->milliseconds) &&
         ParseNumber(text.substr(dash + 1), &id->n);
}

std::string ToText(const EdgeClaim& claim) {
  std::string text = claim.instance + ' ';
  AppendNumber(text, claim.workers);
  text.push_back(' ');
  AppendNumber(text, static_cast<uint64_t>(claim.seen.time_since_epoch().count()));
  return text;
}

bool ParseEdgeClaim(std::string_view text, EdgeClaim* claim) {
  const size_t first = text.find(' ');
  const size_t second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  if (second == std::string_view::npos) return false;
  uint64_t seen = 0;
  if (!ParseNumber(text.substr(first + 1, second - first - 1), &claim->workers) ||
      !ParseNumber(text.substr(second + 1), &seen)) {
    return false;
  }
  claim->instance = text.substr(0, first);
  claim->seen = base::WallTime(std::chrono::milliseconds(seen));
  return true;
}

}  // namespace gatebook::logger
