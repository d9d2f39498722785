#include "logger/name_service.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gatebook::logger {
namespace {

using base::IpAddress;
using net::DnsAnswer;
using net::DnsStatus;
using namespace std::chrono_literals;

const IpAddress kGuest = *IpAddress::Parse("192.0.2.7");

// Answers when the test says so.
class ScriptedResolver : public net::Resolver {
 public:
  struct Asked : Query {
    Asked(ScriptedResolver& owner, std::string question, Callback answer_to)
        : resolver(owner), text(std::move(question)), callback(std::move(answer_to)) {
      resolver.open.push_back(this);
    }
    ~Asked() override { std::erase(resolver.open, this); }
    ScriptedResolver& resolver;
    std::string text;
    Callback callback;
  };

  std::unique_ptr<Query> ResolvePtr(const IpAddress& ip, Callback callback) override {
    return Begin(ip.ToReverseName(), std::move(callback));
  }
  std::unique_ptr<Query> ResolveForward(const std::string& name, bool v4, Callback callback) override {
    return Begin((v4 ? "A " : "AAAA ") + name, std::move(callback));
  }
  std::unique_ptr<Query> ResolveAddresses(const std::string& name, Callback callback) override {
    return Begin(name, std::move(callback));
  }
  uint64_t queries() const override { return asked; }

  // Answers the oldest open question.
  void Answer(const DnsAnswer& answer) {
    ASSERT_FALSE(open.empty());
    Asked* first = open.front();
    open.erase(open.begin());
    const Callback callback = std::move(first->callback);  // the query may end inside
    callback(answer);
  }

  std::vector<Asked*> open;
  uint64_t asked = 0;

 private:
  std::unique_ptr<Query> Begin(std::string question, Callback callback) {
    ++asked;
    return std::make_unique<Asked>(*this, std::move(question), std::move(callback));
  }
};

DnsAnswer Named(const std::string& name, std::chrono::seconds ttl = 300s) {
  return {DnsStatus::kOk, {name}, {}, ttl};
}
DnsAnswer Addressed(const IpAddress& ip, std::chrono::seconds ttl = 300s) {
  return {DnsStatus::kOk, {}, {ip}, ttl};
}
DnsAnswer Just(DnsStatus status, std::chrono::seconds ttl = -1s) { return {status, {}, {}, ttl}; }

class NameServiceTest : public testing::Test {
 protected:
  NameServiceTest() {
    names_.SetOnResolved([this](const IpAddress& ip) { resolved_.push_back(ip); });
  }
  static IpAddress Ip(uint32_t n) { return IpAddress::FromV4(0x0a000000 + n); }

  base::ManualClock clock_{base::WallTime(std::chrono::hours(1))};
  base::MetricsBlock metrics_;
  ScriptedResolver resolver_;
  NameService names_{resolver_, {.cache_size = 1000, .most_pending = 50}, clock_, metrics_};
  std::vector<IpAddress> resolved_;
};

TEST_F(NameServiceTest, ConfirmsANameThatLeadsBack) {
  EXPECT_FALSE(names_.Ask(kGuest).has_value());
  EXPECT_FALSE(names_.Peek(kGuest).has_value());
  EXPECT_EQ(resolver_.open.at(0)->text, "7.2.0.192.in-addr.arpa");
  resolver_.Answer(Named("guest.example"));
  EXPECT_FALSE(names_.Peek(kGuest).has_value());
  EXPECT_EQ(resolver_.open.at(0)->text, "A guest.example");
  resolver_.Answer(Addressed(kGuest));
  EXPECT_EQ(resolved_, std::vector<IpAddress>{kGuest});
  const auto name = names_.Peek(kGuest);
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->check, DnsCheck::kConfirmed);
  EXPECT_EQ(name->text, "guest.example");
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsConfirmed), 1U);
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsQueries), 2U);
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsPending), 0U);
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsCached), 1U);
}

TEST_F(NameServiceTest, DoesNotConfirmANameThatLeadsElsewhere) {
  for (const DnsAnswer& forward :
       {Addressed(Ip(9)), Just(DnsStatus::kNone), Just(DnsStatus::kTimeout), Just(DnsStatus::kFailed)}) {
    const IpAddress ip = Ip(static_cast<uint32_t>(resolver_.asked) + 100);
    names_.Ask(ip);
    resolver_.Answer(Named("bank.example"));
    resolver_.Answer(forward);
    EXPECT_EQ(names_.Peek(ip)->check, DnsCheck::kUnconfirmed);
    EXPECT_EQ(names_.Peek(ip)->text, "bank.example");
  }
}

TEST_F(NameServiceTest, AsksForAddressesOfTheRightFamily) {
  const auto six = *IpAddress::Parse("2001:db8::1");
  names_.Ask(six);
  resolver_.Answer(Named("six.example"));
  EXPECT_EQ(resolver_.open.at(0)->text, "AAAA six.example");
}

TEST_F(NameServiceTest, SaysWhyThereIsNoName) {
  const std::vector<std::pair<DnsStatus, DnsCheck>> cases = {{DnsStatus::kNone, DnsCheck::kNone},
                                                             {DnsStatus::kInvalid, DnsCheck::kInvalid},
                                                             {DnsStatus::kTimeout, DnsCheck::kTimeout},
                                                             {DnsStatus::kFailed, DnsCheck::kTimeout}};
  for (const auto& [status, check] : cases) {
    const IpAddress ip = Ip(static_cast<uint32_t>(resolver_.asked));
    names_.Ask(ip);
    resolver_.Answer(Just(status));
    EXPECT_EQ(names_.Ask(ip)->check, check);
    EXPECT_EQ(names_.Ask(ip)->text, "");
  }
  EXPECT_EQ(names_.Peek(kGuest)->check, DnsCheck::kSkipped);
}

TEST_F(NameServiceTest, TakesTheSameOfSeveralNamesEachTime) {
  names_.Ask(kGuest);
  resolver_.Answer({DnsStatus::kOk, {"c.example", "a.example", "b.example"}, {}, 300s});
  EXPECT_EQ(resolver_.open.at(0)->text, "A a.example");
}

TEST_F(NameServiceTest, AsksOnceForOneAddress) {
  for (int i = 0; i < 10; ++i) names_.Ask(kGuest);
  EXPECT_EQ(resolver_.asked, 1U);
  resolver_.Answer(Just(DnsStatus::kNone));
  names_.Ask(kGuest);
  EXPECT_EQ(resolver_.asked, 1U);
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsCacheHits), 1U);
}

TEST_F(NameServiceTest, KeepsWhatItLearntAsLongAsDnsSaysWithinBounds) {
  const std::vector<std::pair<DnsAnswer, std::chrono::seconds>> cases = {
      {Just(DnsStatus::kNone), 300s},    {Just(DnsStatus::kNone, 0s), 60s},
      {Just(DnsStatus::kNone, 24h), 1h}, {Just(DnsStatus::kTimeout), 30s},
      {Just(DnsStatus::kFailed), 30s},   {Just(DnsStatus::kInvalid, 90s), 90s},
      {Named("a.example", 0s), 60s},     {Named("a.example", 600s), 300s},
      {Named("a.example", 100s), 100s}};
  for (const auto& [answer, kept] : cases) {
    const IpAddress ip = Ip(static_cast<uint32_t>(resolver_.asked));
    names_.Ask(ip);
    resolver_.Answer(answer);
    if (answer.status == DnsStatus::kOk) resolver_.Answer(Addressed(ip, 300s));
    clock_.Advance(kept - 1s);
    EXPECT_NE(names_.Peek(ip)->check, DnsCheck::kSkipped) << kept.count();
    clock_.Advance(1s);
    EXPECT_EQ(names_.Peek(ip)->check, DnsCheck::kSkipped) << kept.count();
    EXPECT_FALSE(names_.Ask(ip).has_value());
    resolver_.Answer(Just(DnsStatus::kNone));
  }
}

TEST_F(NameServiceTest, SkipsWhatIsTooMuch) {
  for (uint32_t n = 0; n < 50; ++n) EXPECT_FALSE(names_.Ask(Ip(n)).has_value());
  EXPECT_EQ(names_.Ask(Ip(50))->check, DnsCheck::kSkipped);
  EXPECT_FALSE(names_.Ask(Ip(49)).has_value());
  EXPECT_EQ(names_.pending(), 50U);
  EXPECT_EQ(resolver_.asked, 50U);
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsSkipped), 1U);
  resolver_.Answer(Just(DnsStatus::kNone));
  EXPECT_FALSE(names_.Ask(Ip(50)).has_value());
}

TEST_F(NameServiceTest, AsksDeadServersOnlyNowAndThenAndHealsAtTheFirstAnswer) {
  for (uint32_t n = 0; n < NameService::kTimeoutsToBreak; ++n) {
    EXPECT_FALSE(names_.IsBroken());
    names_.Ask(Ip(n));
    resolver_.Answer(Just(DnsStatus::kTimeout));
  }
  EXPECT_TRUE(names_.IsBroken());
  const uint64_t before = resolver_.asked;
  for (uint32_t n = 100; n < 200; ++n) {
    EXPECT_EQ(names_.Ask(Ip(n))->check, DnsCheck::kTimeout);
    EXPECT_EQ(names_.Peek(Ip(n))->check, DnsCheck::kTimeout);
  }
  EXPECT_EQ(resolver_.asked, before);
  for (uint32_t n = 200; n < 300; ++n) {  // a second in all
    names_.Ask(Ip(n));
    clock_.Advance(10ms);
  }
  EXPECT_GE(resolver_.asked, before + 3);
  EXPECT_LE(resolver_.asked, before + 5);
  resolver_.Answer(Just(DnsStatus::kFailed));
  EXPECT_TRUE(names_.IsBroken());
  resolver_.Answer(Just(DnsStatus::kNone));
  EXPECT_FALSE(names_.IsBroken());
  EXPECT_FALSE(names_.Ask(Ip(100)).has_value());
}

TEST_F(NameServiceTest, MayBeAskedWhileItTellsAResult) {
  names_.SetOnResolved([this](const IpAddress& ip) {
    resolved_.push_back(ip);
    EXPECT_EQ(names_.Peek(ip)->check, DnsCheck::kNone);
    names_.Ask(Ip(77));
  });
  names_.Ask(kGuest);
  resolver_.Answer(Just(DnsStatus::kNone));
  EXPECT_EQ(names_.pending(), 1U);
}

TEST_F(NameServiceTest, CancelsWhatIsUnderWayWhenItEnds) {
  {
    NameService names(resolver_, {}, clock_, metrics_);
    names.Ask(kGuest);
    EXPECT_EQ(resolver_.open.size(), 1U);
  }
  EXPECT_TRUE(resolver_.open.empty());
  EXPECT_EQ(metrics_.Get(base::Metric::kDnsPending), 0U);
}

}  // namespace
}  // namespace gatebook::logger
