// The rights of a person: what is stored is shown whole, and what is erased stays erased.
#include <bit>
#include <filesystem>
#include <fstream>

#include "logger/visit_index.h"
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

class SubjectTest : public EdgeTest {
 protected:
  // A session of so many visits, and its id.
  std::string Visit(int visits, const std::string& source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    for (int i = 0; i < visits; ++i) {
      const auto answer = client.Get("/page/" + std::to_string(i));
      EXPECT_TRUE(answer && answer->status() == 200);
    }
    return upstream_->last_request().Field("x-session-id").value_or("");
  }
  support::Finished Subject(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "subject");
    return edge_->Command(std::move(arguments));
  }
  // Whether the text stands in a file of Redis or of the edge.
  static std::vector<std::string> FilesWith(const std::string& directory, const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() && support::ReadFile(entry.path()).find(text) != std::string::npos) {
        found.push_back(entry.path());
      }
    }
    return found;
  }
  // In how many minutes the index has the session.
  size_t TimesIndexed(const std::string& session) {
    size_t times = 0;
    for (const std::string& key : Keys("gb:index:*")) {
      const auto minutes = logger::MinutesWithSession(redis_->Ask({"get", key}),
                                                      logger::IndexDigest(*logger::ParseSessionId(session)));
      times += static_cast<size_t>(std::popcount(minutes));
    }
    return times;
  }
  std::string RedisDirectory() { return std::filesystem::path(redis_->socket()).parent_path(); }
};

TEST_F(SubjectTest, ASessionIsExportedWholeAndThenErasedEverywhere) {
  WithNames();
  Start();
  const std::string session = Visit(5, "127.0.0.2");
  const std::string other = Visit(3, "127.0.0.3");
  ASSERT_EQ(edge_->WaitForVisits(8).size(), 8u);

  const auto exported = Subject({"export", "--session", session});
  ASSERT_EQ(exported.exit_code, 0) << exported.errors;
  const json whole = json::parse(exported.output);
  ASSERT_EQ(whole["visits"].size(), 5u) << exported.output;
  EXPECT_EQ(whole["visits"][0]["ip"], "127.0.0.2");
  EXPECT_EQ(whole["visits"][0]["dns"], support::kGuestName);
  EXPECT_EQ(whole["visits"][4]["path"], "/page/4");
  ASSERT_EQ(whole["sessions"].size(), 1u);
  EXPECT_EQ(whole["sessions"][0]["id"], session);
  EXPECT_EQ(whole["sessions"][0]["ip"], "127.0.0.2");

  const auto erased = Subject({"erase", "--session", session});
  ASSERT_EQ(erased.exit_code, 0) << erased.errors;
  const json receipt = json::parse(erased.output);
  EXPECT_EQ(receipt["removed"]["visits"], 5);
  EXPECT_GE(receipt["removed"]["index_elements"].get<int>(), 1);
  EXPECT_EQ(receipt["edge_told"], true);
  EXPECT_EQ(receipt["aof_rewrite"], "asked");
  EXPECT_EQ(receipt["receipt"].get<std::string>().size(), 22u);
  EXPECT_EQ(receipt["subject"]["digest"].get<std::string>().size(), 64u);
  EXPECT_EQ(erased.output.find(session), std::string::npos);
  EXPECT_EQ(erased.output.find("127.0.0.2"), std::string::npos);

  EXPECT_EQ(Subject({"export", "--session", session}).exit_code, 1);
  EXPECT_EQ(Subject({"erase", "--session", session}).exit_code, 1);
  EXPECT_EQ(edge_->Visits().size(), 3u);
  EXPECT_EQ(TimesIndexed(session), 0u);
  EXPECT_GE(TimesIndexed(other), 1u);
  ASSERT_TRUE(edge_->WaitDelivered());
  // The journal holds what is delivered for some 10 s, Redis's file until it is written anew.
  EXPECT_TRUE(WaitUntil([&] {
    return FilesWith(edge_->journal_directory(), std::string("/page/4")).empty() &&
           FilesWith(RedisDirectory(), session).empty();
  }));
}

TEST_F(SubjectTest, WhatWaitsInTheJournalNeverComes) {
  support::SilentDnsServer silent;
  options_.dns = silent.address();
  Say("dns", "timeout = \"4s\"");
  Start();
  const std::string session = Visit(4);
  const std::string other = Visit(1);
  const auto exported = Subject({"export", "--session", session});
  ASSERT_EQ(exported.exit_code, 0) << exported.errors;
  EXPECT_EQ(json::parse(exported.output)["waiting_in_journal"].size(), 4u) << exported.output;
  const auto erased = Subject({"erase", "--session", session});
  ASSERT_EQ(erased.exit_code, 0) << erased.errors;
  EXPECT_EQ(json::parse(erased.output)["waiting_in_journal"], 4);
  EXPECT_EQ(edge_->WaitForVisits(1).size(), 1u);
  ASSERT_TRUE(edge_->WaitDelivered());
  EXPECT_EQ(edge_->Visits().size(), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_visits_dropped_total{reason=\"erased\"}"), 4u);
  EXPECT_EQ(TimesIndexed(session), 0u);
}

TEST_F(SubjectTest, AReplayAfterAKillBringsNothingBack) {
  // A Redis that forgets all when it is killed, and an edge that is killed before it lets go of anything.
  redis_ = std::make_unique<support::RedisServer>(std::vector<std::string>{"--appendonly", "yes"});
  Start();
  const std::string session = Visit(6);
  const std::string other = Visit(2);
  ASSERT_EQ(edge_->WaitForVisits(8).size(), 8u);
  const auto erased = Subject({"erase", "--session", session});
  ASSERT_EQ(erased.exit_code, 0) << erased.errors;
  edge_->Kill();
  redis_->Ask({"flushall"});
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  const uint64_t erased_again = edge_->Metric("gatebook_visits_dropped_total{reason=\"erased\"}");
  ASSERT_TRUE(edge_->WaitDelivered());
  for (const json& visit : edge_->Visits()) EXPECT_NE(visit["session"], session);
  EXPECT_EQ(TimesIndexed(session), 0u);
  EXPECT_LE(erased_again, 6u);
}

TEST_F(SubjectTest, ALongExchangeOfAnErasedSessionLeavesNothingWhenItEnds) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/slow") != std::string::npos)
      connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, "hello"));
  });
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/quick"));
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("");
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  client.Send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_exchanges_open") == 1; }));
  ASSERT_EQ(Subject({"erase", "--session", session}).exit_code, 0);
  go_ = true;
  ASSERT_TRUE(client.ReadResponse());
  ASSERT_TRUE(WaitUntil([&] {
    return edge_->Metric("gatebook_visits_dropped_total{reason=\"erased\"}") == 1;
  })) << "it arrived before the erasure";
  EXPECT_TRUE(edge_->Visits().empty());
  // Who goes on as a visitor after the erasure is a visitor again.
  ASSERT_TRUE(client.Get("/later"));
  EXPECT_EQ(edge_->WaitForVisits(1).size(), 1u);
}

TEST_F(SubjectTest, OfAnAddressAWindowIsErasedAndTheReasonKept) {
  Start();
  Visit(3, "127.0.0.2");
  const std::string other = Visit(2, "127.0.0.3");
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const auto erased =
      Subject({"erase", "--ip", "127.0.0.2", "--since", "1h", "--reason", "letter of 3 March"});
  ASSERT_EQ(erased.exit_code, 0) << erased.errors;
  const json receipt = json::parse(erased.output);
  EXPECT_EQ(receipt["removed"]["visits"], 3);
  EXPECT_GE(receipt["removed"]["index_elements"].get<int>(), 1);
  EXPECT_EQ(receipt["reason"], "letter of 3 March");
  EXPECT_EQ(erased.output.find("127.0.0.2"), std::string::npos);
  EXPECT_EQ(edge_->Visits({"--ip", "127.0.0.2"}).size(), 0u);
  EXPECT_EQ(edge_->Visits().size(), 2u);
  EXPECT_EQ(
      Subject({"erase", "--ip", "127.0.0.3", "--since", "3h", "--until", "2h", "--reason", "x"}).exit_code, 1)
      << "nothing in that window";
}

TEST_F(SubjectTest, WhatIsAskedWrongIsAnsweredWithTheRightForm) {
  Start();
  const auto says = [&](std::vector<std::string> arguments, const std::string& form) {
    const auto finished = Subject(std::move(arguments));
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.errors, testing::HasSubstr(form));
  };
  says({"export"}, "--session ID");
  says({"export", "--session", "short"}, "22 letters");
  says({"erase", "--ip", "1.2.3", "--since", "1h", "--reason", "x"}, "192.0.2.1");
  says({"erase", "--ip", "192.0.2.1", "--reason", "x"}, "--since");
  says({"erase", "--ip", "192.0.2.1", "--since", "1h"}, "--reason");
  says({"erase", "--ip", "192.0.2.1", "--since", "yesterday", "--reason", "x"}, "2026-11-23T21:00:00Z");
  says({"erase", "--ip", "192.0.2.1", "--since", "1h", "--until", "2999-01-01T00:00:00Z", "--reason", "x"},
       "in the future");
  says({"erase", "--ip", "192.0.2.1", "--since", "1h", "--until", "2h", "--reason", "x"}, "not before");
  const auto nobody = Subject({"erase", "--session", std::string(21, 'A') + "A"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.errors, testing::HasSubstr("nothing is stored"));
}

}  // namespace
}  // namespace gatebook::e2e
