#include "net/resolver.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_dns.h"

namespace gatebook::net {
namespace {

using base::IpAddress;
using support::Bytes;
using support::DnsMessage;
using support::DnsQuestion;
using support::FakeDns;
using namespace std::chrono_literals;

const IpAddress kGuest = *IpAddress::Parse("192.0.2.7");
constexpr char kGuestReverse[] = "7.2.0.192.in-addr.arpa";
constexpr auto kPatient = 20s;  // never waited for by a test that passes

std::vector<Bytes> Silence(const DnsQuestion&) { return {}; }
std::vector<Bytes> GuestName(const DnsQuestion& q) {
  return DnsMessage(q.message).Ptr(kGuestReverse, "Guest.Example.ORG", 123);
}

class ResolverTest : public testing::Test {
 protected:
  void Start(FakeDns::Script script, std::chrono::milliseconds timeout = kPatient) {
    server_ = std::make_unique<FakeDns>(std::move(script));
    StartOn(server_->port(), timeout);
  }
  void StartOnDeadPort() { StartOn(FakeDns(Silence).port(), kPatient); }
  void StartOn(uint16_t port, std::chrono::milliseconds timeout) {
    auto resolver = Resolver::Make(loop_, {{{*IpAddress::Parse("127.0.0.1"), port}}, timeout});
    ASSERT_TRUE(resolver.ok()) << resolver.error().message;
    resolver_ = std::move(resolver).value();
  }
  Resolver::Callback Take() {
    return [this](const DnsAnswer& answer) {
      ++calls_;
      answer_ = answer;
    };
  }
  DnsAnswer Wait() {
    answer_.reset();
    while (!answer_) loop_.RunOnce(true);
    return *answer_;
  }
  DnsAnswer AskPtr(const IpAddress& ip = kGuest) {
    const auto query = resolver_->ResolvePtr(ip, Take());
    return Wait();
  }

  Loop loop_;
  std::unique_ptr<FakeDns> server_;
  std::unique_ptr<Resolver> resolver_;
  std::optional<DnsAnswer> answer_;
  int calls_ = 0;
};

TEST_F(ResolverTest, FindsANameAndItsTtl) {
  Start(GuestName);
  const DnsAnswer answer = AskPtr();
  EXPECT_EQ(answer.status, DnsStatus::kOk);
  EXPECT_EQ(answer.names, std::vector<std::string>{"guest.example.org"});
  EXPECT_EQ(answer.ttl, 123s);
}

TEST_F(ResolverTest, FindsTheNameOfAnIpv6Address) {
  const auto ip = *IpAddress::Parse("2001:db8::1");
  Start([&](const DnsQuestion& q) { return DnsMessage(q.message).Ptr(ip.ToReverseName(), "six.example"); });
  EXPECT_EQ(AskPtr(ip).names, std::vector<std::string>{"six.example"});
}

TEST_F(ResolverTest, FollowsAliasesOfClasslessReverseZones) {
  Start([](const DnsQuestion& q) {
    return DnsMessage(q.message)
        .Cname(kGuestReverse, "7.0/25.2.0.192.in-addr.arpa", 60)
        .Ptr("7.0/25.2.0.192.in-addr.arpa", "guest.example", 600);
  });
  const DnsAnswer answer = AskPtr();
  EXPECT_EQ(answer.names, std::vector<std::string>{"guest.example"});
  EXPECT_EQ(answer.ttl, 60s);
}

TEST_F(ResolverTest, SaysForHowLongThereIsNoName) {
  Start([](const DnsQuestion& q) { return DnsMessage(q.message, 3).Soa("2.0.192.in-addr.arpa", 900, 120); });
  const DnsAnswer answer = AskPtr();
  EXPECT_EQ(answer.status, DnsStatus::kNone);
  EXPECT_EQ(answer.ttl, 120s);
}

TEST_F(ResolverTest, TellsAnEmptyAnswerFromAFailure) {
  Start([](const DnsQuestion& q) { return DnsMessage(q.message); });
  EXPECT_EQ(AskPtr().status, DnsStatus::kNone);
  Start([](const DnsQuestion& q) { return DnsMessage(q.message, 2); });
  EXPECT_EQ(AskPtr().status, DnsStatus::kFailed);
}

TEST_F(ResolverTest, AsksAgainByTcpWhenTheAnswerWasCutShort) {
  Start([](const DnsQuestion& q) {
    DnsMessage message(q.message);
    return q.tcp ? message.Ptr(kGuestReverse, "long.example") : message.Truncated();
  });
  EXPECT_EQ(AskPtr().names, std::vector<std::string>{"long.example"});
}

TEST_F(ResolverTest, IgnoresAnswersWithAnotherId) {
  Start([](const DnsQuestion& q) {
    Bytes forged = DnsMessage(q.message).Ptr(kGuestReverse, "forged.example").bytes();
    forged[0] ^= 0x55;
    return std::vector<Bytes>{forged, DnsMessage(q.message).Ptr(kGuestReverse, "true.example").bytes()};
  });
  EXPECT_EQ(AskPtr().names, std::vector<std::string>{"true.example"});
}

TEST_F(ResolverTest, IgnoresRecordsOfOtherNames) {
  Start([](const DnsQuestion& q) {
    return DnsMessage(q.message).Ptr("8.2.0.192.in-addr.arpa", "other.example");
  });
  EXPECT_EQ(AskPtr().status, DnsStatus::kNone);
}

TEST_F(ResolverTest, RefusesNamesThatAreNone) {
  for (const std::string& name :
       {std::string("a\x1b[31m.example"), std::string("a b.example"), std::string("a\0b.example", 11),
        std::string("<script>.example"), std::string("a\r\nb.example"), std::string("10.0.0.1"),
        std::string("\xc3\xa4.example"), std::string("a/b.example"), std::string("a\\.example")}) {
    Start([&](const DnsQuestion& q) { return DnsMessage(q.message).Ptr(kGuestReverse, name); });
    const DnsAnswer answer = AskPtr();
    EXPECT_EQ(answer.status, DnsStatus::kInvalid) << name;
    EXPECT_TRUE(answer.names.empty());
  }
  // A dot inside a label.
  Start([](const DnsQuestion& q) {
    return DnsMessage(q.message).Record(kGuestReverse, DnsType::kPtr, 60,
                                        {9, 'b', 'a', 'n', 'k', '.', 't', 'e', 's', 't', 1, 'x', 0});
  });
  EXPECT_EQ(AskPtr().status, DnsStatus::kInvalid);
}

TEST_F(ResolverTest, SurvivesCompressionLoops) {
  Start([](const DnsQuestion& q) {
    const size_t at = DnsMessage(q.message).bytes().size() + DnsMessage::NameBytes(kGuestReverse).size() + 10;
    return DnsMessage(q.message).Record(kGuestReverse, DnsType::kPtr, 60, {0xc0, static_cast<uint8_t>(at)});
  });
  EXPECT_EQ(AskPtr().status, DnsStatus::kInvalid);
}

TEST_F(ResolverTest, GivesUpOnASilentServerAtTheTotalTimeout) {
  Start(Silence, 150ms);
  const auto before = base::Clock::System().SteadyNow();
  EXPECT_EQ(AskPtr().status, DnsStatus::kTimeout);
  const auto took = base::Clock::System().SteadyNow() - before;
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 5s);
}

TEST_F(ResolverTest, FailsAtOnceWhereNobodyListens) {
  StartOnDeadPort();
  EXPECT_EQ(AskPtr().status, DnsStatus::kFailed);
}

TEST_F(ResolverTest, NeverAnswersBeforeTheStartReturned) {
  StartOnDeadPort();
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  for (int i = 0; i < 100; ++i) {
    queries.push_back(resolver_->ResolvePtr(kGuest, Take()));
    EXPECT_EQ(calls_, 0);
  }
  queries.push_back(resolver_->ResolveAddresses("127.0.0.1", Take()));
  EXPECT_EQ(calls_, 0);
  while (calls_ < 101) loop_.RunOnce(true);
}

TEST_F(ResolverTest, FailsBeyondItsLimit) {
  Start(Silence);
  std::vector<std::unique_ptr<Resolver::Query>> queries;
  for (size_t i = 0; i < Resolver::kMostQueries; ++i) {
    queries.push_back(resolver_->ResolvePtr(kGuest, [](const DnsAnswer&) {}));
  }
  EXPECT_EQ(AskPtr().status, DnsStatus::kFailed);
}

TEST_F(ResolverTest, ACancelledQueryIsSilent) {
  Start(GuestName);
  auto cancelled = resolver_->ResolvePtr(kGuest, [](const DnsAnswer&) { FAIL(); });
  const auto other = resolver_->ResolvePtr(*IpAddress::Parse("192.0.2.8"), Take());
  cancelled.reset();
  Wait();
  EXPECT_EQ(calls_, 1);
}

TEST_F(ResolverTest, AQueryMayEndItselfAndBeginOthers) {
  Start(GuestName);
  std::unique_ptr<Resolver::Query> first;
  std::unique_ptr<Resolver::Query> second;
  first = resolver_->ResolvePtr(kGuest, [&](const DnsAnswer&) {
    first.reset();
    second = resolver_->ResolveForward("guest.example", true, Take());
  });
  Wait();
  EXPECT_EQ(calls_, 1);
}

TEST_F(ResolverTest, QueriesMayOutliveTheResolver) {
  Start(Silence);
  const auto query = resolver_->ResolvePtr(kGuest, [](const DnsAnswer&) { FAIL(); });
  loop_.RunOnce(false);
  resolver_.reset();
}

TEST_F(ResolverTest, ConfirmsByAddressesOfOneFamily) {
  Start([](const DnsQuestion& q) {
    DnsMessage message(q.message);
    return q.type == 1 ? message.Address(q.name, "192.0.2.7", 99)
                       : message.Address(q.name, "2001:db8::7", 99);
  });
  const auto v4 = resolver_->ResolveForward("guest.example", true, Take());
  EXPECT_EQ(Wait().addresses, std::vector<IpAddress>{kGuest});
  const auto v6 = resolver_->ResolveForward("guest.example", false, Take());
  const DnsAnswer answer = Wait();
  EXPECT_EQ(answer.addresses, std::vector<IpAddress>{*IpAddress::Parse("2001:db8::7")});
  EXPECT_EQ(answer.ttl, 99s);
}

TEST_F(ResolverTest, FindsBothFamiliesOfAHost) {
  Start([](const DnsQuestion& q) {
    DnsMessage message(q.message);
    return q.type == 1 ? message.Address(q.name, "192.0.2.7") : message.Address(q.name, "2001:db8::7");
  });
  const auto query = resolver_->ResolveAddresses("upstream.example", Take());
  EXPECT_EQ(Wait().addresses.size(), 2U);
  const auto local = resolver_->ResolveAddresses("localhost", Take());
  EXPECT_TRUE(Wait().addresses.at(0).IsLoopback());
}

TEST_F(ResolverTest, KeepsALateAnswerApartFromTheNextQuestion) {
  Start(
      [](const DnsQuestion& q) -> std::vector<Bytes> {
        if (q.name == kGuestReverse) return {};
        return DnsMessage(q.message).Ptr(q.name, "prompt.example");
      },
      100ms);
  EXPECT_EQ(AskPtr().status, DnsStatus::kTimeout);
  EXPECT_EQ(AskPtr(*IpAddress::Parse("192.0.2.8")).names, std::vector<std::string>{"prompt.example"});
  EXPECT_EQ(calls_, 2);
}

}  // namespace
}  // namespace gatebook::net
