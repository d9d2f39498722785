#include "proxy/balancer.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace gatebook::proxy {
namespace {

using namespace std::chrono_literals;

constexpr base::SteadyTime kNow{std::chrono::hours(100)};

config::Upstream Upstream(config::Balance balance, std::vector<uint32_t> weights) {
  config::Upstream upstream;
  upstream.balance = balance;
  upstream.weights = std::move(weights);
  for (size_t i = 0; i < upstream.weights.size(); ++i) {
    upstream.servers.emplace_back();
    upstream.servers.back().text = "10.0.0." + std::to_string(i) + ":80";
  }
  return upstream;
}

// Sessions are random numbers; these are, and the same in every run.
uint64_t Session(uint64_t n) {
  n = (n + 1) * 0x9E3779B97F4A7C15ULL;
  n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return n ^ (n >> 27);
}

std::vector<ServerView> Well(size_t count) { return std::vector<ServerView>(count); }

std::string Sequence(Balancer& balancer, const std::vector<ServerView>& views, int choices) {
  std::string sequence;
  for (int i = 0; i < choices; ++i) {
    const auto server = balancer.Choose(views, 0, kNow);
    sequence += server ? static_cast<char>('a' + *server) : '-';
  }
  return sequence;
}

TEST(Balancer, EqualServersAreTakenInTurn) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {1, 1, 1}));
  EXPECT_EQ(Sequence(balancer, Well(3), 7), "abcabca");
}

TEST(Balancer, WeightsAreKeptExactlyAndSpreadOut) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {5, 1, 1}));
  EXPECT_EQ(Sequence(balancer, Well(3), 14), "aabacaaaabacaa");
}

TEST(Balancer, WhoIsDownFullOrTriedIsPassedOver) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {1, 1, 1, 1}));
  auto views = Well(4);
  views[0].available = false;
  views[1].has_room = false;
  views[2].tried = true;
  EXPECT_EQ(Sequence(balancer, views, 3), "ddd");
}

TEST(Balancer, WhenAllAreDownTheyAreTriedAllTheSame) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {1, 1}));
  auto views = Well(2);
  views[0].available = views[1].available = false;
  EXPECT_EQ(Sequence(balancer, views, 4), "abab");
  views[0].tried = true;
  EXPECT_EQ(Sequence(balancer, views, 2), "bb");
  views[1].tried = true;
  EXPECT_EQ(Sequence(balancer, views, 1), "-");
  EXPECT_FALSE(Balancer::MustWait(views));
}

TEST(Balancer, AfterTheLastThatIsUpFailedTheDownOnesAreTried) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {1, 1}));
  auto views = Well(2);
  views[0].tried = true;
  views[1].available = false;
  EXPECT_EQ(Sequence(balancer, views, 1), "b");
}

TEST(Balancer, AFullServerIsWaitedForRatherThanADownOneTried) {
  Balancer balancer(Upstream(config::Balance::kRoundRobin, {1, 1}));
  auto views = Well(2);
  views[0].has_room = false;
  views[1].available = false;
  EXPECT_EQ(Sequence(balancer, views, 1), "-");
  EXPECT_TRUE(Balancer::MustWait(views));
}

TEST(Balancer, TheLeastBusyForItsWeightIsNext) {
  Balancer balancer(Upstream(config::Balance::kLeastConnections, {2, 1}));
  auto views = Well(2);
  views[0].busy = 3;
  views[1].busy = 2;
  EXPECT_EQ(balancer.Choose(views, 0, kNow), 0U);  // 1.5 against 2
  views[0].busy = 5;
  EXPECT_EQ(balancer.Choose(views, 0, kNow), 1U);  // 2.5 against 2
}

TEST(Balancer, AmongEquallyBusyOnesTurnsAreTaken) {
  Balancer balancer(Upstream(config::Balance::kLeastConnections, {1, 1, 1}));
  auto views = Well(3);
  views[2].busy = 1;
  EXPECT_EQ(Sequence(balancer, views, 4), "abab");
}

TEST(Balancer, ASessionKeepsItsServer) {
  Balancer one(Upstream(config::Balance::kSession, {1, 1, 1}));
  Balancer other(Upstream(config::Balance::kSession, {1, 1, 1}));  // another worker
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(one.Choose(Well(3), Session(i), kNow), other.Choose(Well(3), Session(i), kNow));
  }
}

TEST(Balancer, SessionsAreSpreadByWeight) {
  Balancer balancer(Upstream(config::Balance::kSession, {3, 1}));
  int first = 0;
  for (uint64_t i = 0; i < 10'000; ++i) first += balancer.Choose(Well(2), Session(i), kNow) == 0U ? 1 : 0;
  EXPECT_NEAR(first, 7500, 200);
}

TEST(Balancer, AServerThatLeavesTakesOnlyItsOwnSessionsWithIt) {
  Balancer balancer(Upstream(config::Balance::kSession, {1, 1, 1, 1}));
  auto without = Well(4);
  without[1].available = false;
  std::map<size_t, int> moved_to;
  for (uint64_t i = 0; i < 4'000; ++i) {
    const auto before = balancer.Choose(Well(4), Session(i), kNow);
    const auto after = balancer.Choose(without, Session(i), kNow);
    if (before != 1U) {
      EXPECT_EQ(before, after);
    } else {
      ++moved_to[*after];
    }
  }
  for (const size_t server : {0U, 2U, 3U}) EXPECT_NEAR(moved_to[server], 333, 80) << server;
}

TEST(Balancer, SessionsFollowTheServerAndNotItsPlaceInTheList) {
  config::Upstream upstream = Upstream(config::Balance::kSession, {1, 1, 1});
  config::Upstream shorter = upstream;
  shorter.servers.erase(shorter.servers.begin());
  shorter.weights.pop_back();
  Balancer before(upstream);
  Balancer after(shorter);
  for (uint64_t i = 0; i < 300; ++i) {
    const size_t server = *before.Choose(Well(3), Session(i), kNow);
    if (server == 0) continue;
    EXPECT_EQ(after.Choose(Well(2), Session(i), kNow), server - 1);
  }
}

TEST(Balancer, AServerThatCameBackGrowsToItsShare) {
  config::Upstream upstream = Upstream(config::Balance::kRoundRobin, {1, 1});
  upstream.slow_start = 10s;
  Balancer balancer(upstream);
  auto views = Well(2);
  views[1].available_since = kNow;
  const auto share = [&](base::Duration later) {
    int second = 0;
    for (int i = 0; i < 1100; ++i) second += balancer.Choose(views, 0, kNow + later) == 1U ? 1 : 0;
    return second;
  };
  EXPECT_NEAR(share(0s), 100, 2);   // a tenth of the other's
  EXPECT_NEAR(share(5s), 367, 2);   // half
  EXPECT_NEAR(share(10s), 550, 2);  // as much
}

TEST(Balancer, InSlowStartSessionsComeBackOneByOneAndStay) {
  config::Upstream upstream = Upstream(config::Balance::kSession, {1, 1});
  upstream.slow_start = 10s;
  Balancer balancer(upstream);
  auto views = Well(2);
  views[1].available_since = kNow;
  int back = 0;
  for (uint64_t i = 0; i < 500; ++i) {
    bool was_back = false;
    for (const auto later : {0s, 2s, 4s, 6s, 8s, 10s}) {
      const bool is_back = balancer.Choose(views, Session(i), kNow + later) == 1U;
      EXPECT_TRUE(is_back || !was_back);
      was_back = is_back;
    }
    back += was_back ? 1 : 0;
  }
  EXPECT_NEAR(back, 250, 60);
}

}  // namespace
}  // namespace gatebook::proxy
