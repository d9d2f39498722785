// The privacy policy: shown, announced when it changes, and not contradicted.
#include <filesystem>
#include <fstream>

#include "tests/e2e/edge_test.h"
#include "tests/e2e/h2_client.h"
#include "tests/support/mmdb_writer.h"

namespace gatebook::e2e {
namespace {

class PolicyTest : public EdgeTest {
 protected:
  // A policy of that version, with more lines for its section; also what a later SayVersion() changes.
  void SayVersion(const std::string& version, const std::string& more = "") {
    options_.sections["policy"] = "file = \"" + files_.Path("policy.md") + "\"\nversion = \"" + version +
                                  "\"\n" + "date = \"2025-09-01\"\n" + more + "\n";
  }
  void WritePolicy(const std::string& text = "# Our policy\n\nWe keep little.\n") {
    files_.Write("policy.md", text);
  }
  void Reload() {
    edge_->Configure(options_);
    const auto done = edge_->Command({"reload", "--wait"});
    ASSERT_EQ(done.exit_code, 0) << done.errors;
  }
  HttpMessage Ask(const std::string& path, const std::string& fields = "") {
    RawClient client(edge_->Tls());
    return client.Get(path, fields).value_or(HttpMessage{});
  }
  static std::string CookieOf(const HttpMessage& answer, const std::string& name) {
    for (const auto& [field, value] : answer.fields) {
      if (field == "set-cookie" && value.starts_with(name + "=")) return value.substr(0, value.find(';'));
    }
    return "";
  }
  static std::string Notice(const HttpMessage& answer) {
    return answer.Field("x-gatebook-policy-notice").value_or("");
  }
  json Counted() {
    EXPECT_TRUE(edge_->WaitDelivered());
    const auto done = edge_->Command({"policy", "--json"});
    EXPECT_EQ(done.exit_code, 0) << done.errors;
    return json::parse(done.output, nullptr, false);
  }

  support::TempDirectory files_;
};

TEST_F(PolicyTest, IsShownAndEveryAnswerLeadsToIt) {
  WritePolicy();
  SayVersion("1");
  Start();
  const HttpMessage page = Ask("/privacy");
  EXPECT_EQ(page.status(), 200);
  EXPECT_EQ(page.Field("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, testing::HasSubstr("<p>We keep little.</p>"));
  EXPECT_THAT(page.Field("content-security-policy").value_or(""), testing::StartsWith("default-src 'none'"));
  EXPECT_TRUE(page.Field("last-modified"));
  EXPECT_EQ(Ask("/privacy", "If-None-Match: " + page.Field("etag").value_or("") + "\r\n").status(), 304);

  const HttpMessage feed = Ask("/privacy/feed.atom");
  EXPECT_EQ(feed.Field("content-type"), "application/atom+xml; charset=utf-8");
  EXPECT_THAT(feed.body, testing::HasSubstr("<title>Our policy, version 1</title>"));
  EXPECT_THAT(Ask("/privacy/what-we-record").body, testing::HasSubstr("<code>user_agent</code>"));
  EXPECT_EQ(upstream_->requests().size(), 0u);

  EXPECT_EQ(Ask("/").Field("link"), "</privacy>; rel=\"privacy-policy\"");
  H2Client h2(edge_->Tls());
  EXPECT_THAT(h2.Get(1), testing::HasSubstr("</privacy>; rel=\"privacy-policy\""));
  const auto visits = edge_->WaitForVisits(6);
  ASSERT_FALSE(visits.empty());
  EXPECT_EQ(visits.back()["policy"], "1");
}

TEST_F(PolicyTest, ALongOneReachesASlowReaderWholeOverBothProtocols) {
  std::string text = "# Long\n\n";
  for (int i = 0; i < 12'000; ++i) text += "Line " + std::to_string(i) + " of many words about little.\n\n";
  WritePolicy(text);
  SayVersion("1");
  Start();
  support::ClientOptions slow = edge_->Tls();
  slow.receive_buffer = 4096;
  RawClient client(slow);
  const auto whole = client.Get("/privacy");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->complete);
  EXPECT_GT(whole->body.size(), 400'000u);
  EXPECT_THAT(whole->body, testing::HasSubstr("<p>Line 11999 of"));
  EXPECT_EQ(client.Get("/").value_or(HttpMessage{}).body, "hello") << "the connection goes on";

  const auto done = support::Run({"curl", "--silent", "--show-error", "--http2", "--cacert",
                                  edge_->directory() + "/chain.pem", "--resolve",
                                  "localhost:" + std::to_string(edge_->tls_port()) + ":127.0.0.1",
                                  "https://localhost:" + std::to_string(edge_->tls_port()) + "/privacy"});
  EXPECT_EQ(done.exit_code, 0) << done.errors;
  EXPECT_TRUE(done.output == whole->body);
}

TEST_F(PolicyTest, AReturningSessionIsToldOfANewVersionOnce) {
  WritePolicy();
  SayVersion("1");
  Start();
  const HttpMessage first = Ask("/");
  EXPECT_EQ(Notice(first), "") << "a first visit knows no other version";
  const std::string cookie = CookieOf(first, "__Host-gatebook");
  RawClient open(edge_->Tls());  // a connection, and a session, that goes on
  ASSERT_TRUE(open.Get("/"));
  Ask("/");  // one that will not come back

  SayVersion("2");
  Reload();
  const HttpMessage told = Ask("/", "Cookie: " + cookie + "\r\n");
  EXPECT_EQ(Notice(told), "2");
  EXPECT_EQ(CookieOf(told, "__Host-gatebook-policy-notice"), "__Host-gatebook-policy-notice=2");
  const std::string next = CookieOf(told, "__Host-gatebook");
  EXPECT_NE(next, "");
  EXPECT_EQ(Notice(Ask("/", "Cookie: " + next + "\r\n")), "") << "once";
  EXPECT_EQ(Notice(open.Get("/").value_or(HttpMessage{})), "2");
  EXPECT_EQ(Notice(open.Get("/").value_or(HttpMessage{})), "");
  EXPECT_EQ(Notice(Ask("/")), "");
  EXPECT_EQ(edge_->Metric("gatebook_policy_notices_total"), 2u);

  const json counted = Counted();
  EXPECT_EQ(counted["version"], "2");
  EXPECT_EQ(counted["before"], "1");
  EXPECT_EQ(counted["sessions"]["told"], 2);
  EXPECT_EQ(counted["sessions"]["not_yet_told"], 1);
  const auto visits = edge_->Visits();
  EXPECT_EQ(visits.front()["policy"], "1");
  EXPECT_EQ(visits.back()["policy"], "2");
}

TEST_F(PolicyTest, OverHttp2TheNoticeComesOnceAConnection) {
  WritePolicy();
  SayVersion("1");
  Start();
  H2Client client(edge_->Tls());
  EXPECT_THAT(client.Get(1), testing::Not(testing::HasSubstr("x-gatebook-policy-notice")));
  SayVersion("2");
  Reload();
  EXPECT_THAT(client.Get(3), testing::HasSubstr("x-gatebook-policy-notice"));
  EXPECT_THAT(client.Get(5), testing::Not(testing::HasSubstr("x-gatebook-policy-notice")));
}

TEST_F(PolicyTest, NobodyIsToldWhereNoticesAreOff) {
  WritePolicy();
  SayVersion("1", "notice = false");
  Start();
  const std::string cookie = CookieOf(Ask("/"), "__Host-gatebook");
  SayVersion("2", "notice = false");
  Reload();
  EXPECT_EQ(Notice(Ask("/", "Cookie: " + cookie + "\r\n")), "");
  EXPECT_FALSE(Counted().contains("sessions"));
}

TEST_F(PolicyTest, TheCommandRunsOnceForAVersionAlsoAcrossRestarts) {
  WritePolicy();
  const std::string script =
      files_.Write("tell", "#!/bin/sh\necho \"$GATEBOOK_POLICY_BEFORE $GATEBOOK_POLICY_VERSION $1\" >> \"" +
                               files_.Path("told") + "\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  const std::string command = "on_change = [\"" + script + "\", \"now\"]";
  SayVersion("1", command);
  Start();
  EXPECT_EQ(edge_->Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(files_.Path("told"))) << "the first version is no change";
  SayVersion("2", command);
  edge_->Configure(options_);
  ASSERT_TRUE(edge_->Start());
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_policy_commands_total{result=\"ok\"}") == 1; }));
  EXPECT_EQ(support::ReadFile(files_.Path("told")), "1 2 now\n");
  Reload();
  EXPECT_EQ(edge_->Stop(), 0);
  ASSERT_TRUE(edge_->Start());
  EXPECT_EQ(Counted()["command"], "exit:0");
  SayVersion("3", "on_change = [\"" + files_.Path("no such program") + "\"]");
  Reload();
  EXPECT_TRUE(
      WaitUntil([&] { return edge_->Metric("gatebook_policy_commands_total{result=\"failed\"}") == 1; }));
  EXPECT_EQ(Counted()["command"], "failed");
  EXPECT_EQ(support::ReadFile(files_.Path("told")), "1 2 now\n");
}

TEST_F(PolicyTest, WhatIsRecordedCanBeAskedFor) {
  Say("visit", "fields = [\"path\"]");
  Start();
  const auto text = edge_->Command({"policy", "--what"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.output, testing::HasSubstr("30 days"));
  EXPECT_THAT(text.output, testing::Not(testing::HasSubstr("user_agent")));
  const json what = json::parse(edge_->Command({"policy", "--what", "--json"}).output, nullptr, false);
  EXPECT_EQ(what["retention_seconds"], 30 * 86400);
}

class DeclarationTest : public PolicyTest {
 protected:
  // What `gatebook check` complains of; empty: nothing.
  std::string Complaint() {
    Prepare();
    verify_ = false;
    const auto check = edge_->Command({"check"});
    EXPECT_EQ(check.exit_code, check.errors.empty() ? 0 : 78);
    return check.errors;
  }
};

TEST_F(DeclarationTest, ALongerRetentionThanDeclaredIsRefused) {
  Say("declaration", "retention = \"7d\"");
  EXPECT_THAT(Complaint(), testing::HasSubstr("30d is longer than [declaration] promises: 7d"));
  Say("visit", "retention = \"7d\"");
  EXPECT_EQ(Complaint(), "");
}

TEST_F(DeclarationTest, AFieldThatIsNotDeclaredIsRefused) {
  Say("declaration", "fields = [\"path\", \"host\"]");
  Say("visit", "fields = [\"path\", \"host\", \"user_agent\"]");
  const std::string complaint = Complaint();
  EXPECT_THAT(complaint, testing::HasSubstr("user_agent would be recorded"));
  EXPECT_THAT(complaint, testing::Not(testing::HasSubstr("path would")));
}

TEST_F(DeclarationTest, ARedisOrAResolverOutsideTheRegionsIsRefused) {
  support::MmdbWriter writer;
  writer.Add("192.0.2.0/24", support::MmdbMap{{"country", support::MmdbMap{{"iso_code", "FI"}}}});
  writer.Add("198.51.100.0/24", support::MmdbMap{{"country", support::MmdbMap{{"iso_code", "US"}}}});
  writer.Write(files_.Path("places.mmdb"));
  Say("geo", "databases = [\"" + files_.Path("places.mmdb") + "\"]");
  Say("declaration", "regions = [\"EEA\"]");
  options_.dns = "192.0.2.53:53";
  options_.redis_url = "redis://192.0.2.1:6379/0";
  EXPECT_EQ(Complaint(), "");
  options_.redis_url = "redis://198.51.100.1:6379/0";
  EXPECT_THAT(Complaint(),
              testing::HasSubstr("198.51.100.1 stands in US, and [declaration] regions promises EEA"));
  options_.redis_url = "redis://127.0.0.1:6379/0";
  options_.dns = "203.0.113.53:53";
  EXPECT_THAT(Complaint(), testing::HasSubstr("203.0.113.53 stands nobody knows where"));
  options_.dns = "127.0.0.1:53";
  EXPECT_EQ(Complaint(), "");
}

TEST_F(DeclarationTest, APolicyThatCannotBeShownIsRefused) {
  options_.sections["policy"] = "file = \"" + files_.Write("policy.txt", "x") + "\"\nversion = \"1\"\n";
  EXPECT_THAT(Complaint(), testing::HasSubstr(".md (Markdown) or .html"));
  options_.sections["policy"] = "version = \"1\"\npath = \"/.well-known/x\"\non_change = [\"tell\"]\n";
  EXPECT_THAT(Complaint(), testing::AllOf(testing::HasSubstr("not below /.well-known/"),
                                          testing::HasSubstr("absolute path")));
}

}  // namespace
}  // namespace gatebook::e2e
