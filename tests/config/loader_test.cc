#include "config/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gatebook::config {
namespace {

using testing::HasSubstr;

constexpr const char* kMinimal = R"([[listen]]
address = "127.0.0.1:0"
tls = false
[[upstream]]
name = "app"
servers = ["127.0.0.1:8080"]
)";

LoadOutcome LoadOnly(const std::string& text) { return LoadText(text, "gatebook.toml", FileChecks::kOff); }

// What is wrong when `text` is added to a config that is in order by itself.
std::string Faults(const std::string& text) {
  return RenderProblems(LoadOnly(kMinimal + text).problems, false);
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gatebook-config-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Loader, TheLeastConfigHasAllDefaults) {
  const auto outcome = LoadOnly(kMinimal);
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  const Config& config = *outcome.config;
  EXPECT_EQ(config.path, "gatebook.toml");
  EXPECT_EQ(config.edge, Edge());
  EXPECT_EQ(config.timeouts, Timeouts());
  EXPECT_EQ(config.limits, Limits());
  EXPECT_EQ(config.visit.retention, 720h);
  EXPECT_EQ(config.redis.server.text, "127.0.0.1:6379");
  EXPECT_EQ(config.admin.address.path, "/run/gatebook/admin.sock");
}

TEST(Loader, WithoutARouteEverythingGoesToTheFirstUpstream) {
  const auto outcome = LoadOnly(kMinimal);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.config->routes, std::vector<Route>{Route()});
}

TEST(Loader, RoutesFindTheirUpstreamWhereverItIsWritten) {
  const auto outcome =
      LoadOnly("[[route]]\nhost = \"WWW.Example.com\"\npath = \"/api\"\nupstream = \"api\"\n" +
               std::string(kMinimal) + "[[upstream]]\nname = \"api\"\nservers = [\"unix:/run/api.sock\"]\n");
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  ASSERT_EQ(outcome.config->routes.size(), 1u);
  EXPECT_EQ(outcome.config->routes[0].upstream, 1u);
  EXPECT_EQ(outcome.config->routes[0].host, "www.example.com");
}

TEST(Loader, EveryWordReachesItsEnumerator) {
  const auto outcome = LoadOnly(std::string(kMinimal) + R"(
[log]
level = "warning"
[tls]
min_version = "1.3"
client_certificates = "optional"
client_ca = "/ca.pem"
hsts = "365d"
[session]
same_site = "none"
partitioned = true
[journal]
flush = "no"
on_full = "refuse"
)");
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  const Config& config = *outcome.config;
  EXPECT_EQ(config.log.level, "warning");
  EXPECT_EQ(config.tls.min_version, 13u);
  EXPECT_EQ(config.tls.client_certificates, ClientCertificates::kOptional);
  EXPECT_EQ(config.tls.hsts, std::chrono::hours(24 * 365));
  EXPECT_EQ(config.session.same_site, SameSite::kNone);
  EXPECT_EQ(config.journal.flush, Flush::kNo);
  EXPECT_EQ(config.journal.on_full, OnFull::kRefuse);
}

TEST(Loader, InlineTablesAndDottedKeysAreTomlToo) {
  const auto outcome = LoadOnly(R"(edge.name = "edge2"
listen = [{address = "[::1]:80", tls = false}]
upstream = [{name = "app", servers = ["app.internal:80"]}]
certificate = []
)");
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  EXPECT_EQ(outcome.config->edge.name, "edge2");
  EXPECT_EQ(outcome.config->upstreams[0].servers[0].hostname, "app.internal");
}

TEST(Loader, AnEmptyFileLacksListenersAndUpstreams) {
  const auto outcome = LoadOnly("");
  EXPECT_EQ(outcome.problems.size(), 2u) << RenderProblems(outcome.problems, false);
}

TEST(Loader, AByteOrderMarkAndCrLfAreTaken) {
  std::string text = "\xEF\xBB\xBF";
  for (const char* c = kMinimal; *c != '\0'; ++c)
    text += *c == '\n' ? std::string("\r\n") : std::string(1, *c);
  EXPECT_TRUE(LoadOnly(text).ok());
}

TEST(Loader, UnknownNamesGetTheNearestKnownOne) {
  EXPECT_THAT(Faults("[edge]\nnmae = \"x\"\n"), HasSubstr("did you mean \"name\"?"));
  EXPECT_THAT(Faults("[timeout]\n"), HasSubstr("did you mean [timeouts]?"));
  EXPECT_THAT(Faults("[[routes]]\n"), HasSubstr("did you mean [[route]]?"));
  EXPECT_THAT(Faults("[redis]\nflush = \"no\"\n"), HasSubstr("it belongs to [journal]"));
  EXPECT_THAT(Faults("[[route]]\nupstream = \"ap\"\n"), HasSubstr("did you mean \"app\"?"));
}

TEST(Loader, SectionsOfTheWrongKindAreToldHowToBeWritten) {
  EXPECT_THAT(Faults("[[edge]]\n"), HasSubstr("write it as [edge]"));
  EXPECT_THAT(RenderProblems(LoadOnly("[listen]\n").problems, false), HasSubstr("write it as [[listen]]"));
  EXPECT_THAT(RenderProblems(LoadOnly("edge = 1\n").problems, false), HasSubstr("write it as [edge]"));
}

TEST(Loader, SettingsThatContradictEachOtherAreRefused) {
  EXPECT_THAT(Faults("[[listen]]\naddress = \"127.0.0.1:1\"\nredirect_to_https = true\n"),
              HasSubstr("has TLS already"));
  EXPECT_THAT(Faults("[[listen]]\naddress = \"127.0.0.1:1\"\n"), HasSubstr("needs a [[certificate]]"));
  EXPECT_THAT(Faults("[tls]\nclient_certificates = \"required\"\n"), HasSubstr("client_ca must say"));
  EXPECT_THAT(Faults("[session]\npartitioned = true\n"), HasSubstr("only with same_site = \"none\""));
  EXPECT_THAT(Faults("[[upstream]]\nname = \"app\"\nservers = [\"127.0.0.1:1\"]\n"),
              HasSubstr("has it already"));
  EXPECT_THAT(Faults("[[route]]\nupstream = \"app\"\n[[route]]\nupstream = \"app\"\n"),
              HasSubstr("same host and path"));
  EXPECT_THAT(Faults("[journal]\nmax_size = \"16MiB\"\n"), HasSubstr("at least two segments of 16MiB"));
  EXPECT_THAT(Faults("[statistics]\nk = 30\n"), HasSubstr("k: round, 20, must be at least twice k, 60"));
  EXPECT_THAT(Faults("[[listen]]\naddress = \"127.0.0.1:7\"\ntls = false\n"
                     "[[listen]]\naddress = \"127.0.0.1:7\"\ntls = false\n"),
              HasSubstr("another [[listen]] has it already"));
}

TEST(Loader, TwoReadersAreNotKnownByTheSame) {
  const auto faults = [](const std::string& known_by) {
    return Faults("[[reader]]\nname = \"a\"\nrole = \"viewer\"\n" + known_by +
                  "[[reader]]\nname = \"b\"\nrole = \"investigator\"\n" + known_by);
  };
  EXPECT_THAT(faults("unix_user = \"root\"\n"), HasSubstr("unix_user: another [[reader]] has it already"));
  EXPECT_THAT(faults("certificate = \"Carol\"\n"),
              HasSubstr("certificate: another [[reader]] has it already"));
}

TEST(Loader, ReadersAndTheirListenerFitEachOther) {
  const std::string alice = "[[reader]]\nname = \"alice\"\n";
  EXPECT_EQ(Faults(alice + "[[reader]]\nname = \"bob\"\n"), "");
  EXPECT_THAT(Faults(alice + alice), HasSubstr("another [[reader]] has it already"));
  EXPECT_THAT(Faults(alice + "certificate = \"Alice\"\n"),
              HasSubstr("admin.client_ca must say who may issue it"));
  EXPECT_THAT(Faults("[admin]\nchain = \"/c.pem\"\n"), HasSubstr("chain and key go together"));
  EXPECT_THAT(Faults("[admin]\nclient_ca = \"/ca.pem\"\n"), HasSubstr("only with chain and key"));
}

TEST(Loader, SettingsOfRedisFitItsForm) {
  const auto faults = [](const std::string& more) { return Faults("[redis]\n" + more + "\n"); };
  EXPECT_THAT(faults("tls_name = \"redis.internal\""), HasSubstr("tls_name: url is not \"rediss://"));
  EXPECT_THAT(faults("url = \"rediss://r\"\ntls_key = \"/dev/null\""),
              HasSubstr("tls_certificate is missing"));
  EXPECT_THAT(faults("url = \"rediss://r\"\ntls_ca = \"/dev/null\"\ntls_verify = false"),
              HasSubstr("tls_ca: of no use"));
  EXPECT_THAT(faults("nodes = [\"10.0.0.1:6379\"]"), HasSubstr("nodes: only with cluster = true"));
  EXPECT_THAT(faults("url = \"redis://r/1\"\ncluster = true"),
              HasSubstr("a Cluster has the database 0 only"));
  EXPECT_THAT(faults("url = \"unix:///run/r\"\ncluster = true"), HasSubstr("leads to one of them only"));
  EXPECT_THAT(faults("sentinels = [\"10.0.0.1:26379\"]"), HasSubstr("sentinel_master is missing"));
  EXPECT_THAT(faults("sentinel_master = \"m\""), HasSubstr("sentinels is missing"));
  EXPECT_THAT(faults("sentinel_user = \"u\""), HasSubstr("sentinel_password_file is missing"));
  EXPECT_THAT(faults("cluster = true\nsentinels = [\"10.0.0.1:26379\"]\nsentinel_master = \"m\""),
              HasSubstr("sentinels: a Cluster fails over by itself"));
  EXPECT_EQ(faults("url = \"rediss://u@r:1/2\"\nsentinels = [\"s.internal:26379\"]\nsentinel_master = \"m\""),
            "");
}

TEST(Loader, SettingsOfAnUpstreamFitItsServers) {
  const auto faults = [](const std::string& servers, const std::string& more) {
    return Faults("[[upstream]]\nname = \"b\"\nservers = [" + servers + "]\n" + more + "\n");
  };
  EXPECT_THAT(faults(R"("127.0.0.1:1", "127.0.0.1:2")", "weights = [3]"),
              HasSubstr("weights: there are 1 weights for 2 servers"));
  EXPECT_THAT(faults(R"("127.0.0.1:1")", "weights = [0]"), HasSubstr("must be from 1 to 1000"));
  EXPECT_THAT(faults(R"("127.0.0.1:1")", "weights = [\"3\"]"), HasSubstr("must be a whole number"));
  EXPECT_THAT(faults(R"("127.0.0.1:1")", "tls_name = \"app\""),
              HasSubstr("tls_name: none of the servers is \"https://"));
  EXPECT_THAT(faults(R"("127.0.0.1:1")", "tls_verify = false"), HasSubstr("tls_verify: none of the servers"));
  EXPECT_THAT(faults(R"("https://127.0.0.1:1")", "tls_certificate = \"/c.pem\""),
              HasSubstr("tls_key is missing"));
  EXPECT_THAT(faults(R"("https://127.0.0.1:1")", "tls_key = \"/k.pem\""),
              HasSubstr("tls_certificate is missing"));
  EXPECT_THAT(faults(R"("https://127.0.0.1:1")", "tls_verify = false\ntls_ca = \"/ca.pem\""),
              HasSubstr("of no use"));
  EXPECT_THAT(faults(R"("127.0.0.1:1")", "balance = \"leastconn\""), HasSubstr("\"least_connections\""));
  for (const char* broken :
       {"health_path = \"health\"", "health_path = \"/a b\"", "health_path = \"/a?b#c\"",
        "health_host = \"a b\"", "health_host = \"a\\r\\nb: c\"", "tls_name = \"a:1\""}) {
    EXPECT_NE(faults(R"("https://127.0.0.1:1")", broken), "") << broken;
  }
}

TEST(Loader, ServersMayHaveTlsAndWeights) {
  const auto outcome =
      LoadOnly(std::string(kMinimal) +
               "[[upstream]]\nname = \"b\"\nservers = [\"https://10.0.0.5:8443\", \"b.internal:80\"]\n"
               "weights = [3, 1]\nbalance = \"session\"\nprotocol = \"h2\"\n"
               "health_path = \"/up?deep=1\"\nhealth_host = \"b.example.com:8443\"\n");
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  const Upstream& upstream = outcome.config->upstreams.back();
  EXPECT_TRUE(upstream.servers[0].tls);
  EXPECT_FALSE(upstream.servers[1].tls);
  EXPECT_EQ(upstream.weights, (std::vector<uint32_t>{3, 1}));
  EXPECT_EQ(upstream.balance, Balance::kSession);
  EXPECT_EQ(upstream.protocol, UpstreamProtocol::kH2);
}

TEST(Loader, NamesAndPathsAreChecked) {
  for (const char* text : {"[edge]\nname = \"Edge 1\"",
                           "[edge]\nname = \"\"",
                           "[edge]\nname = \"abcdefghijklmnopqrstuvwxyz0123456\"",
                           "[session]\ncookie = \"a b\"",
                           "[session]\ncookie = \"\"",
                           "[session]\ncookie = \"a;b\"",
                           "[session]\nkey_file = \"relative\"",
                           "[session]\nkey_file = \"\"",
                           "[log]\nfile = \"x.log\"",
                           "[journal]\ndirectory = \"/a\\u0000b\"",
                           "[visit]\npolicy = \"\"",
                           "[visit]\nquery_allow = [\"a=b\"]",
                           "[visit]\nquery_allow = [\"a\", \"a\"]",
                           "[dns]\nservers = [\"dns.example:53\"]",
                           "[dns]\nservers = [\"unix:/x\"]",
                           "[geo]\ndatabases = [\"x.mmdb\"]",
                           "[[route]]\nupstream = \"app\"\nhost = \"example.com:443\"",
                           "[[route]]\nupstream = \"app\"\nhost = \"*x.com\"",
                           "[[route]]\nupstream = \"app\"\npath = \"api\"",
                           "[[route]]\nupstream = \"app\"\npath = \"/a?b\"",
                           "[[route]]\nupstream = \"\"",
                           "[tls]\nhsts = \"1500ms\""}) {
    EXPECT_FALSE(LoadOnly(std::string(kMinimal) + text).ok()) << text;
  }
}

TEST(Loader, WhatStandsInFrontAndItsHeadersReachTheirMembers) {
  const auto outcome = LoadOnly(R"([edge]
trusted_proxies = ["10.0.0.0/8", "unix"]
forwarded_field = "forwarded"
[[listen]]
address = "127.0.0.1:0"
tls = false
proxy_protocol = ["192.0.2.1"]
[[upstream]]
name = "app"
servers = ["127.0.0.1:8080"]
proxy_protocol = true
[[route]]
upstream = "app"
upgrades = []
request_headers = ["set X-Edge:  north ", "remove X-Debug"]
response_headers = ["add Vary: Cookie"]
)");
  ASSERT_TRUE(outcome.ok()) << RenderProblems(outcome.problems, false);
  const Config& config = *outcome.config;
  EXPECT_TRUE(config.edge.trusted_proxies.Contains(*base::IpAddress::Parse("10.1.2.3")));
  EXPECT_TRUE(config.edge.trusted_proxies.Contains(base::IpAddress()));
  EXPECT_EQ(config.edge.forwarded_field, ForwardedField::kForwarded);
  EXPECT_TRUE(config.edge.traceparent);
  EXPECT_TRUE(config.listen[0].proxy_protocol.Contains(*base::IpAddress::Parse("192.0.2.1")));
  EXPECT_TRUE(config.upstreams[0].proxy_protocol);
  EXPECT_TRUE(config.routes[0].upgrades.empty());
  const std::vector<HeaderRule> of_requests = {{HeaderRule::Action::kSet, "X-Edge", "north"},
                                               {HeaderRule::Action::kRemove, "X-Debug", ""}};
  EXPECT_EQ(config.routes[0].request_headers, of_requests);
  const std::vector<HeaderRule> of_responses = {{HeaderRule::Action::kAdd, "Vary", "Cookie"}};
  EXPECT_EQ(config.routes[0].response_headers, of_responses);
  EXPECT_EQ(Route().upgrades, std::vector<std::string>{"websocket"});
}

TEST(Loader, NetworksAndHeaderRulesAreChecked) {
  EXPECT_THAT(Faults("[edge]\ntrusted_proxies = [\"10.0.0.5/8\"]\n"), HasSubstr("bits behind its prefix"));
  EXPECT_THAT(Faults("[edge]\ntrusted_proxies = [\"proxy.internal\"]\n"), HasSubstr("not a network"));
  EXPECT_THAT(Faults("[edge]\ntrusted_proxies = [\"10.0.0.0/8\", \"::ffff:10.0.0.0/104\"]\n"),
              HasSubstr("stands twice"));
  const std::string route = "[[route]]\nupstream = \"app\"\n";
  EXPECT_THAT(Faults(route + "request_headers = [\"set Host: example.com\"]\n"),
              HasSubstr("Gatebook writes it itself"));
  EXPECT_THAT(Faults(route + "request_headers = [\"sett X: y\"]\n"), HasSubstr("not a rule"));
  EXPECT_THAT(Faults(route + "response_headers = [\"set Strict-Transport-Security: max-age=1\"]\n"),
              HasSubstr("tls.hsts"));
  EXPECT_THAT(Faults(route + "upgrades = [\"h2c\"]\n"), HasSubstr("not an upgrade that is passed on"));
  EXPECT_THAT(Faults(route + "upgrades = [\"a b\"]\n"), HasSubstr("not the name of a protocol"));
}

TEST(Loader, ASecretIsNeverShown) {
  for (const char* text :
       {"[redis]\nurl = \"redis://u:hunter2@h/0\"\n", "[redis]\npassword = \"hunter2\"\n",
        "[redis]\nurl = \"redis://u:hunter2@h/0\n", "[redis]\npassword = 'hunter2'\nurl = 7\n",
        "redis.password = \"hunter2\"\n", "redis = {password = \"hunter2\"}\n",
        "[[upstream]]\nname = \"x\"\nservers = [\"http://u:hunter2@h:80\"]\n",
        "[[route]]\nupstream = \"app\"\nrequest_headers = [\"set Authorization: Basic hunter2\"]\n",
        "[[route]]\nupstream = \"app\"\nresponse_headers = [\"add Set-Cookie: a=hunter2\"]\n"}) {
    const auto faults = Faults(text);
    EXPECT_FALSE(faults.empty()) << text;
    EXPECT_EQ(faults.find("hunter2"), std::string::npos) << faults;
  }
}

TEST(Loader, ProblemsAreBoundedInNumber) {
  std::string text = kMinimal;
  for (int i = 0; i < 5000; ++i) text += "[x" + std::to_string(i) + "]\n";
  EXPECT_EQ(LoadOnly(text).problems.size(), 1000u);
}

TEST(Loader, SectionsAreBoundedInNumber) {
  std::string text = kMinimal;
  for (int i = 0; i < 1100; ++i) {
    text += "[[route]]\nupstream = \"app\"\npath = \"/" + std::to_string(i) + "\"\n";
  }
  const auto outcome = LoadOnly(text);
  ASSERT_EQ(outcome.problems.size(), 1u);
  EXPECT_THAT(outcome.problems[0].message, HasSubstr("more than 1024 sections [[route]]"));
}

TEST(Loader, DeeplyNestedTextIsRefusedWithoutHarm) {
  std::string dotted;
  for (int i = 0; i < 300'000; ++i) dotted += "a.";
  EXPECT_FALSE(LoadOnly(dotted + "a = 1\n").ok());
  EXPECT_FALSE(LoadOnly("[" + dotted + "a]\n").ok());
  EXPECT_FALSE(LoadOnly("a = " + std::string(300'000, '[')).ok());
  std::string tables = "a = ";
  for (int i = 0; i < 50'000; ++i) tables += "{a = ";
  EXPECT_FALSE(LoadOnly(tables).ok());
}

TEST(Loader, BrokenHeadingsAreProblemsInEveryBuild) {
  for (const char* text : {"[[.a]]", "[.a]", "[[[a]]]", "[[", "[[=", "[]", "[[]]", "[a", "[[a]", "[a]]"}) {
    EXPECT_EQ(LoadOnly(text).problems.size(), 1u) << text;
  }
}

TEST(Loader, OtherThanAsciiStandsInStringsAndCommentsOnly) {
  for (const char* text : {"[edge] \u00fc", "\u00fcber = 1", "[edge]\nname = \u00fc", "[\u00fc]",
                           "a = \"\"\"\\\n \u00fc\"\"\""}) {
    EXPECT_EQ(LoadOnly(text).problems.size(), 1u) << text;
  }
  EXPECT_TRUE(
      LoadOnly("# \u00fc\n" + std::string(kMinimal) + "[log] # \u00fc 'x\nfile = \"/\\\"\u00fc\" # \u00fc\n")
          .ok());
  EXPECT_TRUE(LoadOnly(std::string(kMinimal) + "[log]\nfile = '/\u00fc\\' # \u00fc\n").ok());
}

TEST(Loader, AStringBeginsWhereAWordCould) {
  EXPECT_THAT(Faults("[edge]\nname = 1\"\u00fc\" # here\n"),
              HasSubstr(":9: error: a quotation mark in the middle of a word"));
}

TEST(Loader, DotsInStringsAndCommentsAreFree) {
  EXPECT_TRUE(LoadOnly(kMinimal + std::string("# ") + std::string(600, '.') + "\n[log]\nfile = \"/" +
                       std::string(600, '.') + "\"\n")
                  .ok());
  EXPECT_THAT(Faults("a" + std::string(513, '.') + "\n"), HasSubstr(":514: error: more than 512 dots"));
}

TEST(Loader, AFileLargerThanOneMebibyteIsRefused) {
  const auto outcome = LoadOnly("#" + std::string(1 << 20, ' '));
  ASSERT_EQ(outcome.problems.size(), 1u);
  EXPECT_EQ(outcome.problems[0].message, "the file is larger than 1 MiB");
}

TEST(Loader, AMissingConfigFileIsAProblem) {
  const TemporaryDirectory directory;
  const auto missing = Load(directory.path() + "/none.toml");
  ASSERT_EQ(missing.problems.size(), 1u);
  EXPECT_EQ(missing.problems[0].line, 0u);
  EXPECT_THAT(missing.problems[0].message, HasSubstr("No such file"));
  EXPECT_THAT(Load(directory.path()).problems[0].message, HasSubstr("directory"));
}

TEST(Loader, FilesThatMustBeThereAreLookedFor) {
  const TemporaryDirectory directory;
  const std::string pem = directory.Write("a.pem", "x");
  const std::string good =
      directory.Write("good.toml", std::string(kMinimal) + "[[certificate]]\nchain = \"" + pem +
                                       "\"\nkey = \"" + pem + "\"\n");
  EXPECT_TRUE(Load(good).ok()) << RenderProblems(Load(good).problems, false);

  const std::string none = directory.path() + "/none";
  const auto bad = Load(directory.Write(
      "bad.toml", std::string(kMinimal) + "[[certificate]]\nchain = \"" + none + "\"\nkey = \"" +
                      directory.path() + "\"\n[redis]\npassword_file = \"" + none +
                      "\"\n[geo]\ndatabases = [\"" + pem + "\", \"" + none + "\"]\n[tls]\nclient_ca = \"" +
                      none + "\"\n[edge]\nuser = \"no-such-user\"\n[session]\nkey_file = \"" + none +
                      "\"\n[journal]\ndirectory = \"" + none + "\"\n"));
  EXPECT_EQ(bad.problems.size(), 6u) << RenderProblems(bad.problems, false);
  for (const Problem& problem : bad.problems) EXPECT_GT(problem.line, 0u) << problem.message;
}

}  // namespace
}  // namespace gatebook::config
