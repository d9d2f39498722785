// The desk's page in a real browser (tests/e2e/clients/desk.mjs).
#include <fstream>

#include "review/password.h"
#include "tests/e2e/edge_test.h"

namespace gatebook::e2e {
namespace {

constexpr char kScript[] = GATEBOOK_SOURCE_DIR "/tests/e2e/clients/desk.mjs";
constexpr char kAxe[] = GATEBOOK_SOURCE_DIR "/build/axe-core/package/axe.min.js";
constexpr char kNode[] = "/usr/bin/node";
constexpr char kBrowser[] = "/usr/lib/chromium/chromium-headless-shell";
// A second is promised; a machine that runs a browser and everything else on two cores has more.
constexpr int kLivePatience = 3000;  // ms

class DeskPageTest : public EdgeTest {
 protected:
  void Start(bool over_tls = false) {
    options_.admin_tls = over_tls;
    Say("edge", "trusted_proxies = [\"127.0.0.0/8\"]");
    options_.more = "[[query]]\nname = \"others\"\nwhere = \"path = '/other'\"\n";
    Prepare();
    if (over_tls) {
      const std::string file = edge_->directory() + "/alice";
      std::ofstream(file) << review::Password::Make("correct horse")->ToText() << "\n";
      options_.more += "[[reader]]\nname = \"alice\"\npassword_file = \"" + file + "\"\n";
      edge_->Configure(options_);
    }
    ASSERT_TRUE(edge_->Start()) << edge_->process().Describe();
  }
  void Play(const std::string& scenario) {
    const auto listener = edge_->AdminListener();
    const char* const pictures = std::getenv("GATEBOOK_PICTURES");
    const json facts = {{"browser", kBrowser},
                        {"admin", listener.unix_path},
                        {"tls", listener.port},
                        {"plain", edge_->Plain().port},
                        {"audit", edge_->directory() + "/audit.log"},
                        {"axe", kAxe},
                        {"patience", kLivePatience},
                        {"pictures", pictures == nullptr ? "" : pictures}};
    const auto done = support::Run({kNode, kScript, scenario, facts.dump()}, {}, std::chrono::seconds(150));
    EXPECT_EQ(done.exit_code, 0) << done.output << done.errors;
    if (!done.output.empty()) std::printf("%s", done.output.c_str());
  }
};

TEST_F(DeskPageTest, ShowsFiltersAndTellsStories) {
  Start();
  Play("look");
}

TEST_F(DeskPageTest, ShowsANewVisitWithinASecondAndPauses) {
  Start();
  Play("live");
}

TEST_F(DeskPageTest, RevealsWithAReasonThatIsWrittenDown) {
  Start();
  Play("reveal");
}

TEST_F(DeskPageTest, HostileVisitsDoNoHarm) {
  Start();
  Play("hostile");
}

TEST_F(DeskPageTest, WhoIsNotLoggedInSeesNothing) {
  Start(true);
  Play("login");
}

TEST_F(DeskPageTest, HasNoFaultThatKeepsAnybodyOut) {
  Start();
  Play("faults");
}

}  // namespace
}  // namespace gatebook::e2e
