// What other tools make of what sinks write: goaccess and fail2ban, themselves.
#include <map>

#include "tests/e2e/edge_test.h"
#include "tests/support/process.h"

namespace gatebook::e2e {
namespace {

using testing::HasSubstr;

class SinkToolsTest : public EdgeTest {
 protected:
  // Visits of some addresses, each answered in its way, and among them what strangers do to logs.
  void Visit() {
    Say("edge", "trusted_proxies = [\"127.0.0.0/8\"]");
    for (const std::string addresses : {"full", "short", "none"}) {
      options_.more += "[[sink]]\nname = \"" + addresses + "\"\nformat = \"combined\"\naddresses = \"" +
                       addresses + "\"\npath = \"" + File(addresses) + "\"\n";
    }
    Behind([](UpstreamConnection& connection, HttpMessage& request) {
      const bool login = request.first_line.find("/login") != std::string::npos;
      connection.Send(Answer(login ? 401 : 200, "hello"));
    });
    Start();
    RawClient client(edge_->Plain());
    for (int i = 0; i < kEach; ++i) {
      for (const auto& [path, ip, agent] :
           {std::tuple("/", "203.0.113.7", "Mozilla/5.0 (X11) Firefox/115.0"),
            std::tuple("/login", "198.51.100.66", "curl/7.88.1"),
            std::tuple("/a%22?b=401", "2001:db8::7", "\" 401 5 \"-\" \"<script>"),
            std::tuple("/x", "203.0.113.9", "agent \xff \xe2\x80\xae")}) {
        ASSERT_TRUE(
            client.Get(path, std::string("X-Forwarded-For: ") + ip + "\r\nUser-Agent: " + agent + "\r\n"));
      }
    }
    for (const char* name : {"full", "short", "none"}) {
      ASSERT_TRUE(WaitUntil([&] {
        const std::string content = support::ReadFile(File(name));
        return std::count(content.begin(), content.end(), '\n') == 4 * kEach;
      })) << support::ReadFile(File(name));
    }
  }
  std::string File(const std::string& name) const { return files_.Path(name); }

  static constexpr int kEach = 25;
  support::TempDirectory files_;
};

TEST_F(SinkToolsTest, GoaccessCountsWhatThereWas) {
  Visit();
  for (const std::string name : {"full", "short", "none"}) {
    const std::string report = File(name + ".json");
    const auto run = support::Run({"goaccess", File(name), "--no-global-config", "--no-progress",
                                   "--log-format=COMBINED", "-o", report});
    ASSERT_EQ(run.exit_code, 0) << run.output << run.errors;
    const json counted = json::parse(support::ReadFile(report), nullptr, false);
    ASSERT_TRUE(counted.is_object());
    EXPECT_EQ(counted["general"]["valid_requests"], 4 * kEach) << name;
    EXPECT_EQ(counted["general"]["failed_requests"], 0) << name;
    EXPECT_EQ(counted["hosts"]["data"].size(), name == "full" ? 4 : name == "short" ? 3 : 1) << name;
    std::map<std::string, int> classes;
    for (const json& one : counted["status_codes"]["data"])
      classes[one["data"].get<std::string>().substr(0, 3)] = one["hits"]["count"];
    EXPECT_EQ(classes, (std::map<std::string, int>{{"2xx", 3 * kEach}, {"4xx", kEach}})) << name;
  }
}

TEST_F(SinkToolsTest, Fail2banFindsTheRightOnesWithTheFilterThatWeShip) {
  Visit();
  const auto run = support::Run(
      {"fail2ban-regex", "--print-all-matched", File("full"), "packaging/fail2ban/filter.d/gatebook.conf"});
  EXPECT_THAT(run.output, HasSubstr("Lines: 100 lines, 0 ignored, 25 matched, 75 missed")) << run.errors;
  EXPECT_THAT(run.output, HasSubstr("198.51.100.66"));
  EXPECT_THAT(run.output, testing::Not(HasSubstr("2001:db8")));
}

}  // namespace
}  // namespace gatebook::e2e
