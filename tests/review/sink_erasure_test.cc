// One person's lines, taken out of the files of sinks.
#include "review/sink_erasure.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/rfc3339.h"
#include "review/sink_files.h"
#include "review/sink_line.h"
#include "tests/support/temp_directory.h"

namespace gatebook::review {
namespace {

using config::SinkFormat;
using logger::StoredVisit;
using namespace std::chrono_literals;

class SinkErasureTest : public testing::TestWithParam<SinkFormat> {
 protected:
  SinkErasureTest() {
    config::Sink& sink = config_.sinks.emplace_back();
    sink.name = "s";
    sink.format = GetParam();
    sink.path = files_.Path("visits");
    for (uint32_t i = 0; i < 6; ++i) {
      StoredVisit& visit = visits_.emplace_back();
      visit.edge = "edge1";
      visit.id = {0, 1'790'000'000'000U + i, i};
      visit.arrival = time_ + i * 1s;
      visit.session = logger::ToText(logger::SessionId{{static_cast<uint8_t>(i % 2)}});
      visit.ip = i < 3 ? "203.0.113.7" : "203.0.113.70";
      visit.method = "GET";
      visit.path = "/" + std::to_string(i);
      visit.status = 200;
      visit.user_agent = "\"event.id\":\"edge1.0-1790000000000-0\"";
    }
  }
  std::string Line(size_t i) const {
    std::string line;
    AppendLine(line, visits_[i], GetParam());
    return line;
  }
  void Write(const std::string& path, std::initializer_list<size_t> which) const {
    std::ofstream out(path, std::ios::app);
    for (const size_t i : which) out << Line(i);
  }
  std::string All() const {
    std::string all;
    const auto files = ListClosedSinkFiles(files_.Path("visits"));
    EXPECT_TRUE(files.ok());
    for (const ClosedSinkFile& file : *files) all += support::ReadFile(file.path);
    return all + support::ReadFile(files_.Path("visits"));
  }

  support::TempDirectory files_;
  config::Config config_;
  const base::WallTime time_ = *base::ParseRfc3339("2026-11-23T12:00:00Z");
  std::vector<StoredVisit> visits_;
};

TEST_P(SinkErasureTest, TakesASessionOutOfEveryFileAndLeavesTheOthers) {
  Write(ClosedSinkFileName(files_.Path("visits"), time_), {0, 1, 2});
  Write(files_.Path("visits"), {3, 4, 5});
  const Subject subject = Subject::OfSession(logger::SessionId{{0}}, time_ + 1h);
  const std::vector<StoredVisit> known{visits_[0], visits_[2], visits_[4]};
  const SinkErasure erasure(config_, subject, known);
  EXPECT_EQ(*erasure.Count(), 3u);
  const auto done = erasure.Run();
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->lines, 3u);
  EXPECT_EQ(done->files, 2u);
  EXPECT_EQ(All(), Line(1) + Line(3) + Line(5));
  EXPECT_EQ(*erasure.Count(), 0u);
}

TEST_P(SinkErasureTest, TakesAnAddressOutWithinItsTimeOnly) {
  Write(files_.Path("visits"), {0, 1, 2, 3, 4, 5});
  const Subject subject = Subject::OfAddress(*base::IpAddress::Parse("203.0.113.7"), time_ + 1s, time_ + 10s);
  const auto done = SinkErasure(config_, subject, {}).Run();
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->lines, 2u);
  EXPECT_EQ(All(), Line(0) + Line(3) + Line(4) + Line(5));
}

TEST_P(SinkErasureTest, DoesNotReadFilesOfOtherTimes) {
  const std::string later = ClosedSinkFileName(files_.Path("visits"), time_ + 2h);
  Write(later, {0});
  const std::string earlier = ClosedSinkFileName(files_.Path("visits"), time_ - 100h);
  Write(earlier, {0});
  const auto days_ago = std::filesystem::file_time_type::clock::from_sys(time_ - 48h);
  std::filesystem::last_write_time(earlier, days_ago);
  const Subject subject = Subject::OfSession(logger::SessionId{{0}}, time_ + 1h);
  const std::vector<StoredVisit> mine{visits_[0]};
  EXPECT_EQ(*SinkErasure(config_, subject, mine).Count(), 0u);
  std::filesystem::last_write_time(earlier, days_ago + 48h);
  EXPECT_EQ(*SinkErasure(config_, subject, mine).Count(), 1u);
}

TEST_P(SinkErasureTest, LeavesAFileAloneThatIsBeingWritten) {
  Write(files_.Path("visits"), {0, 1});
  const int writer = ::open(files_.Path("visits").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  const Subject subject = Subject::OfSession(logger::SessionId{{0}}, time_ + 1h);
  const std::vector<StoredVisit> known{visits_[0]};
  const auto done = SinkErasure(config_, subject, known).Run();
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->lines, 0u);
  EXPECT_EQ(All(), Line(0) + Line(1));
  ::close(writer);
}

INSTANTIATE_TEST_SUITE_P(Formats, SinkErasureTest,
                         testing::Values(SinkFormat::kEcs, SinkFormat::kOtel, SinkFormat::kCombined));

}  // namespace
}  // namespace gatebook::review
