// The desk as tools and browsers reach it: over the Unix socket and over TLS.
#include <fstream>
#include <sstream>

#include "review/password.h"
#include "tests/e2e/edge_test.h"
#include "tests/support/test_certificates.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kMarked[] = "X-Gatebook-Desk: 1\r\nContent-Type: application/json\r\n";
constexpr char kSecret[] = "a token of some length, 7f3a";

class DeskTest : public EdgeTest {
 protected:
  HttpMessage Get(const std::string& path, const std::string& fields = "",
                  const std::string& host = "localhost") {
    RawClient client(edge_->AdminListener());
    client.Send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "Connection: close\r\n\r\n");
    return client.ReadResponse().value_or(HttpMessage{});
  }
  HttpMessage Post(const std::string& path, const json& body, const std::string& fields = kMarked) {
    RawClient client(edge_->AdminListener());
    const std::string text = body.dump();
    client.Send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
                "Content-Length: " + std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text);
    return client.ReadResponse().value_or(HttpMessage{});
  }
  json Api(const std::string& path, const std::string& fields = "") {
    const HttpMessage answer = Get("/desk/api/" + path, fields);
    EXPECT_EQ(answer.status(), 200) << path << ": " << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  // From a stranger, who has a name where DNS says one.
  void Visit(const std::string& path, const std::string& fields = "") {
    RawClient client(edge_->Plain());
    client.Send(Request("GET " + path, "X-Forwarded-For: 203.0.113.77\r\nConnection: close\r\n" + fields));
    ASSERT_TRUE(client.ReadResponse());
  }
  std::vector<json> Audit() const {
    std::vector<json> lines;
    std::istringstream text(support::ReadFile(edge_->directory() + "/audit.log"));
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }
  void Prepared() {
    Say("edge", "trusted_proxies = [\"127.0.0.0/8\"]");
    Prepare();
  }
  void StartWith(const std::string& more) {
    Prepared();
    options_.more += more;
    edge_->Configure(options_);
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  // Readers who come over TLS: alice with a password, a tool with a token, carol with a certificate.
  void StartOverTls() {
    options_.admin_tls = true;
    Prepared();
    const auto write = [this](const std::string& name, const std::string& text) {
      const std::string path = edge_->directory() + "/" + name;
      std::ofstream(path) << text << "\n";
      return path;
    };
    const std::string password = write("alice", review::Password::Make("correct horse")->ToText());
    const std::string token = write("tool", kSecret);
    const std::string ca = write("readers.pem", authority_.certificate());
    const auto carol = authority_.Issue({.common_name = "carol", .for_client = true});
    carol_chain_ = write("carol.pem", carol.chain);
    carol_key_ = write("carol.key", carol.key);
    Say("admin", "client_ca = \"" + ca + "\"");
    Say("desk", "logins_a_minute = 3");
    options_.more += "[[reader]]\nname = \"alice\"\nrole = \"investigator\"\npassword_file = \"" + password +
                     "\"\n[[reader]]\nname = \"tool\"\ntoken_file = \"" + token +
                     "\"\n[[reader]]\nname = \"carol\"\ncertificate = \"carol\"\n";
    edge_->Configure(options_);
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  std::string LogIn(const std::string& name, const std::string& password) {
    login_ = Post("/desk/api/login", {{"name", name}, {"password", password}});
    const std::string set = login_.Field("set-cookie").value_or("");
    return set.empty() ? set : "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
  }

  const support::TestAuthority authority_{"readers"};
  std::string carol_chain_, carol_key_;
  HttpMessage login_;
};

TEST_F(DeskTest, OverTheUnixSocketWhoOpenedItIsKnown) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  Visit("/one");
  Visit("/two?x=1");
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  const json me = Api("me");
  EXPECT_EQ(me["role"], "investigator") << "no reader is configured, and it is the edge's own user";
  const json page = Api("visits?since=10m&limit=1");
  ASSERT_EQ(page["visits"].size(), 1u);
  EXPECT_EQ(page["visits"][0]["path"], "/two");
  EXPECT_EQ(page["visits"][0]["ip"], "203.0.113.0/24");
  const json second = Api("visits?since=10m&limit=1&cursor=" + page["next"].get<std::string>());
  ASSERT_EQ(second["visits"].size(), 1u);
  EXPECT_EQ(second["visits"][0]["path"], "/one");
  EXPECT_TRUE(second["next"].is_null());
  EXPECT_EQ(Api("visits?since=10m&where=path%20%3D%20%22%2Fone%22")["visits"].size(), 1u);
  EXPECT_EQ(Api("health")["state"], "serving");
}

TEST_F(DeskTest, FiguresAreCountedInOnePass) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  for (int i = 0; i < 5; ++i) Visit("/page");
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const HttpMessage answer = Get("/desk/api/figures?since=15m");
  EXPECT_EQ(answer.Field("content-type"), "application/x-ndjson");
  std::string last;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) last = line;
  const json figures = json::parse(last);
  EXPECT_EQ(figures["done"], true);
  EXPECT_EQ(figures["partial"], false);
  EXPECT_EQ(figures["visits"], 5);
  EXPECT_EQ(figures["classes"][2], 5);
  EXPECT_EQ(figures["pages"]["rows"][0]["value"], "localhost/page");
  EXPECT_EQ(figures["addresses"]["rows"][0]["value"], "203.0.113.0/24");
  uint64_t over_time = 0;
  for (const json& bucket : figures["time"]) over_time += bucket["visits"].get<uint64_t>();
  EXPECT_EQ(over_time, 5u);
}

TEST_F(DeskTest, WhatIsFinerThanShownNeedsAReasonWhichIsWrittenDownFirst) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  Visit("/seen");
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const HttpMessage fine = Get("/desk/api/visits?where=ip%20%3D%20203.0.113.77");
  EXPECT_EQ(fine.status(), 400);
  EXPECT_THAT(fine.body, HasSubstr("finer than what is shown without a reason"));
  EXPECT_EQ(Get("/desk/api/address?ip=203.0.113.77").status(), 400);
  EXPECT_EQ(Api("address?ip=203.0.113.0%2F24")["visits_met"], 1);
  EXPECT_EQ(Post("/desk/api/reveal", {{"of", "visits"}, {"reason", "  "}}).status(), 400);
  EXPECT_EQ(Post("/desk/api/reveal", {{"of", "visits"}}).status(), 400);
  EXPECT_TRUE(Audit().empty());
  const HttpMessage whole =
      Post("/desk/api/reveal", {{"of", "visits"}, {"reason", "ticket 17"}, {"where", "ip = 203.0.113.77"}});
  ASSERT_EQ(whole.status(), 200) << whole.body;
  EXPECT_THAT(whole.body, HasSubstr("\"ip\":\"203.0.113.77\""));
  const auto lines = Audit();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["via"], "desk");
  EXPECT_EQ(lines[0]["why"], "ticket 17");
  EXPECT_THAT(lines[0]["what"].get<std::string>(), HasSubstr("visits where ip = 203.0.113.77"));
  EXPECT_EQ(edge_->Metric("gatebook_desk_reveals_total"), 1u);
  EXPECT_EQ(edge_->Command({"audit", "--verify"}).exit_code, 0);
}

TEST_F(DeskTest, WhatCannotBeWrittenDownIsNotShown) {
  Prepared();
  Say("audit", "");
  ASSERT_TRUE(edge_->Start());
  Visit("/seen");
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  std::filesystem::create_directory(edge_->directory() + "/audit.log");
  const HttpMessage answer = Post("/desk/api/reveal", {{"of", "visits"}, {"reason", "ticket 17"}});
  EXPECT_EQ(answer.status(), 503);
  EXPECT_THAT(answer.body, Not(HasSubstr("203.0.113.77")));
  EXPECT_EQ(edge_->Metric("gatebook_audit_errors_total"), 1u);
}

TEST_F(DeskTest, WhatIsShownCanBeSaved) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  Visit("/seen", "User-Agent: =cmd|'/C calc'!A0\r\n");
  Visit("/other");
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  const HttpMessage csv = Get("/desk/api/export?format=csv&where=path%20%3D%20%22%2Fseen%22");
  ASSERT_EQ(csv.status(), 200) << csv.body;
  EXPECT_EQ(csv.Field("content-type"), "text/csv; charset=utf-8");
  EXPECT_EQ(csv.Field("content-disposition"), "attachment; filename=\"visits.csv\"");
  EXPECT_EQ(csv.Field("x-gatebook-visits"), "1");
  EXPECT_THAT(csv.body, HasSubstr("203.0.113.0/24"));
  EXPECT_THAT(csv.body, Not(HasSubstr("203.0.113.77")));
  EXPECT_THAT(csv.body, Not(HasSubstr(",=cmd"))) << "a table would calculate it";
  const HttpMessage lines = Get("/desk/api/export?format=json&order=oldest&limit=1");
  EXPECT_EQ(json::parse(lines.body)["path"], "/seen");
  EXPECT_EQ(lines.Field("x-gatebook-more"), "yes");
  EXPECT_EQ(Get("/desk/api/export").status(), 400);
  const HttpMessage whole =
      Post("/desk/api/reveal", {{"of", "export"}, {"format", "csv"}, {"reason", "case 3"}});
  EXPECT_THAT(whole.body, HasSubstr("203.0.113.77"));
  ASSERT_EQ(Audit().size(), 1u);
  EXPECT_THAT(Audit()[0]["what"].get<std::string>(), HasSubstr("export"));
}

TEST_F(DeskTest, OneConnectionAsksManyTimes) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  RawClient client(edge_->AdminListener());
  for (const char* path :
       {"/desk/", "/desk/api/me", "/desk/api/figures", "/desk/api/none", "/desk/api/health"}) {
    const auto answer = client.Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_TRUE(answer->complete) << path;
  }
  // Two at once are answered in order.
  client.Send(Request("GET /desk/api/visits") + Request("HEAD /desk/") + Request("GET /desk/api/me"));
  EXPECT_EQ(client.ReadResponse()->status(), 200);
  const auto head = client.ReadResponse(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->Field("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(client.ReadResponse()->body, HasSubstr("\"role\""));
}

TEST_F(DeskTest, AViewerCannotReveal) {
  const std::string me = ::geteuid() == 0 ? "root" : ::getenv("USER");
  StartWith("[[reader]]\nname = \"vera\"\nunix_user = \"" + me +
            "\"\n[[query]]\nname = \"bad\"\nwhere = \"status >= 400\"\n");
  const json reader = Api("me");
  EXPECT_EQ(reader["name"], "vera");
  EXPECT_EQ(reader["role"], "viewer");
  EXPECT_EQ(reader["queries"][0]["where"], "status >= 400");
  EXPECT_EQ(Post("/desk/api/reveal", {{"of", "visits"}, {"reason", "curious"}}).status(), 403);
  EXPECT_TRUE(Audit().empty());
}

TEST_F(DeskTest, APageOfAnotherSiteGetsNothing) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  // A name of theirs that leads here.
  EXPECT_EQ(Get("/desk/api/me", "", "evil.example").status(), 421);
  EXPECT_EQ(Get("/desk/api/me", "", "evil.example:8443").status(), 421);
  EXPECT_EQ(Get("/desk/api/me", "", "localhost:8443").status(), 200);
  EXPECT_EQ(Get("/desk/api/visits", "Sec-Fetch-Site: cross-site\r\n").status(), 403);
  EXPECT_EQ(Get("/desk/api/visits", "Sec-Fetch-Site: same-site\r\n").status(), 403);
  EXPECT_EQ(Get("/desk/api/visits", "Sec-Fetch-Site: same-origin\r\n").status(), 200);
  const json asked = {{"of", "visits"}, {"reason", "ticket"}};
  EXPECT_EQ(Post("/desk/api/reveal", asked, "").status(), 403) << "a form can send this";
  EXPECT_EQ(
      Post("/desk/api/reveal", asked, std::string(kMarked) + "Origin: http://evil.example\r\n").status(),
      403);
  EXPECT_EQ(Post("/desk/api/reveal", asked, std::string(kMarked) + "Origin: null\r\n").status(), 403);
  EXPECT_EQ(Post("/desk/api/reveal", asked, std::string(kMarked) + "Origin: http://localhost\r\n").status(),
            200);
  EXPECT_EQ(Get("/desk/api/reveal?of=visits&reason=ticket").status(), 404) << "nothing changes by GET";
}

TEST_F(DeskTest, PagesSayWhatABrowserMayDo) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  for (const char* path : {"/desk/", "/desk/app.js", "/desk/chart.js", "/desk/style.css", "/desk/api/me"}) {
    const HttpMessage answer = Get(path);
    EXPECT_EQ(answer.status(), 200) << path;
    EXPECT_THAT(answer.Field("content-security-policy").value_or(""),
                HasSubstr("default-src 'none'; script-src 'self'"))
        << path;
    EXPECT_THAT(answer.Field("content-security-policy").value_or(""), Not(HasSubstr("unsafe"))) << path;
    EXPECT_EQ(answer.Field("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.Field("referrer-policy"), "no-referrer") << path;
    EXPECT_EQ(answer.Field("cache-control"), "no-store") << path;
  }
  EXPECT_EQ(Get("/desk").Field("location"), "/desk/");
  EXPECT_EQ(Get("/desk/none").status(), 404);
  EXPECT_EQ(Get("/healthz").status(), 200);
}

TEST_F(DeskTest, ANewVisitIsSeenLiveWithinASecond) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  RawClient client(edge_->AdminListener());
  client.Send("GET /desk/api/live?where=path%20~%20%22%5E%2Fwanted%22 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string seen = client.ReadSome();
  EXPECT_THAT(seen, HasSubstr("text/event-stream"));
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_desk_streams_open") == 1; }));
  Visit("/unwanted");
  const auto begun = std::chrono::steady_clock::now();
  Visit("/wanted?q=%3Cscript%3E");
  while (seen.find("event: visit") == std::string::npos && client.is_open()) seen += client.ReadSome();
  const auto taken = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(taken, std::chrono::seconds(3)) << "a busy machine; a quiet one takes less than one";
  EXPECT_THAT(seen, HasSubstr("\"path\":\"/wanted\""));
  EXPECT_THAT(seen, HasSubstr("203.0.113.0/24"));
  EXPECT_THAT(seen, Not(HasSubstr("unwanted")));
  client.Reset();
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_desk_streams_open") == 0; }));
}

TEST_F(DeskTest, OverPlainTcpTheDeskIsClosed) {
  Prepared();
  const uint16_t port = support::FreePort();
  options_.sections["admin"] = "";
  edge_->Configure(options_);
  std::string text = support::ReadFile(edge_->config_path());
  const std::string before = "address = \"unix:" + edge_->directory() + "/admin.sock\"";
  text.replace(text.find(before), before.size(), "address = \"127.0.0.1:" + std::to_string(port) + "\"");
  std::ofstream(edge_->config_path()) << text;
  edge_->Launch();
  verify_ = false;
  support::ClientOptions listener;
  listener.port = port;
  listener.tls = false;
  const auto ask = [&](const std::string& path) {
    RawClient client(listener);
    client.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.ReadResponse().value_or(HttpMessage{});
  };
  ASSERT_TRUE(WaitUntil([&] { return ask("/readyz").status() == 200; }));
  EXPECT_EQ(ask("/desk/").status(), 404);
  EXPECT_EQ(ask("/desk/api/visits").status(), 404);
  EXPECT_TRUE(
      WaitUntil([&] { return edge_->process().Errors().find("the desk is closed") != std::string::npos; }));
  EXPECT_EQ(edge_->Stop(), 0);
}

TEST_F(DeskTest, OverTlsNobodyIsKnownUnlessTheySayWhoTheyAre) {
  StartOverTls();
  Visit("/seen");
  const HttpMessage unknown = Get("/desk/api/visits");
  EXPECT_EQ(unknown.status(), 401);
  EXPECT_EQ(json::parse(unknown.body)["password"], true);
  for (const char* path : {"me", "figures", "live", "health", "session?id=x", "export?format=json"}) {
    EXPECT_EQ(Get(std::string("/desk/api/") + path).status(), 401) << path;
  }
  EXPECT_EQ(Post("/desk/api/reveal", {{"of", "visits"}, {"reason", "x"}}).status(), 401);
  EXPECT_EQ(Get("/desk/").status(), 200) << "the page itself holds nothing";
  EXPECT_EQ(
      Get("/desk/api/me", "Cookie: __Host-gatebook-desk=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")
          .status(),
      401);
  EXPECT_EQ(edge_->Command({"status"}).exit_code, 0) << "commands speak TLS, too";
}

TEST_F(DeskTest, APasswordBeginsALoginThatLogoutEnds) {
  StartOverTls();
  const std::string cookie = LogIn("alice", "correct horse");
  ASSERT_EQ(login_.status(), 200) << login_.body;
  const std::string set = login_.Field("set-cookie").value_or("");
  for (const char* part : {"__Host-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"})
    EXPECT_THAT(set, HasSubstr(part));
  EXPECT_EQ(Api("me", cookie)["name"], "alice");
  EXPECT_EQ(Api("me", cookie)["may_log_out"], true);
  EXPECT_EQ(Post("/desk/api/logout", {}, cookie).status(), 403) << "not by a form of another page";
  EXPECT_EQ(Post("/desk/api/logout", {}, kMarked + cookie).status(), 200);
  EXPECT_EQ(Get("/desk/api/me", cookie).status(), 401);
  EXPECT_EQ(edge_->Metric("gatebook_desk_logins_total{result=\"ok\"}"), 1u);
}

TEST_F(DeskTest, ACommandMakesTheLineOfAPassword) {
  verify_ = false;
  const std::string command = std::string(" | ") + GATEBOOK_BINARY + " desk password";
  const auto made = support::Run({"/bin/sh", "-c", "echo 'correct horse'" + command});
  EXPECT_EQ(made.exit_code, 0) << made.errors;
  ASSERT_TRUE(made.output.ends_with("\n"));
  const auto password = review::Password::Parse(made.output.substr(0, made.output.size() - 1));
  ASSERT_TRUE(password.ok());
  EXPECT_TRUE(password->Check("correct horse"));
  EXPECT_EQ(support::Run({"/bin/sh", "-c", "echo short" + command}).exit_code, 2);
  EXPECT_EQ(support::Run({"/bin/sh", "-c", ":" + command}).exit_code, 2);
}

TEST_F(DeskTest, ALiveStreamEndsWithItsLogin) {
  StartOverTls();
  const std::string cookie = LogIn("alice", "correct horse");
  RawClient client(edge_->AdminListener());
  client.Send("GET /desk/api/live HTTP/1.1\r\nHost: localhost\r\n" + cookie + "\r\n");
  ASSERT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_desk_streams_open") == 1; }));
  ASSERT_EQ(Post("/desk/api/logout", {}, kMarked + cookie).status(), 200);
  EXPECT_TRUE(WaitUntil([&] { return edge_->Metric("gatebook_desk_streams_open") == 0; }));
}

TEST_F(DeskTest, WrongPasswordsAreFewAMinute) {
  StartOverTls();
  EXPECT_EQ(LogIn("alice", "wrong horse"), "");
  EXPECT_EQ(login_.status(), 401);
  const std::string said = login_.body;
  LogIn("nobody", "correct horse");
  EXPECT_EQ(login_.status(), 401);
  EXPECT_EQ(login_.body, said) << "which of the two is wrong is not said";
  // Those that succeed do not count.
  LogIn("alice", "correct horse");
  EXPECT_EQ(login_.status(), 200);
  LogIn("tool", kSecret);
  EXPECT_EQ(login_.status(), 401) << "a token is no password";
  LogIn("alice", "correct horse");
  EXPECT_EQ(login_.status(), 429);
  EXPECT_EQ(edge_->Metric("gatebook_desk_logins_total{result=\"limited\"}"), 1u);
  EXPECT_EQ(edge_->Metric("gatebook_desk_logins_total{result=\"failed\"}"), 3u);
}

TEST_F(DeskTest, ATokenAndACertificateNameTheirReaders) {
  StartOverTls();
  EXPECT_EQ(Api("me", std::string("Authorization: Bearer ") + kSecret + "\r\n")["name"], "tool");
  EXPECT_EQ(Get("/desk/api/me", "Authorization: Bearer not the token\r\n").status(), 401);
  auto listener = edge_->AdminListener();
  listener.certificate_file = carol_chain_;
  listener.key_file = carol_key_;
  RawClient client(listener);
  const auto answer = client.Get("/desk/api/me");
  ASSERT_TRUE(answer) << client.failure();
  EXPECT_EQ(json::parse(answer->body)["name"], "carol");
  EXPECT_EQ(json::parse(answer->body)["role"], "viewer");
}

TEST_F(DeskTest, AReaderWhoIsTakenOutIsOutAtOnce) {
  StartOverTls();
  const std::string cookie = LogIn("alice", "correct horse");
  ASSERT_EQ(Get("/desk/api/me", cookie).status(), 200);
  options_.more = "";
  edge_->Configure(options_);
  ASSERT_EQ(edge_->Command({"reload", "--wait"}).exit_code, 0);
  EXPECT_EQ(Get("/desk/api/me", cookie).status(), 401);
}

TEST_F(DeskTest, ASessionsStoryIsToldFromItsVisits) {
  Prepared();
  ASSERT_TRUE(edge_->Start());
  RawClient client(edge_->Tls());
  const auto first = client.Get("/begin");
  ASSERT_TRUE(first);
  const std::string set = first->Field("set-cookie").value_or("");
  ASSERT_TRUE(client.Get("/then", "Cookie: " + set.substr(0, set.find(';')) + "\r\n"));
  const auto visits = edge_->WaitForVisits(2);
  ASSERT_EQ(visits.size(), 2u);
  const json story = Api("session?id=" + visits[0]["session"].get<std::string>());
  EXPECT_EQ(story["visits_met"], 2);
  EXPECT_EQ(story["visits"][0]["path"], "/begin");
  EXPECT_EQ(story["visits"][1]["path"], "/then");
  EXPECT_TRUE(story["start"].contains("time"));
  EXPECT_EQ(Get("/desk/api/session?id=AAAAAAAAAAAAAAAAAAAAAA").status(), 404);
  EXPECT_EQ(Get("/desk/api/session?id=%3Cscript%3E").status(), 400);
}

}  // namespace
}  // namespace gatebook::e2e
