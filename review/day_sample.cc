#include "review/day_sample.h"

#include <xxhash.h>

#include <algorithm>

#include "base/ip_address.h"
#include "review/dimension.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostValues = 200'000;
constexpr size_t kMostValuesOfASession = 256;
constexpr size_t kNetworkBytesV4 = 12 + 3;  // of the mapped form: /24
constexpr size_t kNetworkBytesV6 = 6;       // /48

constexpr std::string_view kNames[] = {
#define GATEBOOK_NAME(enumerator, name, heading) name,
    GATEBOOK_PUBLISHED_DIMENSIONS(GATEBOOK_NAME)
#undef GATEBOOK_NAME
};
constexpr std::string_view kHeadings[] = {
#define GATEBOOK_HEADING(enumerator, name, heading) heading,
    GATEBOOK_PUBLISHED_DIMENSIONS(GATEBOOK_HEADING)
#undef GATEBOOK_HEADING
};

std::string_view NetworkOf(const base::IpAddress& ip) {
  const size_t bytes = ip.IsV4() ? kNetworkBytesV4 : kNetworkBytesV6;
  return {reinterpret_cast<const char*>(ip.bytes().data()), bytes};
}

// Session ids are random and signed: nobody chooses theirs, so this needs no key, and a second counting of
// the day takes the same ones.
uint64_t HashOfSession(std::string_view session) { return XXH3_64bits(session.data(), session.size()); }

bool IsPage(const logger::StoredVisit& visit) { return visit.status >= 200 && visit.status < 400; }

}  // namespace

std::string_view NameOf(PublishedDimension dimension) { return kNames[static_cast<size_t>(dimension)]; }
std::string_view HeadingOf(PublishedDimension dimension) { return kHeadings[static_cast<size_t>(dimension)]; }

DaySample::DaySample(uint32_t sessions_of_a_network, size_t most_networks)
    : sessions_of_a_network_(sessions_of_a_network), most_networks_(most_networks) {}

void DaySample::Take(const logger::StoredVisit& visit) {
  if ((visit.purpose & logger::kPurposeStatistics) == 0 || visit.session.empty()) return;
  const uint64_t id = HashOfSession(visit.session);
  Session* session = Admit(visit, id);
  if (session == nullptr) return;
  using enum PublishedDimension;
  if (session->cells.empty()) {
    Put(*session, kSource, visit.channel, visit.referrer);
    Put(*session, kCountry, {}, ValueOf(visit, Dimension::kCountry, scratch_));
    Put(*session, kDevice, {}, ValueOf(visit, Dimension::kDevice, scratch_));
  }
  Put(*session, kHour, {}, ValueOf(visit, Dimension::kHour, scratch_));
  Put(*session, kStatus, {}, ValueOf(visit, Dimension::kStatus, scratch_));
  if (IsPage(visit)) Put(*session, kPage, {}, ValueOf(visit, Dimension::kPage, scratch_));
}

DaySample::Session* DaySample::Admit(const logger::StoredVisit& visit, uint64_t id) {
  if (const auto found = sessions_.find(id); found != sessions_.end()) return &found->second;
  const auto ip = base::IpAddress::Parse(visit.ip);
  if (!ip) return nullptr;
  const uint64_t network = hash_(NetworkOf(*ip));
  if (halvings_ > 0 && (network >> (64 - halvings_)) != 0) return nullptr;
  std::vector<uint64_t>& members = networks_[network];
  if (members.size() == sessions_of_a_network_) {
    if (id > members.back()) return nullptr;
    sessions_.erase(members.back());
    members.pop_back();
  }
  members.insert(std::upper_bound(members.begin(), members.end(), id), id);
  Session& session = sessions_[id];
  session.network = network;
  if (networks_.size() <= most_networks_) return &session;
  Thin();
  const auto still = sessions_.find(id);
  return still == sessions_.end() ? nullptr : &still->second;
}

void DaySample::Thin() {
  ++halvings_;
  for (auto network = networks_.begin(); network != networks_.end();) {
    if ((network->first >> (64 - halvings_)) == 0) {
      ++network;
      continue;
    }
    for (const uint64_t id : network->second) sessions_.erase(id);
    network = networks_.erase(network);
  }
}

void DaySample::Put(Session& session, PublishedDimension dimension, std::string_view parent,
                    std::string_view value) {
  if (session.cells.size() >= kMostValuesOfASession) value = {};
  const uint32_t number = NumberOf(dimension, parent, value);
  const auto place = std::lower_bound(session.cells.begin(), session.cells.end(), number);
  if (place == session.cells.end() || *place != number) session.cells.insert(place, number);
}

uint32_t DaySample::NumberOf(PublishedDimension dimension, std::string_view parent, std::string_view value) {
  const auto key_of = [&] {
    std::string key(1, static_cast<char>(dimension));
    return key.append(parent).append(1, '\0').append(value);
  };
  std::string key = key_of();
  if (names_.size() >= kMostValues && !numbers_.contains(key)) {
    value = {};
    key = key_of();
  }
  const auto [found, is_new] = numbers_.try_emplace(std::move(key), static_cast<uint32_t>(names_.size()));
  if (is_new) names_.push_back({dimension, std::string(parent), std::string(value)});
  return found->second;
}

CountedDay DaySample::Finish() const {
  CountedDay day;
  day.scale = uint32_t{1} << halvings_;
  std::vector<Cell> cells;
  for (const CellName& name : names_) cells.push_back({name.parent, name.value, {}});
  for (const auto& [network, members] : networks_) {
    bool any = false;
    for (const uint64_t id : members) {
      const auto number = static_cast<uint32_t>(day.network_of.size());
      for (const uint32_t cell : sessions_.at(id).cells) cells[cell].sessions.push_back(number);
      day.network_of.push_back(day.networks);
      day.hash_of.push_back(id);
      any = true;
    }
    day.networks += any ? 1 : 0;
  }
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].sessions.empty()) continue;  // of sessions that made room for others
    day.cells[static_cast<size_t>(names_[i].dimension)].push_back(std::move(cells[i]));
  }
  return day;
}

}  // namespace gatebook::review
