// The book: what stands in it of a visit, and when Redis destroys it.
#include <chrono>
#include <filesystem>

#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

constexpr char kAgent[] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

int64_t NowMilliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class BookTest : public EdgeTest {};

TEST_F(BookTest, AFirstVisitStandsInRedisWithAllItsFields) {
  WithNames();
  Start();
  RawClient client(edge_->Tls("127.0.0.2"));
  const auto answer =
      client.Get("/pricing?utm_source=letter&utm_medium=email&utm_campaign=autumn&secret=1",
                 "User-Agent: " + std::string(kAgent) + "\r\nReferer: https://news.example.org/a?b=c\r\n");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status(), 200);
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  const json& visit = visits[0];
  SCOPED_TRACE(visit.dump(1));
  EXPECT_THAT(visit["id"].get<std::string>(), testing::MatchesRegex("test\\.0-[0-9]+-[0-9]+"));
  EXPECT_THAT(visit["time"].get<std::string>(),
              testing::MatchesRegex("20[0-9-]{8}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"));
  EXPECT_EQ(visit["session"], upstream_->last_request().Field("x-session-id"));
  EXPECT_EQ(visit["session_new"], true);
  EXPECT_EQ(visit["ip"], "127.0.0.2");
  EXPECT_EQ(visit["dns"], support::kGuestName);
  EXPECT_EQ(visit["dns_check"], "confirmed");
  EXPECT_EQ(visit["channel"], "campaign");
  EXPECT_EQ(visit["referrer"], "https://news.example.org");
  EXPECT_EQ(visit["utm_source"], "letter");
  EXPECT_EQ(visit["utm_medium"], "email");
  EXPECT_EQ(visit["utm_campaign"], "autumn");
  EXPECT_EQ(visit["method"], "GET");
  EXPECT_EQ(visit["host"], "localhost");
  EXPECT_EQ(visit["path"], "/pricing");
  EXPECT_THAT(visit.dump(), testing::Not(testing::HasSubstr("secret")));
  EXPECT_EQ(visit["status"], 200);
  EXPECT_EQ(visit["bytes_in"], 0);
  EXPECT_EQ(visit["bytes_out"], 5);
  EXPECT_GT(visit["duration_us"].get<int64_t>(), 0);
  EXPECT_GT(visit["upstream_us"].get<int64_t>(), 0);
  EXPECT_LE(visit["upstream_us"].get<int64_t>(), visit["duration_us"].get<int64_t>());
  EXPECT_EQ(visit["protocol"], "h1");
  EXPECT_THAT(visit["tls"].dump(), testing::HasSubstr("1.3"));
  EXPECT_EQ(visit["user_agent"], kAgent);
  EXPECT_THAT(visit["purpose"].dump(), testing::HasSubstr("administrative"));
  EXPECT_EQ(visit["policy"], "2025-09-01");
}

TEST_F(BookTest, EveryKeyHasADeadlineAndNoVisitOutlivesThirtyDays) {
  Behind([this](UpstreamConnection& connection, HttpMessage& request) {
    if (request.first_line.find("/slow") != std::string::npos)
      connection.WaitFor([this] { return go_.load(); });
    connection.Send(Answer(200, ""));
  });
  Start();
  const int64_t before = NowMilliseconds();
  // The slow one came first and is written last: its deadline counts for the key as well.
  RawClient slow(edge_->Tls()), quick(edge_->Tls());
  ASSERT_TRUE(slow.Send(Request("GET /slow")));
  ASSERT_TRUE(upstream_->WaitForRequests(1));
  const int64_t slow_came_by = NowMilliseconds();
  ASSERT_TRUE(WaitUntil([&] { return NowMilliseconds() > slow_came_by + 100; }));
  ASSERT_TRUE(quick.Get("/quick"));
  ASSERT_TRUE(edge_->WaitDelivered());
  go_ = true;
  ASSERT_TRUE(slow.ReadResponse());
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  const int64_t after = NowMilliseconds();
  constexpr int64_t kThirtyDays = int64_t{30} * 24 * 3600 * 1000;
  for (const std::string& key : Keys("gb:visits:*")) {
    const int64_t deadline = std::stoll(redis_->Ask({"pexpiretime", key}));
    // A minute may end between the two; then each has a key of its own.
    if (redis_->Ask({"xlen", key}) == "2") {
      EXPECT_LE(deadline, slow_came_by + kThirtyDays);
    }
    EXPECT_LE(deadline, after + kThirtyDays);
    EXPECT_GE(deadline, before + kThirtyDays - 90'000);
  }
  const auto index = Keys("gb:index:*");
  ASSERT_GE(index.size(), 1u);
  for (const std::string& key : index) {
    EXPECT_LE(std::stoll(redis_->Ask({"pexpiretime", key})), after + kThirtyDays);
    EXPECT_GE(std::stoll(redis_->Ask({"pexpiretime", key})), before + kThirtyDays - 90'000);
  }
  for (const std::string& key : Keys("*")) {
    EXPECT_GT(std::stoll(redis_->Ask({"pttl", key})), 0) << key << " would stay for ever";
  }
}

TEST_F(BookTest, AShorterRetentionIsKept) {
  Say("visit", "retention = \"2h\"");
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/"));
  const int64_t after = NowMilliseconds();
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const auto keys = Keys("gb:visits:*");
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_LE(std::stoll(redis_->Ask({"pexpiretime", keys[0]})), after + 2 * 3600 * 1000);
}

TEST_F(BookTest, PersonalPartsOfPathsAndQueriesAreNotRecordedAnywhere) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/calls/+358401234567/notes"));
  ASSERT_TRUE(client.Get("/reset/someone%40example.com"));
  ASSERT_TRUE(client.Get("/join/dGhpcyBpcyBhIHZlcnkgbG9uZyBzZWNyZXQgdG9rZW4"));
  ASSERT_TRUE(client.Get("/search?q=someone@example.com&phone=0401234567"));
  const auto visits = edge_->WaitForVisits(4);
  ASSERT_EQ(visits.size(), 4u);
  EXPECT_EQ(visits[0]["path"], "/calls/{number}/notes");
  EXPECT_EQ(visits[1]["path"], "/reset/{email}");
  EXPECT_EQ(visits[2]["path"], "/join/{token}");
  EXPECT_EQ(visits[3]["path"], "/search");
  // The upstream gets what was sent; only the book is masked.
  EXPECT_THAT(upstream_->requests()[0].first_line, testing::HasSubstr("+358401234567"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(edge_->journal_directory())) {
    if (!entry.is_regular_file()) continue;
    const std::string content = support::ReadFile(entry.path());
    for (const char* personal : {"358401234567", "someone", "dGhpcyBpcy", "0401234567"}) {
      EXPECT_EQ(content.find(personal), std::string::npos) << entry.path();
    }
  }
}

TEST_F(BookTest, CredentialsAndBodiesAreNotRecordedAnywhere) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(
      client.Send("POST /login HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c2VjcmV0\r\n"
                  "Cookie: app=topsecret\r\nContent-Length: 14\r\n\r\npassword=hush!"));
  ASSERT_TRUE(client.ReadResponse());
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const std::string stored = redis_->Ask({"xrange", Keys("gb:visits:*").at(0), "-", "+"});
  for (const char* secret : {"c2VjcmV0", "topsecret", "hush"})
    EXPECT_EQ(stored.find(secret), std::string::npos);
  EXPECT_EQ(edge_->process().Errors().find("127.0.0.1 "), std::string::npos)
      << "the operations log names a visitor";
}

TEST_F(BookTest, WhoHasAWholeAnswerStandsInTheBookEvenAfterKillNine) {
  Start();
  // Redis hears nothing, so all that counts is the journal.
  redis_->Kill();
  constexpr int kVisits = 40;
  {
    RawClient client(edge_->Tls());
    for (int i = 0; i < kVisits; ++i) ASSERT_TRUE(client.Get("/" + std::to_string(i)));
    edge_->Kill();
  }
  redis_->Start();
  ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  const auto visits = edge_->WaitForVisits(kVisits);
  ASSERT_EQ(visits.size(), static_cast<size_t>(kVisits));
  for (int i = 0; i < kVisits; ++i)
    EXPECT_EQ(visits[static_cast<size_t>(i)]["path"], "/" + std::to_string(i));
}

TEST_F(BookTest, ARefusedRequestIsAVisitTooWithItsReason) {
  Start();
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n"));
  const auto answer = client.ReadResponse();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 400);
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["status"], 400);
  EXPECT_EQ(visits[0]["denied"], "repeated_host");
}

TEST_F(BookTest, SeveralWorkersKeepOneBook) {
  options_.workers = 3;
  Start();
  for (int i = 0; i < 30; ++i) {
    RawClient client(edge_->Plain());
    ASSERT_TRUE(client.Get("/" + std::to_string(i)));
  }
  const auto visits = edge_->WaitForVisits(30);
  ASSERT_EQ(visits.size(), 30u);
  std::set<std::string> ids;
  for (const json& visit : visits) ids.insert(visit["id"].get<std::string>());
  EXPECT_EQ(ids.size(), 30u);
}

}  // namespace
}  // namespace gatebook::e2e
