#include "review/minutes_to_read.h"

#include <algorithm>

namespace gatebook::review {
namespace {

using logger::MinutesOfHour;

constexpr size_t kAskedAtOnce = 16;
constexpr size_t kMostDigests = 64;
constexpr MinutesOfHour kAll = ~MinutesOfHour{0};

template <typename Ids>
std::vector<uint32_t> DigestsOf(const Ids& ids) {
  std::vector<uint32_t> digests;
  for (const auto& id : ids) digests.push_back(logger::IndexDigest(id));
  return digests;
}

template <typename MinutesWith>
MinutesOfHour AnyOf(std::string_view index, const std::vector<uint32_t>& digests, MinutesWith minutes_with) {
  MinutesOfHour minutes = 0;
  for (const uint32_t digest : digests) minutes |= minutes_with(index, digest);
  return minutes;
}

}  // namespace

MinutesToRead::MinutesToRead(std::vector<Lane> lanes, uint64_t first, uint64_t last)
    : lanes_(std::move(lanes)),
      first_(first),
      last_(last),
      hours_(last < first ? 0 : logger::HourOfMinute(last) - logger::HourOfMinute(first) + 1) {}

bool MinutesToRead::Has(size_t lane, uint64_t minute) const {
  if (of_hours_.empty()) return true;
  const size_t hour = logger::HourOfMinute(minute) - logger::HourOfMinute(first_);
  return (of_hours_[lane * hours_ + hour] >> (minute % 60) & 1) != 0;
}

base::Status MinutesToRead::Narrow(logger::RedisClient& client, const QueryNeeds& needs) {
  const auto is_few = [](const auto& ids) { return ids && ids->size() <= kMostDigests; };
  const bool by_session = is_few(needs.sessions), by_address = is_few(needs.addresses);
  if (!by_session && !by_address) return {};
  const auto sessions = by_session ? DigestsOf(*needs.sessions) : std::vector<uint32_t>();
  const auto addresses = by_address ? DigestsOf(*needs.addresses) : std::vector<uint32_t>();
  of_hours_.assign(lanes_.size() * hours_, kAll);
  const auto ask = [&](size_t i) {
    const Lane& lane = lanes_[i / hours_];
    client.Append(
        {"GET", logger::IndexKey(lane.edge, lane.worker, logger::HourOfMinute(first_) + i % hours_)});
  };
  size_t asked = 0;
  for (size_t i = 0; i < of_hours_.size(); ++i) {
    for (; asked < std::min(of_hours_.size(), i + kAskedAtOnce); ++asked) ask(asked);
    const auto reply = client.Receive();
    if (!reply) return reply.error();
    if ((*reply)->type != logger::RedisReply::Type::kString) continue;
    const std::string_view index = (*reply)->text;
    if (by_session) of_hours_[i] &= AnyOf(index, sessions, logger::MinutesWithSession);
    if (by_address) of_hours_[i] &= AnyOf(index, addresses, logger::MinutesWithAddress);
  }
  return {};
}

}  // namespace gatebook::review
