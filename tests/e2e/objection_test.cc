// Who objects is recorded for administration, and left out of everything else.
#include <fstream>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

constexpr char kPage[] = "/.well-known/gatebook/objection";
constexpr char kSource[] = "Referer: https://www.example.org/somewhere\r\n";

class ObjectionTest : public EdgeTest {
 protected:
  HttpMessage Ask(const std::string& first_line, const std::string& fields = "",
                  const char* source = "127.0.0.1") {
    RawClient client(edge_->Tls(source));
    client.Send(Request(first_line, fields));
    return client.ReadResponse(first_line.starts_with("HEAD")).value_or(HttpMessage{});
  }
  std::string Told() { return upstream_->last_request().Field("x-gatebook-objection").value_or("not told"); }
  // `gatebook objection …`; its output without the line's end.
  support::Finished Register(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "objection");
    support::Finished done = edge_->Command(std::move(arguments));
    while (done.output.ends_with('\n')) done.output.pop_back();
    return done;
  }
  static std::string CookieOf(const HttpMessage& answer, const std::string& name) {
    for (const auto& [field, value] : answer.fields) {
      if (field == "set-cookie" && value.starts_with(name + "=")) return value;
    }
    return "";
  }
  uint64_t Counted(const std::string& by) {
    return edge_->Metric("gatebook_objections_total{by=\"" + by + "\"}");
  }
};

TEST_F(ObjectionTest, WhoSendsGpcIsRecordedForAdministrationOnly) {
  Start();
  Ask("GET /page?utm_source=a&utm_medium=b&utm_campaign=c", std::string("Sec-GPC: 1\r\n") + kSource);
  EXPECT_EQ(Told(), "1");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["purpose"], json::array({"administrative"}));
  EXPECT_EQ(visits[0]["channel"], "campaign");
  for (const char* field : {"referrer", "utm_source", "utm_medium", "utm_campaign"}) {
    EXPECT_FALSE(visits[0].contains(field)) << field;
  }
  EXPECT_EQ(visits[0]["ip"], "127.0.0.1");
  EXPECT_EQ(Counted("gpc"), 1u);
}

TEST_F(ObjectionTest, WhoDoesNotIsRecordedWithTheSourceAndNothingIsTold) {
  Start();
  Ask("GET /page?utm_source=a", std::string("Sec-GPC: 0\r\nDNT: 0\r\nX-Gatebook-Objection: 1\r\n") + kSource);
  EXPECT_EQ(Told(), "not told");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["purpose"], json::array({"administrative", "statistics"}));
  EXPECT_EQ(visits[0]["referrer"], "https://www.example.org");
  EXPECT_EQ(visits[0]["utm_source"], "a");
}

TEST_F(ObjectionTest, DntObjectsUnlessSwitchedOff) {
  Start();
  Ask("GET /", "DNT: 1\r\n");
  EXPECT_EQ(Told(), "1");
  Say("objection", "dnt = false\ngpc = false");
  edge_->Configure(options_);
  EXPECT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  Ask("GET /", "DNT: 1\r\nSec-GPC: 1\r\n");
  EXPECT_EQ(Told(), "not told");
  EXPECT_EQ(Counted("dnt"), 1u);
}

TEST_F(ObjectionTest, OverHttp2ItIsTheSame) {
  Start();
  H2Client client(edge_->Tls());
  client.Send(http::Headers(
      1, http::With(http::Get("/two"), {{"sec-gpc", "1"}, {"referer", "https://a.example/b"}})));
  EXPECT_THAT(client.WaitFor("HEADERS 1"), testing::HasSubstr("200"));
  EXPECT_EQ(Told(), "1");
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["purpose"], json::array({"administrative"}));
  EXPECT_FALSE(visits[0].contains("referrer"));
}

TEST_F(ObjectionTest, ThePageSetsTheCookieAndTheCookieObjectsUntilItIsWithdrawn) {
  Start();
  EXPECT_THAT(Ask(std::string("GET ") + kPage).body, testing::HasSubstr("are counted"));
  const HttpMessage chosen =
      Ask(std::string("POST ") + kPage + "?choice=object",
          "Content-Length: 0\r\nOrigin: https://localhost\r\nSec-Fetch-Site: same-origin\r\n");
  EXPECT_EQ(chosen.status(), 303);
  EXPECT_EQ(chosen.Field("location"), kPage);
  const std::string cookie = CookieOf(chosen, "__Host-gatebook-objection");
  EXPECT_THAT(cookie,
              testing::StartsWith("__Host-gatebook-objection=1; Max-Age=34560000; Path=/; Secure; HttpOnly"));
  EXPECT_EQ(chosen.Field("cache-control"), "no-store");

  Ask("GET /", "Cookie: a=b; __Host-gatebook-objection=1\r\n");
  EXPECT_EQ(Told(), "1");
  EXPECT_THAT(Ask(std::string("GET ") + kPage, "Cookie: __Host-gatebook-objection=1\r\n").body,
              testing::HasSubstr("choice=withdraw"));

  const HttpMessage back = Ask(std::string("POST ") + kPage + "?choice=withdraw", "Content-Length: 0\r\n");
  EXPECT_THAT(CookieOf(back, "__Host-gatebook-objection"), testing::HasSubstr("=0; Max-Age=0;"));
  Ask("GET /", "Cookie: __Host-gatebook-objection=0; other-gatebook-objection=1\r\n");
  EXPECT_EQ(Told(), "not told");
}

TEST_F(ObjectionTest, NeitherAGetNorAnotherSitesPageChangesAnything) {
  Start();
  const HttpMessage looked = Ask(std::string("GET ") + kPage + "?choice=object");
  EXPECT_EQ(looked.status(), 200);
  EXPECT_EQ(CookieOf(looked, "__Host-gatebook-objection"), "");
  for (const char* from :
       {"Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://localhost\r\n",
        "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"}) {
    const HttpMessage answer =
        Ask(std::string("POST ") + kPage + "?choice=withdraw", std::string("Content-Length: 0\r\n") + from);
    EXPECT_EQ(answer.status(), 403) << from;
    EXPECT_EQ(CookieOf(answer, "__Host-gatebook-objection"), "");
  }
  EXPECT_EQ(Refusals("other_site"), 5u);
  EXPECT_EQ(Ask(std::string("POST ") + kPage + "?choice=maybe", "Content-Length: 0\r\n").status(), 400);
  EXPECT_EQ(Refusals("bad_choice"), 1u);
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(ObjectionTest, OnAPlainListenerThePlainCookieDoes) {
  Start();
  RawClient client(edge_->Plain());
  client.Send(Request(std::string("POST ") + kPage + "?choice=object", "Content-Length: 0\r\n"));
  EXPECT_THAT(CookieOf(client.ReadResponse().value_or(HttpMessage{}), "gatebook-objection"),
              testing::StartsWith("gatebook-objection=1; Max-Age="));
  client.Get("/", "Cookie: gatebook-objection=1\r\n");
  EXPECT_EQ(Told(), "1");
}

TEST_F(ObjectionTest, AnAddressInTheRegisterIsLeftOutAtOnceAndAfterARestart) {
  Start();
  RawClient open(edge_->Tls("127.0.0.77"));
  ASSERT_TRUE(open.Get("/"));
  EXPECT_EQ(Told(), "not told");
  const auto added = Register({"add", "--ip", "127.0.0.77", "--note", "letter"});
  EXPECT_EQ(added.exit_code, 0) << added.errors;
  EXPECT_EQ(added.errors, "");
  ASSERT_TRUE(open.Get("/"));  // also on the connection that was there before
  EXPECT_EQ(Told(), "1");
  EXPECT_EQ(Counted("register"), 1u);
  Ask("GET /", "", "127.0.0.78");
  EXPECT_EQ(Told(), "not told");

  EXPECT_EQ(edge_->Stop(), 0);
  ASSERT_TRUE(edge_->Start());
  Ask("GET /", "", "127.0.0.77");
  EXPECT_EQ(Told(), "1");
  EXPECT_EQ(Register({"remove", "--id", added.output}).exit_code, 0);
  Ask("GET /", "", "127.0.0.77");
  EXPECT_EQ(Told(), "not told");
  EXPECT_EQ(Register({"remove", "--id", added.output}).exit_code, 1);
}

TEST_F(ObjectionTest, ASessionAndANetworkCanStandInTheRegisterWhichNamesNobody) {
  Start();
  const std::string cookie = CookieOf(Ask("GET /"), "__Host-gatebook");
  const std::string session = upstream_->last_request().Field("x-session-id").value_or("");
  ASSERT_EQ(Register({"add", "--session", session}).exit_code, 0);
  ASSERT_EQ(Register({"add", "--ip", "127.0.5.0/24"}).exit_code, 0);
  Ask("GET /", "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n");
  EXPECT_EQ(Told(), "1");
  Ask("GET /", "", "127.0.5.9");
  EXPECT_EQ(Told(), "1");
  Ask("GET /", "", "127.0.6.9");
  EXPECT_EQ(Told(), "not told");

  const auto list = Register({"list", "--json"});
  EXPECT_THAT(list.output, testing::HasSubstr("\"of\":\"session\""));
  EXPECT_THAT(list.output, testing::HasSubstr("\"of\":\"network /24\""));
  const std::string stored = support::ReadFile(edge_->journal_directory() + "/objections");
  EXPECT_EQ(stored.find(session), std::string::npos);
  EXPECT_EQ(stored.find("127.0"), std::string::npos);
}

TEST_F(ObjectionTest, TheCommandSaysTheRightFormOfWhatItCannotUse) {
  Start();
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"add", "--ip", "127.0.0.300"},
        {"add", "--ip", "127.0.0.5/24"},
        {"add"},
        {"add", "--session", "short"},
        {"add", "--ip", "127.0.0.1", "--session", "8gJ0Yp3nS1mYw0m3bWqk2A"},
        {"remove"}}) {
    EXPECT_EQ(Register(wrong).exit_code, 2) << wrong.back();
  }
  EXPECT_EQ(Register({"remove", "--ip", "192.0.2.1"}).exit_code, 1);
  EXPECT_EQ(Register({"list"}).output, "");
}

}  // namespace
}  // namespace gatebook::e2e
