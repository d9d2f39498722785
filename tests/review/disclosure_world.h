// Visitors made by chance, what is true of them, and whether published figures tell of too few.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "review/day_figures.h"
#include "review/dimension.h"
#include "review/publication.h"

namespace gatebook::review {

using logger::StoredVisit;
using namespace std::chrono_literals;

constexpr Day kDay = std::chrono::sys_days(std::chrono::year(2026) / 11 / 16);  // a Monday
constexpr config::Statistics kRules{.k = 10, .round = 20};

inline StoredVisit Visit(const std::string& session, uint32_t network, base::WallTime at) {
  StoredVisit visit;
  visit.arrival = at;
  visit.session = session;
  visit.ip = std::to_string(20 + network / 65536) + "." + std::to_string(network / 256 % 256) + "." +
             std::to_string(network % 256) + ".7";
  visit.host = "www.example.com";
  visit.path = "/";
  visit.channel = "direct";
  visit.status = 200;
  visit.purpose = logger::kPurposeAdministrative | logger::kPurposeStatistics;
  return visit;
}

// A day of a treacherous world, by time.
inline std::vector<StoredVisit> World(uint32_t seed, uint32_t networks) {
  std::mt19937 random(seed);
  const auto below = [&random](uint32_t bound) { return random() % bound; };
  // Small numbers are frequent.
  const auto rare = [&](uint32_t bound) { return std::min({below(bound), below(bound), below(bound)}); };
  const char* channels[] = {"search", "direct", "referral", "social", "internal", "campaign"};
  const char* countries[] = {"FI", "SE", "DE", "EE", "NO", "", "PL", "IS"};
  const char* agents[] = {"Mozilla/5.0 (X11; Linux)", "iPhone Mobile", "curl/8", "iPad", "?"};
  std::vector<StoredVisit> visits;
  for (uint32_t network = 0; network < networks; ++network) {
    const uint32_t country = rare(8);
    const uint32_t sessions = below(12) == 0 ? 40 + below(60) : 1 + rare(4);
    for (uint32_t n = 0; n < sessions; ++n) {
      const std::string id =
          std::to_string(random()) + "-" + std::to_string(network) + "-" + std::to_string(n);
      StoredVisit visit = Visit(id, network, kDay + std::chrono::minutes(below(1300)));
      visit.country = countries[country];
      visit.user_agent = agents[rare(5)];
      const uint32_t channel = rare(6);
      visit.channel = channels[channel];
      if (channel != 1)
        visit.referrer = "https://site" + std::to_string(rare(6)) + "." + visit.channel + ".example";
      // Nearly all see the front page and their country's; the few others are all of one country.
      const bool is_odd = country == 0 && below(30) == 0;
      const uint32_t pages = is_odd ? 1 : 2 + rare(6);
      for (uint32_t page = 0; page < pages; ++page) {
        visit.path = page == 0   ? "/"
                     : page == 1 ? std::string("/in/") + countries[country]
                                 : "/" + std::to_string(rare(12));
        visit.status = is_odd ? 404 : page < 2 ? 200 : visit.path == "/7" ? 101 : below(9) == 0 ? 404 : 200;
        visits.push_back(visit);
        visit.arrival += std::chrono::minutes(below(20));
      }
    }
  }
  std::stable_sort(visits.begin(), visits.end(),
                   [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
  return visits;
}

inline CountedDay Counted(const std::vector<StoredVisit>& visits, const config::Statistics& rules = kRules) {
  DaySample sample(rules.SessionsOfANetwork());
  for (const StoredVisit& visit : visits) sample.Take(visit);
  return sample.Finish();
}
inline DayFigures Figures(const std::vector<StoredVisit>& visits, const config::Statistics& rules = kRules) {
  return DayFigures::Of(kDay, Counted(visits, rules), rules);
}

// All that a figure stands for, counted from the visits without any of the code under test.
struct Crowd {
  std::set<std::string> sessions;
  std::set<std::string> networks;
  void Add(const StoredVisit& visit) {
    sessions.insert(visit.session);
    networks.insert(visit.ip);  // one address a network in these worlds
  }
  void Add(const Crowd& other) {
    sessions.insert(other.sessions.begin(), other.sessions.end());
    networks.insert(other.networks.begin(), other.networks.end());
  }
};
using Name = std::pair<std::string, std::string>;  // parent and value
inline std::map<Name, Crowd> Truth(const std::vector<StoredVisit>& visits, PublishedDimension dimension) {
  std::map<Name, Crowd> truth;
  std::map<std::string, Name> source_of;
  std::string scratch;
  for (const StoredVisit& visit : visits) {
    Name name;
    switch (dimension) {
      case PublishedDimension::kSource:
        name = source_of.try_emplace(visit.session, visit.channel, visit.referrer).first->second;
        break;
      case PublishedDimension::kCountry:
        name = {"", visit.country};
        break;
      case PublishedDimension::kDevice:
        name = {"", std::string(ValueOf(visit, Dimension::kDevice, scratch))};
        break;
      case PublishedDimension::kHour:
        name = {"", std::string(ValueOf(visit, Dimension::kHour, scratch))};
        break;
      case PublishedDimension::kStatus:
        name = {"", std::to_string(visit.status)};
        break;
      case PublishedDimension::kPage:
        if (visit.status < 200 || visit.status >= 400) continue;
        name = {"", visit.host + visit.path};
        break;
    }
    truth[name].Add(visit);
  }
  return truth;
}

inline void ExpectEnough(const Crowd& crowd, const std::string& what) {
  EXPECT_GE(crowd.sessions.size(), kRules.k) << what;
  EXPECT_GE(crowd.networks.size(), kRules.k) << what;
}

// What each told figure stands for, by its place in the tree.
inline std::map<Name, Crowd> ToldCrowds(const std::vector<FigureRow>& rows,
                                        const std::map<Name, Crowd>& truth, bool tree) {
  std::map<Name, Crowd> told;
  std::set<std::string> named, with_parts;
  std::set<Name> named_parts;
  for (const FigureRow& row : rows) {
    if (row.IsOther()) continue;
    named.insert(row.value);
    if (!row.parts.empty()) with_parts.insert(row.value);
    for (const FigureRow& part : row.parts) {
      if (!part.IsOther()) named_parts.insert({row.value, part.value});
    }
  }
  for (const auto& [name, crowd] : truth) {
    const std::string& top = tree ? name.first : name.second;
    if (!named.contains(top)) {
      told[{"", ""}].Add(crowd);
    } else if (!with_parts.contains(top)) {
      told[{"", top}].Add(crowd);
    } else {
      told[named_parts.contains(name) ? name : Name{top, ""}].Add(crowd);
    }
  }
  return told;
}

inline const FigureRow* FindRow(const std::vector<FigureRow>& rows, const std::string& value) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const FigureRow& row) { return row.value == value; });
  return found == rows.end() ? nullptr : &*found;
}
// Whether there is a figure of this place in the tree.
inline bool IsTold(const std::vector<FigureRow>& rows, const Name& name, bool tree) {
  if (!tree || name.first.empty()) return FindRow(rows, name.second) != nullptr;
  const FigureRow* parent = FindRow(rows, name.first);
  return parent != nullptr && FindRow(parent->parts, name.second) != nullptr;
}
// Whether the cell belongs among the others at `name`.
inline bool HidesIn(const std::vector<FigureRow>& rows, const Name& name, bool tree, const Cell& cell) {
  if (!tree) return FindRow(rows, cell.value) == nullptr || cell.value.empty();
  const FigureRow* parent = FindRow(rows, cell.parent);
  if (name.first.empty()) return parent == nullptr;
  return name.first == cell.parent && parent != nullptr &&
         (cell.value.empty() || FindRow(parent->parts, cell.value) == nullptr);
}

}  // namespace gatebook::review
