// A visitor sees what is stored of their session, and has it erased, by themselves.
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

constexpr char kPath[] = "/.well-known/gatebook/my-visits";

class MyVisitsTest : public EdgeTest {
 protected:
  // A session's cookie, as "Cookie: …\r\n", after so many visits under it.
  std::string Visit(int visits, const std::string& source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    std::string cookie;
    for (int i = 0; i < visits; ++i) {
      const auto answer = client.Get("/page/" + std::to_string(i), cookie);
      EXPECT_TRUE(answer && answer->status() == 200);
      const std::string set = answer->Field("set-cookie").value_or("");
      if (!set.empty()) cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    }
    session_ = upstream_->last_request().Field("x-session-id").value_or("");
    return cookie;
  }
  HttpMessage Ask(const std::string& method, const std::string& fields,
                  const std::string& source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    client.Send(Request(method + " " + kPath, fields));
    return client.ReadResponse().value_or(HttpMessage{});
  }
  std::string session_;
};

TEST_F(MyVisitsTest, WhoHoldsTheCookieSeesTheirVisitsAndNobodyElses) {
  Start();
  const std::string cookie = Visit(3, "127.0.0.2");
  const std::string session = session_;
  Visit(2, "127.0.0.3");
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const HttpMessage answer = Ask("GET", cookie, "127.0.0.2");
  ASSERT_EQ(answer.status(), 200) << answer.body;
  EXPECT_EQ(answer.Field("content-type"), "application/json");
  EXPECT_EQ(answer.Field("cache-control"), "no-store");
  const json whole = json::parse(answer.body);
  ASSERT_EQ(whole["visits"].size(), 3u);
  for (const json& visit : whole["visits"]) EXPECT_EQ(visit["session"], session);
  EXPECT_EQ(whole["sessions"].size(), 1u);
  EXPECT_EQ(upstream_->last_request().first_line.find("my-visits"), std::string::npos) << "the edge's own";
  // The question is a visit as any other.
  const auto visits = edge_->WaitForVisits(6);
  ASSERT_EQ(visits.size(), 6u);
  EXPECT_EQ(visits.back()["path"], kPath);
  EXPECT_EQ(visits.back()["session"], session);
  EXPECT_EQ(edge_->Metric("gatebook_rights_requests_total{result=\"shown\"}"), 1u);
}

TEST_F(MyVisitsTest, WithoutTheCookieOrWithAForgedOneNothingIsShown) {
  Start();
  std::string cookie = Visit(2);
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  EXPECT_EQ(Ask("GET", "").status(), 403);
  cookie[cookie.size() - 5] = cookie[cookie.size() - 5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Ask("GET", cookie).status(), 403);
  // A connection that remembers its session is not enough.
  RawClient client(edge_->Tls());
  ASSERT_TRUE(client.Get("/page"));
  const auto answer = client.Get(kPath);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 403);
  // Nor is a plain listener, where no cookie of ours can be.
  RawClient plain(edge_->Plain());
  const auto over_plain = plain.Get(kPath, Visit(1));
  ASSERT_TRUE(over_plain);
  EXPECT_EQ(over_plain->status(), 403);
  EXPECT_EQ(Refusals("no_session_shown"), 4u);
}

TEST_F(MyVisitsTest, ErasureIsOffUnlessItIsSwitchedOn) {
  Start();
  const std::string cookie = Visit(1);
  const HttpMessage answer = Ask("DELETE", cookie);
  EXPECT_EQ(answer.status(), 405);
  EXPECT_EQ(answer.Field("allow"), "GET, HEAD");
}

TEST_F(MyVisitsTest, SwitchedOffThePathIsTheUpstreams) {
  Say("rights", "self_service = \"off\"");
  Start();
  EXPECT_EQ(Ask("GET", Visit(1)).body, "hello");
  EXPECT_THAT(upstream_->last_request().first_line, HasSubstr("my-visits"));
}

TEST_F(MyVisitsTest, WhatIsErasedIsGoneAndTheErasureItselfStays) {
  Say("rights", "self_service = \"erase\"");
  Start();
  const std::string cookie = Visit(3);
  const std::string session = session_;
  ASSERT_EQ(edge_->WaitForVisits(3).size(), 3u);
  EXPECT_EQ(Ask("DELETE", cookie + "Origin: https://elsewhere.example\r\n").status(), 403);
  EXPECT_EQ(Ask("DELETE", cookie + "Sec-Fetch-Site: cross-site\r\n").status(), 403);
  EXPECT_EQ(Refusals("other_site"), 2u);
  const HttpMessage answer = Ask("DELETE", cookie + "Sec-Fetch-Site: same-origin\r\n");
  ASSERT_EQ(answer.status(), 200) << answer.body;
  const json receipt = json::parse(answer.body);
  EXPECT_EQ(receipt["edge_told"], true);
  EXPECT_GE(receipt["removed"]["visits"].get<int>() + receipt["waiting_in_journal"].get<int>(), 3);
  EXPECT_EQ(answer.body.find(session), std::string::npos);
  ASSERT_TRUE(edge_->WaitDelivered());
  const auto left = edge_->Visits();
  ASSERT_EQ(left.size(), 1u) << json(left).dump(1);
  EXPECT_EQ(left[0]["method"], "DELETE");
  EXPECT_EQ(left[0]["status"], 200);
}

TEST_F(MyVisitsTest, WhereNothingIsStoredItSaysSo) {
  Say("rights", "self_service = \"erase\"");
  Start();
  const std::string cookie = Visit(1);
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  ASSERT_EQ(Ask("DELETE", cookie).status(), 200);
  ASSERT_TRUE(edge_->WaitDelivered());
  const std::string session = session_;
  redis_->Ask({"flushall"});
  const HttpMessage shown = Ask("GET", cookie);
  EXPECT_EQ(shown.status(), 200);
  EXPECT_TRUE(json::parse(shown.body)["visits"].empty());
}

TEST_F(MyVisitsTest, WhoAsksTooOftenIsToldToWait) {
  Say("rights", "per_session = 2");
  Start();
  const std::string cookie = Visit(1);
  HttpMessage last;
  int well = 0;
  // A minute may turn in between, once.
  for (int i = 0; i < 5; ++i) {
    last = Ask("GET", cookie);
    well += last.status() == 200 ? 1 : 0;
  }
  EXPECT_LE(well, 4);
  EXPECT_EQ(last.status(), 429);
  EXPECT_EQ(last.Field("retry-after"), "60");
  EXPECT_GE(Refusals("rights_limited"), 1u);
  const std::string other = Visit(1);
  EXPECT_EQ(Ask("GET", other).status(), 200) << "another session is another's";
}

TEST_F(MyVisitsTest, WhileRedisIsAwayItIsUnavailableAndTrafficGoesOn) {
  Start();
  const std::string cookie = Visit(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  redis_->Kill();
  const HttpMessage answer = Ask("GET", cookie);
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(Refusals("rights_unavailable"), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_rights_requests_total{result=\"failed\"}"), 1u);
  Visit(1);
  redis_->Start();
}

TEST_F(MyVisitsTest, WhoLeavesBeforeTheAnswerIsNoTrouble) {
  Start();
  const std::string cookie = Visit(1);
  ASSERT_TRUE(edge_->WaitDelivered());
  redis_->Freeze();
  {
    RawClient first(edge_->Tls()), second(edge_->Tls());
    first.Send(Request(std::string("GET ") + kPath, cookie));
    second.Send(Request(std::string("GET ") + kPath, cookie));
    EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_exchanges_open") == 2; }));
    EXPECT_EQ(RawClient(edge_->Tls()).Get("/page")->status(), 200) << "no worker waits for Redis";
  }
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_exchanges_open") == 0; }));
  redis_->Thaw();
}

}  // namespace
}  // namespace gatebook::e2e
