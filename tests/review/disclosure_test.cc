// Attacks on publications: whatever is subtracted from whatever, no group of fewer than k networks shows.
//
// Worlds are random, and made to be treacherous: sites lie in one channel, countries follow networks, pages
// follow countries, some networks make a hundred times as many sessions as others.

#include "tests/review/disclosure_world.h"

namespace gatebook::review {
namespace {

TEST(Disclosure, NoFigureStandsForFewerThanKSessionsOrNetworksNotEvenTheOthers) {
  size_t told_figures = 0;
  size_t others = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    const auto visits = World(seed, 15 + seed * 6);
    const CountedDay counted = Counted(visits);
    const DayFigures figures = DayFigures::Of(kDay, counted, kRules);
    for (size_t i = 0; i < kPublishedDimensions; ++i) {
      const auto dimension = static_cast<PublishedDimension>(i);
      const bool tree = dimension == PublishedDimension::kSource;
      const auto crowds = ToldCrowds(figures.rows[i], Truth(visits, dimension), tree);
      if (figures.rows[i].empty()) continue;
      for (const auto& [name, crowd] : crowds) {
        if (!IsTold(figures.rows[i], name, tree)) {
          // Then none of the sessions that are counted is among them.
          for (const Cell& cell : counted.cells[i]) {
            EXPECT_FALSE(HidesIn(figures.rows[i], name, tree, cell))
                << cell.parent << " " << cell.value << " seed " << seed;
          }
          continue;
        }
        ExpectEnough(crowd, std::string(NameOf(dimension)) + " " + name.first + " " + name.second + " seed " +
                                std::to_string(seed));
        ++told_figures;
        others += name.second.empty() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(told_figures, 1000u);
  EXPECT_GT(others, 100u);
}

TEST(Disclosure, PartsAddUpToTheirWholeAndEveryFigureIsAMultiple) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const DayFigures figures = Figures(World(seed, 150));
    EXPECT_GT(figures.sessions, 0u);
    EXPECT_EQ(figures.sessions % kRules.round, 0u);
    for (const auto& rows : figures.rows) {
      for (const FigureRow& row : rows) {
        EXPECT_GT(row.sessions, 0u);
        EXPECT_EQ(row.sessions % kRules.round, 0u);
        uint64_t sum = 0;
        for (const FigureRow& part : row.parts) sum += part.sessions;
        if (!row.parts.empty()) {
          EXPECT_EQ(sum, row.sessions);
        }
      }
    }
  }
}

TEST(Disclosure, FewerThanKNetworksNeverMoveAnyCountByAWholeStep) {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const auto visits = World(seed, 120);
    const CountedDay with = Counted(visits);
    std::mt19937 random(seed);
    std::set<std::string> gone;  // the heaviest and some at random
    std::map<std::string, std::set<std::string>> sessions_of;
    for (const StoredVisit& visit : visits) sessions_of[visit.ip].insert(visit.session);
    std::vector<std::pair<size_t, std::string>> by_weight;
    for (const auto& [ip, sessions] : sessions_of) by_weight.emplace_back(sessions.size(), ip);
    std::sort(by_weight.rbegin(), by_weight.rend());
    for (size_t i = 0; i < kRules.k - 1; ++i)
      gone.insert(by_weight[i % 2 == 0 ? i : random() % by_weight.size()].second);
    std::vector<StoredVisit> fewer;
    for (const StoredVisit& visit : visits) {
      if (!gone.contains(visit.ip)) fewer.push_back(visit);
    }
    const CountedDay without = Counted(fewer);
    EXPECT_LT(with.network_of.size() - without.network_of.size(), kRules.round);
    for (size_t i = 0; i < kPublishedDimensions; ++i) {
      std::map<Name, size_t> before, after;
      for (const Cell& cell : with.cells[i]) before[{cell.parent, cell.value}] = cell.sessions.size();
      for (const Cell& cell : without.cells[i]) after[{cell.parent, cell.value}] = cell.sessions.size();
      for (const auto& [name, count] : before) EXPECT_LT(count - after[name], kRules.round) << name.second;
    }
  }
}

// The attacker knows that all of one told figure's sessions are in another's (every visitor of a page is of
// one country, say), and subtracts; if the same group is left of other pairs, too, what each says of it is
// put together. What is left may be one visitor; it must not be seen to be few.
TEST(Disclosure, CrossingAnyTwoFiguresOfADayShowsNoGroupBelowK) {
  const auto k = static_cast<int64_t>(kRules.k);
  const auto round = static_cast<int64_t>(kRules.round);
  size_t small_groups = 0;
  size_t narrowed = 0;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    const auto visits = World(seed, 40 + seed);
    const CountedDay counted = Counted(visits);
    const DayFigures figures = DayFigures::Of(kDay, counted, kRules);
    std::vector<std::pair<int64_t, SessionSet>> told;
    SessionSet all(counted.network_of.size());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    told.emplace_back(figures.sessions, all);
    for (size_t i = 0; i < kPublishedDimensions; ++i) {
      for (const Cell& cell : counted.cells[i]) {
        for (const FigureRow& row : figures.rows[i]) {
          if (cell.parent.empty() && row.value == cell.value && !row.IsOther())
            told.emplace_back(row.sessions, cell.sessions);
          for (const FigureRow& part : row.parts) {
            if (cell.parent == row.value && part.value == cell.value && !part.IsOther()) {
              told.emplace_back(part.sessions, cell.sessions);
            }
          }
        }
      }
    }
    std::map<SessionSet, std::pair<int64_t, int64_t>> known;
    for (const auto& [large, whole] : told) {
      for (const auto& [little, part] : told) {
        // Fewer than k networks have no more sessions that are counted.
        if (whole.size() - part.size() > (kRules.k - 1) * kRules.SessionsOfANetwork()) continue;
        if (!std::includes(whole.begin(), whole.end(), part.begin(), part.end())) continue;
        SessionSet rest;
        std::set_difference(whole.begin(), whole.end(), part.begin(), part.end(), std::back_inserter(rest));
        std::set<uint32_t> networks;
        for (const uint32_t session : rest) networks.insert(counted.network_of[session]);
        if (rest.empty() || networks.size() >= kRules.k) continue;
        EXPECT_LT(static_cast<int64_t>(rest.size()), round) << "seed " << seed;
        // All that the two figures say of the rest.
        auto& [least, most] = known.try_emplace(rest, -round, 1'000'000).first->second;
        least = std::max(least, large - little - round + 1);
        most = std::min(most, large - little + round - 1);
      }
    }
    for (const auto& [rest, bounds] : known) {
      const auto& [least, most] = bounds;
      EXPECT_LE(least, static_cast<int64_t>(rest.size()));
      EXPECT_GE(most, static_cast<int64_t>(rest.size()));
      EXPECT_TRUE(least <= 0 || most >= k) << "a group of " << rest.size() << " shows, seed " << seed;
      narrowed += most - least < 2 * round - 2 ? 1 : 0;
    }
    small_groups += known.size();
  }
  EXPECT_GT(narrowed, 0u) << "no group was met from two sides";
  EXPECT_GT(small_groups, 100u) << "the worlds are not treacherous enough";
}

std::map<Day, DayFigures> Month(uint32_t seed) {
  std::map<Day, DayFigures> days;
  const Period month = *Period::Parse(Period::Kind::kMonth, "2026-11");
  for (const Day day : month.Days()) {
    ++seed;
    if (seed % 11 == 0) continue;  // one that nobody counted
    // From a few visitors to many.
    DayFigures figures = Figures(World(seed, seed % 7 == 0 ? 5 : 30 + seed % 90));
    figures.day = day;
    days.emplace(day, figures);
  }
  return days;
}

uint64_t Find(const std::vector<FigureRow>& rows, const std::string& value) {
  for (const FigureRow& row : rows) {
    if (row.value == value) return row.sessions;
  }
  return 0;
}

TEST(Disclosure, WeeksAndMonthsLessTheirDaysLeaveNothing) {
  for (uint32_t seed = 100; seed < 103; ++seed) {
    const auto days = Month(seed);
    for (const char* name : {"2026-W46", "2026-W47", "2026-W48", "2026-11"}) {
      const auto kind = std::string_view(name).find('W') == std::string_view::npos ? Period::Kind::kMonth
                                                                                   : Period::Kind::kWeek;
      const Period period = *Period::Parse(kind, name);
      const Publication publication = MakePublication(period, days, kRules);
      uint64_t sessions = 0;
      std::map<std::string, uint64_t> sums[kPublishedDimensions];
      for (const auto& line : publication.days) {
        // As whoever reads the publications has it: from the day's own.
        const Publication of_day =
            MakePublication(Period::Containing(Period::Kind::kDay, line.day), days, kRules);
        sessions += of_day.sessions;
        for (size_t i = 0; i < kPublishedDimensions; ++i) {
          for (const FigureRow& row : of_day.rows[i]) sums[i][row.value] += row.sessions;
        }
      }
      EXPECT_EQ(publication.sessions, sessions);
      for (size_t i = 0; i < kPublishedDimensions; ++i) {
        EXPECT_EQ(publication.rows[i].size(), sums[i].size());
        for (const auto& [value, sum] : sums[i]) EXPECT_EQ(Find(publication.rows[i], value), sum) << value;
        for (const FigureRow& row : publication.rows[i]) {
          uint64_t parts = 0;
          for (const FigureRow& part : row.parts) parts += part.sessions;
          if (!row.parts.empty()) {
            EXPECT_EQ(parts, row.sessions);
          }
        }
      }
    }
  }
}

TEST(Disclosure, WhenOneVisitorLessMakesAFigureVanishItMayStillHaveHadEnough) {
  size_t vanished = 0;
  size_t with_enough = 0;
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    const auto visits = World(seed, 60);
    const DayFigures all = Figures(visits);
    std::set<std::string> networks;
    for (const StoredVisit& visit : visits) networks.insert(visit.ip);
    for (const std::string& gone : networks) {
      std::vector<StoredVisit> fewer;
      for (const StoredVisit& visit : visits) {
        if (visit.ip != gone) fewer.push_back(visit);
      }
      const CountedDay counted = Counted(fewer);
      const DayFigures figures = DayFigures::Of(kDay, counted, kRules);
      EXPECT_LE(all.sessions - figures.sessions, kRules.round);
      for (size_t i = 0; i < kPublishedDimensions; ++i) {
        for (const FigureRow& row : all.rows[i]) {
          if (row.IsOther() || !row.parts.empty()) continue;
          const uint64_t now = Find(figures.rows[i], row.value);
          if (now > 0) {
            const FigureRow* same = nullptr;
            for (const FigureRow& one : figures.rows[i]) same = one.value == row.value ? &one : same;
            if (same->parts.empty()) {
              EXPECT_LE(row.sessions - now, kRules.round);
            }
            continue;
          }
          ++vanished;
          for (const Cell& cell : counted.cells[i]) {
            if (cell.value != row.value && cell.parent != row.value) continue;
            std::set<uint32_t> left;
            for (const uint32_t session : cell.sessions) left.insert(counted.network_of[session]);
            with_enough += left.size() >= kRules.k ? 1 : 0;
          }
        }
      }
    }
  }
  EXPECT_GT(vanished, 20u);
  EXPECT_GT(with_enough, vanished / 4) << "a figure that vanishes says that there were k - 1";
}

TEST(Disclosure, FewerVisitorsThanKAndNoneLookAlike) {
  EXPECT_EQ(Figures(World(1, 9)), Figures({}));
  EXPECT_EQ(Figures({}).sessions, 0u);
}

TEST(Disclosure, WhoObjectedIsInNoFigure) {
  auto visits = World(3, 200);
  const DayFigures before = Figures(visits);
  auto more = World(4, 100);
  for (StoredVisit& visit : more) {
    visit.purpose = logger::kPurposeAdministrative;
    visit.session += "objected";
  }
  visits.insert(visits.end(), more.begin(), more.end());
  std::stable_sort(visits.begin(), visits.end(),
                   [](const auto& a, const auto& b) { return a.arrival < b.arrival; });
  EXPECT_EQ(Figures(visits), before);
}

TEST(Disclosure, ADayCountedTwiceIsTheSame) {
  const auto visits = World(5, 300);
  EXPECT_EQ(Figures(visits), Figures(visits));
  EXPECT_EQ(DayFigures::FromJson(Figures(visits).ToJson()), Figures(visits));
}

TEST(Disclosure, DamagedFiguresAreRefused) {
  const std::string whole = Figures(World(6, 200)).ToJson();
  ASSERT_TRUE(DayFigures::FromJson(whole));
  for (size_t i = 0; i < whole.size(); i += 7) EXPECT_FALSE(DayFigures::FromJson(whole.substr(0, i)));
  for (const char* odd : {"", "[]", "{}", "{\"day\":1}", "{\"day\":\"2026-11-27\",\"k\":-1}"}) {
    EXPECT_FALSE(DayFigures::FromJson(odd)) << odd;
  }
}

TEST(DaySample, OfANetworkNoMoreSessionsAreCountedThanAreAllowedHoweverManyThereAre) {
  DaySample sample(2);
  for (uint32_t i = 0; i < 5000; ++i) {
    StoredVisit visit = Visit("flood" + std::to_string(i), 1, kDay + 1h);
    visit.ip = "192.0.2." + std::to_string(i % 256);
    sample.Take(visit);
    visit.session += "v6";
    visit.ip = "2001:db8:1:" + std::to_string(i % 1000) + "::" + std::to_string(i % 77);
    sample.Take(visit);
  }
  const CountedDay day = sample.Finish();
  EXPECT_EQ(day.networks, 2u);
  EXPECT_EQ(day.network_of.size(), 4u);
}

TEST(DaySample, WithMoreNetworksThanItHoldsItCountsAShareOfThemForAll) {
  constexpr uint32_t kNetworks = 40'000;
  DaySample sample(2, 1000);
  for (uint32_t network = 0; network < kNetworks; ++network) {
    StoredVisit visit = Visit(std::to_string(network * 2654435761U), network, kDay + 1h);
    visit.path = network % 4 == 0 ? "/quarter" : "/";
    sample.Take(visit);
  }
  const CountedDay day = sample.Finish();
  EXPECT_LE(day.networks, 1000u);
  EXPECT_GE(day.scale, 64u);
  const double all = static_cast<double>(day.network_of.size()) * day.scale;
  EXPECT_NEAR(all, kNetworks, 0.25 * kNetworks);  // 500 drawn: 4.5 % of standard error
  const DayFigures figures = DayFigures::Of(kDay, day, kRules);
  EXPECT_EQ(figures.sampled, day.scale);
  EXPECT_NEAR(static_cast<double>(Find(figures.rows[static_cast<size_t>(PublishedDimension::kPage)],
                                       "www.example.com/quarter")),
              kNetworks / 4, 0.4 * kNetworks / 4);
}

}  // namespace
}  // namespace gatebook::review
