// Asking the book: order, saved queries, forms; and whatever strangers wrote into it does no harm in any
// form.
#include <fstream>

#include "logger/redis_keys.h"
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

class QueryTest : public EdgeTest {
 protected:
  void SetUp() override { Say("edge", "trusted_proxies = [\"127.0.0.1\"]"); }

  void Visit(const std::string& path, const std::string& fields = "") {
    RawClient client(edge_->Tls());
    ASSERT_TRUE(client.Get(path, fields));
  }
  std::string Shown(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"visits", "--since", "1h"});
    const auto shown = edge_->Command(std::move(arguments));
    EXPECT_EQ(shown.exit_code, 0) << shown.errors;
    return shown.output;
  }
  // What our own pen would never write: somebody else had Redis.
  void WriteIntoRedis(const std::string& agent, const std::string& path) {
    const uint64_t now = static_cast<uint64_t>(base::Clock::System().WallNow().time_since_epoch().count());
    const std::string c = "AAAAAAAAAAAAAAAAAAAAAA\t198.51.100.9\tconfirmed\t" + agent + "\tFI\t\t" + agent +
                          "\t" + agent + "\th2\t13\t" + agent + "\t3\t\t" + agent;
    const std::string v = "\tn\t200\t" + agent + "\t" + path + "\t" + agent;
    const std::string id = std::to_string(now) + "-" + std::to_string(++written_);
    EXPECT_EQ(redis_->Ask({"XADD", logger::VisitsKey("test", 0, logger::MinuteOf(now)), id, "v", v, "c", c}),
              id);
  }

  int written_ = 0;
};

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Nothing that moves a cursor, changes a colour, turns text round, or is no UTF-8.
void ExpectInert(const std::string& text, const std::string& form) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool ends_line = byte == '\n' || (byte == '\r' && form == "csv");
    const bool separates = byte == '\t' && form == "plain";
    ASSERT_TRUE(byte >= 0x20 || ends_line || separates) << form << " at " << i << ": " << text.substr(i, 20);
    ASSERT_NE(byte, 0x7f) << form;
  }
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos) << form;
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos) << form;
  EXPECT_EQ(text.find('\xff'), std::string::npos) << form;
}

TEST_F(QueryTest, HostileTextsDoNoHarmInAnyForm) {
  Start();
  const std::string evil =
      "\x1b[31m\x07\xc2\x9b"
      "31m\xe2\x80\xae<script>alert(1)</script>\"',\\\xff";
  Visit("/=cmd%7C'/C%20calc'!A0?utm_source=%1b%5b2J",
        "User-Agent: =HYPERLINK(\"http://evil\") \xe2\x80\xae\r\n");
  Visit("/" + std::string(5000, 'p'), "User-Agent: @" + std::string(8192, 'a') + "\r\n");
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  WriteIntoRedis("=" + evil, "/" + evil);
  WriteIntoRedis("+" + std::string(8192, 'x') + evil, "/\r\n- - [] \"GET /forged HTTP/1.1\" 200 0");
  const std::vector<std::string> reveal = {"--reveal", "--reason", "a test"};
  for (const char* form : {"json", "ecs", "otel", "csv", "combined", "plain"}) {
    for (const bool whole : {false, true}) {
      std::vector<std::string> arguments = {"--format", form};
      if (whole) arguments.insert(arguments.end(), reveal.begin(), reveal.end());
      const std::string text = Shown(arguments);
      ExpectInert(text, form);
      EXPECT_EQ(Lines(text), form == std::string("csv") ? 5u : 4u) << text;
      if (form == std::string("json") || form == std::string("ecs") || form == std::string("otel")) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
          EXPECT_FALSE(json::parse(line, nullptr, false).is_discarded()) << line;
      }
    }
  }
  const auto table = support::Run(
      {"script", "-qec", std::string(GATEBOOK_BINARY) + " visits --since 1h -c " + edge_->config_path(),
       "/dev/null"});
  EXPECT_THAT(table.output, HasSubstr("STATUS"));
  EXPECT_EQ(table.output.find('\x1b'), std::string::npos);
  EXPECT_EQ(table.output.find("\xe2\x80\xae"), std::string::npos);
}

TEST_F(QueryTest, CsvIsReadByAnotherProgramAndHasNoFormula) {
  Start();
  Visit("/a,b\"c", "User-Agent: =1+1\r\n");
  Visit("/second", "User-Agent: -2\r\n");
  ASSERT_EQ(edge_->WaitForVisits(2).size(), 2u);
  const std::string file = edge_->directory() + "/visits.csv";
  std::ofstream(file) << Shown({"--format", "csv"});
  const auto read = support::Run(
      {"/usr/bin/python3", "-c",
       "import csv, json, sys\n"
       "print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8')))))",
       file});
  const json rows = json::parse(read.output, nullptr, false);
  ASSERT_EQ(rows.size(), 2u) << read.output;
  EXPECT_EQ(rows[0]["user_agent"], "'=1+1");
  EXPECT_EQ(rows[1]["user_agent"], "'-2");
  EXPECT_EQ(rows[1]["path"], "/second");
  EXPECT_EQ(rows[0]["status"], "200");
}

TEST_F(QueryTest, NewestComeFirstWhenAsked) {
  Start();
  for (int i = 0; i < 5; ++i) Visit("/" + std::to_string(i));
  ASSERT_EQ(edge_->WaitForVisits(5).size(), 5u);
  const auto newest = edge_->Visits({"--order", "newest", "--limit", "2"});
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0]["path"], "/4");
  EXPECT_EQ(newest[1]["path"], "/3");
  EXPECT_EQ(edge_->Command({"visits", "--order", "newest", "--follow"}).exit_code, 2);
  EXPECT_EQ(edge_->Command({"visits", "--order", "sideways"}).exit_code, 2);
}

TEST_F(QueryTest, ASavedQueryIsAskedByItsName) {
  options_.more = "[[query]]\nname = \"firsts\"\nwhere = \"path = /1 and time >= -1h\"\n";
  Start();
  for (int i = 0; i < 3; ++i) Visit("/" + std::to_string(i));
  ASSERT_EQ(edge_->WaitForVisits(3).size(), 3u);
  EXPECT_EQ(edge_->Visits({"--query", "firsts"}).size(), 1u);
  EXPECT_EQ(edge_->Visits({"--query", "firsts", "--where", "path = /2"}).size(), 0u);
  const auto unknown = edge_->Command({"visits", "--query", "first"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean firsts?"));
}

TEST_F(QueryTest, AQueryThatCannotBeReadIsFoundByCheckAndReload) {
  Start();
  options_.more = "[[query]]\nname = \"a\"\nwhere = \"contry = FI\"\n";
  edge_->Configure(options_);
  const auto check = edge_->Command({"check"});
  EXPECT_EQ(check.exit_code, 78);
  EXPECT_THAT(check.errors, HasSubstr("did you mean \"country\"?"));
  EXPECT_EQ(edge_->Command({"reload"}).exit_code, 1);
}

TEST_F(QueryTest, WhatStandsThereIsDiscreetUnlessSomebodySaysWhy) {
  Start();
  Visit("/", "X-Forwarded-For: 203.0.113.77\r\n");
  ASSERT_EQ(edge_->WaitForVisits(1).size(), 1u);
  const std::string session = edge_->Visits()[0]["session"];
  for (const auto& command : {std::vector<std::string>{"visits", "--since", "1h"}, {"session", session}}) {
    const auto shown = edge_->Command(command);
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_THAT(shown.output, HasSubstr("203.0.113.0/24"));
    EXPECT_EQ(shown.output.find("203.0.113.77"), std::string::npos) << shown.output;
  }
  const auto finer =
      edge_->Command({"visits", "--since", "1h", "--where", "status = 200 and ip = 203.0.113.77"});
  EXPECT_EQ(finer.exit_code, 2);
  EXPECT_THAT(finer.errors, HasSubstr("use 203.0.113.0/24, or --reveal --reason TEXT"));
  EXPECT_EQ(edge_->Command({"stats", "--where", "ip = 203.0.113.77"}).exit_code, 2);
  EXPECT_EQ(edge_->Visits({"--ip", "203.0.113.0/24"}).size(), 1u);
  const auto whole = edge_->Visits({"--ip", "203.0.113.77", "--reveal", "--reason", "case 7"});
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0]["ip"], "203.0.113.77");
}

}  // namespace
}  // namespace gatebook::e2e
