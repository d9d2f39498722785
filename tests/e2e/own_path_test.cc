// What the edge answers itself, at paths of its own.
#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"

namespace gatebook::e2e {
namespace {

constexpr char kStatement[] = "/.well-known/gpc.json";

class OwnPathTest : public EdgeTest {
 protected:
  HttpMessage Ask(const std::string& method, const std::string& path, const std::string& fields = "") {
    RawClient client(edge_->Tls());
    client.Send(Request(method + " " + path, fields));
    return client.ReadResponse(method == "HEAD").value_or(HttpMessage{});
  }
};

TEST_F(OwnPathTest, TheStatementOfGlobalPrivacyControlIsAnsweredWithoutAnUpstream) {
  Say("policy", "date = \"2025-09-01\"");
  Start();
  const HttpMessage answer = Ask("GET", kStatement);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.Field("content-type"), "application/json");
  const json statement = json::parse(answer.body, nullptr, false);
  EXPECT_EQ(statement["gpc"], true);
  EXPECT_EQ(statement["lastUpdate"], "2025-09-01");
  EXPECT_EQ(answer.Field("last-modified"), "Mon, 01 Sep 2025 00:00:00 GMT");
  EXPECT_EQ(answer.Field("cache-control"), "private, no-cache") << "it may bring a session's cookie";
  EXPECT_EQ(upstream_->requests().size(), 0u);
}

TEST_F(OwnPathTest, AnAnswerOfOurOwnIsAVisitAsOthersAre) {
  Start();
  const HttpMessage answer = Ask("GET", kStatement);
  EXPECT_TRUE(answer.Field("set-cookie"));
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["path"], kStatement);
  EXPECT_EQ(visits[0]["status"], 200);
  EXPECT_EQ(visits[0]["bytes_out"], answer.body.size());
  EXPECT_FALSE(visits[0].contains("denied"));
}

TEST_F(OwnPathTest, HeadHasTheFieldsAndNoBody) {
  Start();
  RawClient client(edge_->Tls());
  const auto whole = client.Get(kStatement);
  ASSERT_TRUE(whole);
  client.Send(Request(std::string("HEAD ") + kStatement));
  const auto head = client.ReadResponse(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status(), 200);
  EXPECT_EQ(head->Field("content-length"), std::to_string(whole->body.size()));
  EXPECT_EQ(head->Field("etag"), whole->Field("etag"));
  // The connection goes on.
  EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "hello");
}

TEST_F(OwnPathTest, WhoHasItAlreadyIsToldSoAndSentNothing) {
  Say("policy", "date = \"2025-09-01\"");
  Start();
  const std::string etag = Ask("GET", kStatement).Field("etag").value_or("");
  ASSERT_NE(etag, "");
  const std::string since = "If-Modified-Since: Mon, 01 Sep 2025 00:00:00 GMT\r\n";
  for (const std::string& known :
       {"If-None-Match: " + etag + "\r\n", "If-None-Match: \"x\", W/" + etag + "\r\n",
        std::string("If-None-Match: *\r\n"), since}) {
    const HttpMessage answer = Ask("GET", kStatement, known);
    EXPECT_EQ(answer.status(), 304) << known;
    EXPECT_EQ(answer.Field("etag"), etag);
    EXPECT_FALSE(answer.Field("content-length"));
  }
  // The tag is the better witness.
  EXPECT_EQ(Ask("GET", kStatement, "If-None-Match: \"other\"\r\n" + since).status(), 200);
}

TEST_F(OwnPathTest, OtherMethodsAreRefusedWithThoseThatAreTaken) {
  Start();
  const HttpMessage answer = Ask("POST", kStatement, "Content-Length: 0\r\n");
  EXPECT_EQ(answer.status(), 405);
  EXPECT_EQ(answer.Field("allow"), "GET, HEAD");
  EXPECT_EQ(Refusals("own_path_method"), 1u);
  const auto visits = edge_->WaitForVisits(1);
  ASSERT_EQ(visits.size(), 1u);
  EXPECT_EQ(visits[0]["denied"], "own_path_method");
}

TEST_F(OwnPathTest, OverHttp2TheAnswersAreTheSame) {
  Start();
  H2Client client(edge_->Tls());
  const std::string answer = client.Get(1, kStatement);
  EXPECT_THAT(answer, testing::HasSubstr("200"));
  EXPECT_THAT(answer, testing::HasSubstr("application/json"));
  EXPECT_TRUE(client.WaitForPayload(5));
  EXPECT_THAT(client.payload(), testing::HasSubstr("\"gpc\": true"));
  client.Send(http::Headers(
      3, {{":method", "DELETE"}, {":scheme", "https"}, {":authority", "localhost"}, {":path", kStatement}}));
  EXPECT_THAT(client.WaitFor("HEADERS 3"), testing::HasSubstr("405"));
}

TEST_F(OwnPathTest, WhatStandsBesideOrBelowIsTheUpstreams) {
  Start();
  for (const char* path : {"/.well-known/gpc.json/", "/.well-known/gpc.jso", "/.well-known/gpc.json/x",
                           "/.well-known/GPC.json", "/.well-known%2Fgpc.json"}) {
    EXPECT_EQ(Ask("GET", path).body, "hello") << path;
  }
  EXPECT_EQ(Ask("GET", std::string(kStatement) + "?x=1").Field("content-type"), "application/json");
}

TEST_F(OwnPathTest, SwitchedOffThePathIsTheUpstreams) {
  Say("objection", "gpc = false");
  Start();
  EXPECT_EQ(Ask("GET", kStatement).body, "hello");
}

TEST_F(OwnPathTest, AClientsWordInFieldsOfOursStaysBehind) {
  Start();
  Ask("GET", "/", "X-Gatebook-Objection: 1\r\nx-gatebook-other: 1\r\n");
  EXPECT_EQ(upstream_->last_request().head.find("atebook-o"), std::string::npos)
      << upstream_->last_request().head;
}

}  // namespace
}  // namespace gatebook::e2e
