// What a crash, a power cut or a failing disk may leave in a journal's files.
#include <fcntl.h>
#include <unistd.h>

#include "logger/journal_cursor.h"
#include "tests/logger/journal_fixture.h"

namespace gatebook::logger {
namespace {

using base::Metric;

constexpr uint64_t kVisits = 3;

class JournalDamageTest : public JournalTest {
 protected:
  JournalDamageTest() {
    config_.segment_size = kLeastSegment;
    config_.max_size = 6 * kLeastSegment;
    config_.flush = config::Flush::kNo;  // some thousand openings
  }

  // A segment with kVisits visits that nobody ended, as after a kill.
  void WriteUnendedSegment() {
    Open();
    for (uint64_t number = 1; number <= kVisits; ++number) {
      ends_.push_back(OffsetOf(Append(number).position));
    }
    segment_ = Segments().front();
    unended_ = support::ReadFile(segment_);  // the file as a kill at this moment leaves it
    Close();
    ended_ = support::ReadFile(segment_);
    RemoveAll();
  }
  void RemoveAll() {
    for (const auto& segment : Segments()) std::filesystem::remove(segment);
    std::filesystem::remove_all(QuarantinePath());
  }
  // Opens a journal that holds only these bytes as a segment, and stores all of it.
  std::vector<uint64_t> StoreFrom(const std::string& bytes) {
    Close();
    RemoveAll();
    WriteFile(segment_, bytes);
    Open();
    EXPECT_TRUE(books_->AddUp());
    const auto numbers = StoreAll();
    Append(1000);  // goes on behind any damage
    EXPECT_EQ(Store(), 1000u);
    EXPECT_EQ(StoreAll(), Numbers(1, 0));
    EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
    EXPECT_TRUE(books_->AddUp());
    return numbers;
  }
  // The record (from 0) that a byte of the file belongs to; -1 for the header, kVisits for what is behind.
  int RecordAt(uint64_t offset) const {
    if (offset < kSegmentHeaderBytes) return -1;
    int record = 0;
    while (record < static_cast<int>(kVisits) && offset >= ends_[static_cast<size_t>(record)]) ++record;
    return record;
  }

  std::filesystem::path segment_;
  std::vector<uint64_t> ends_;
  std::string unended_;
  std::string ended_;
};

TEST_F(JournalDamageTest, AFileTruncatedAnywhereGivesEveryWholeRecordBeforeThere) {
  WriteUnendedSegment();
  for (uint64_t size = kSegmentHeaderBytes; size <= ends_.back() + 16; ++size) {
    const uint64_t whole = static_cast<uint64_t>(RecordAt(size));
    EXPECT_EQ(StoreFrom(unended_.substr(0, size)), Numbers(1, whole)) << size;
  }
  // Below its header a file is refused by its size, before a byte of it is looked at.
  for (uint64_t size = 0; size < kSegmentHeaderBytes; size += size < 16 || size > 4000 ? 1 : 61) {
    EXPECT_EQ(StoreFrom(unended_.substr(0, size)), Numbers(1, 0)) << size;
    EXPECT_EQ(Count(Metric::kJournalDamage), 1u);
  }
}

TEST_F(JournalDamageTest, AnAppendCutShortAtAnyByteIsNoVisitAndNoDamage) {
  WriteUnendedSegment();
  const uint64_t last = ends_[kVisits - 2];
  // The stores of an append in their order: all behind the first word, then that word.
  for (uint64_t written = last + 8; written < ends_.back(); ++written) {
    std::string torn = unended_;
    for (uint64_t at = last; at < ends_.back(); ++at) {
      if (at < last + 8 || at >= written) torn[at] = 0;
    }
    EXPECT_EQ(StoreFrom(torn), Numbers(1, kVisits - 1)) << written;
    EXPECT_EQ(Count(Metric::kVisitsQuarantined), 0u);
    EXPECT_EQ(Count(Metric::kJournalDamage), 0u);
  }
}

TEST_F(JournalDamageTest, AnyFlippedByteOfARecordCostsThatRecordAloneAndIsCounted) {
  WriteUnendedSegment();
  const auto flip = [&](const std::string& file, uint64_t at) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto numbers = StoreFrom(damaged);
    if (numbers.size() == kVisits) return;  // padding
    auto expected = Numbers(1, kVisits);
    std::erase(expected, static_cast<uint64_t>(RecordAt(at)) + 1);
    EXPECT_EQ(numbers, expected) << at;
    EXPECT_EQ(Count(Metric::kVisitsQuarantined), 1u) << at;
    EXPECT_EQ(Count(Metric::kJournalDamage), 1u) << at;
  };
  for (uint64_t at = kSegmentHeaderBytes; at < ends_.back(); ++at) flip(unended_, at);
  for (uint64_t at = ends_[kVisits - 2]; at < ends_.back(); ++at) flip(ended_, at);
}

TEST_F(JournalDamageTest, AnyFlippedByteOfTheHeaderCostsNoVisit) {
  WriteUnendedSegment();
  for (const std::string* file : {&unended_, &ended_}) {
    for (uint64_t at = 0; at < kSegmentHeaderBytes; ++at) {
      if ((*file)[at] == 0) continue;
      std::string damaged = *file;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      EXPECT_EQ(StoreFrom(damaged), Numbers(1, kVisits)) << at;
    }
  }
}

TEST_F(JournalDamageTest, APageThatThePowerCutKeptFromTheDiskIsCountedByWhatStandsBehindIt) {
  Open();
  std::vector<uint64_t> ends;
  for (uint64_t number = 1; number <= 200; ++number) ends.push_back(OffsetOf(Append(number).position));
  segment_ = Segments().front();
  std::string file = support::ReadFile(segment_);
  std::fill(file.begin() + 8192, file.begin() + 12288, '\0');
  std::vector<uint64_t> expected;
  for (uint64_t number = 1; number <= 200; ++number) {
    const uint64_t from = number == 1 ? kSegmentHeaderBytes : ends[number - 2];
    if (ends[number - 1] <= 8192 || from >= 12288) expected.push_back(number);
  }
  EXPECT_EQ(StoreFrom(file), expected);
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 200 - expected.size());
}

TEST_F(JournalDamageTest, ADamagedLastRecordIsCountedThoughNothingFollows) {
  WriteUnendedSegment();
  std::string damaged = unended_;
  damaged[ends_[1] + 12] = static_cast<char>(damaged[ends_[1] + 12] ^ 1);
  WriteFile(segment_, damaged);
  Open();
  EXPECT_EQ(journal_->recovered_visits(), kVisits);
  EXPECT_EQ(StoreAll(), Numbers(1, kVisits - 1));
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 1u);
  EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
  // Only what was written, not the zeros behind it.
  for (const auto& entry : std::filesystem::directory_iterator(QuarantinePath())) {
    EXPECT_LE(entry.file_size(), ends_[2] - ends_[1]);
  }
}

TEST_F(JournalDamageTest, DamageUnderARunningRecorderIsSteppedOver) {
  Open();
  for (uint64_t number = 1; number <= 5; ++number) ends_.push_back(OffsetOf(Append(number).position));
  const base::UniqueFd file(::open(Segments().front().c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::pwrite(file.get(), "\xff\xff\xff\xff\xff\xff", 6, static_cast<off_t>(ends_[1])), 6);
  EXPECT_EQ(StoreAll(), (std::vector<uint64_t>{1, 2, 4, 5}));
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 1u);
  EXPECT_EQ(Count(Metric::kVisitsInJournal), 0u);
}

TEST_F(JournalDamageTest, RewindingOverDamageCountsItOnce) {
  WriteUnendedSegment();
  std::string damaged = unended_;
  damaged[ends_[0]] = static_cast<char>(damaged[ends_[0]] ^ 1);
  WriteFile(segment_, damaged);
  Open();
  EXPECT_EQ(Store(), 1u);
  Record record;
  while (Reader().Next(&record)) {
  }
  Reader().Rewind();
  EXPECT_EQ(StoreAll(), Numbers(3, 3));
  EXPECT_EQ(Count(Metric::kVisitsQuarantined), 1u);
  EXPECT_EQ(Count(Metric::kJournalDamage), 1u);
}

TEST_F(JournalDamageTest, DamagedBytesAreKeptInQuarantineUntilTheirTimeIsOver) {
  WriteUnendedSegment();
  std::string damaged = unended_;
  damaged[ends_[0]] = static_cast<char>(damaged[ends_[0]] ^ 1);
  StoreFrom(damaged);
  std::vector<std::filesystem::path> kept;
  for (const auto& entry : std::filesystem::directory_iterator(QuarantinePath()))
    kept.push_back(entry.path());
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_TRUE(damaged.substr(ends_[0], ends_[1] - ends_[0]).starts_with(support::ReadFile(kept[0])));
  EXPECT_GT(std::filesystem::file_size(kept[0]), kRecordHeaderBytes);
  EXPECT_EQ(std::filesystem::status(kept[0]).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);

  clock_.Advance(std::chrono::hours(721));
  journal_->RunKeeperOnce();
  EXPECT_TRUE(std::filesystem::is_empty(QuarantinePath()));
}

TEST_F(JournalDamageTest, FilesThatAreNoSegmentsGoToQuarantineOrAreLeftAlone) {
  WriteUnendedSegment();
  WriteFile(config_.directory + "/00-0000000001.segment", std::string(8192, 'x'));
  WriteFile(config_.directory + "/07-0000000001.segment", unended_);  // says that it is worker 0's
  WriteFile(config_.directory + "/00-0000000002.segment.new", "half made");
  WriteFile(config_.directory + "/notes.txt", "kept");
  Open();
  EXPECT_EQ(journal_->recovered_visits(), 0u);
  EXPECT_EQ(Count(Metric::kJournalDamage), 2u);
  EXPECT_TRUE(std::filesystem::exists(QuarantinePath() / "00-0000000001.segment"));
  EXPECT_TRUE(std::filesystem::exists(QuarantinePath() / "07-0000000001.segment"));
  EXPECT_FALSE(std::filesystem::exists(config_.directory + "/00-0000000002.segment.new"));
  EXPECT_TRUE(std::filesystem::exists(config_.directory + "/notes.txt"));
  EXPECT_EQ(SequenceOf(Append(1).position), 2u);  // never a name again that was in use
}

TEST_F(JournalDamageTest, ATextThatLooksLikeARecordIsNotOne) {
  // A forger who knows the grammar but not the segment's seed.
  std::string forged(256, '\0');
  std::copy_n("/forged", 7, forged.data() + kRecordHeaderBytes);
  SealRecord(forged.data(), 0, 7, {RecordType::kVisit, {1, 1}, 0}, /*seed=*/0);
  EXPECT_TRUE(ParseRecord(forged, 0, 0));
  EXPECT_FALSE(ParseRecord(forged, 0, 1));
  RecordCursor cursor(forged, 1, 0, 0);
  EXPECT_EQ(cursor.Next(forged.size()), RecordCursor::Step::kDamage);
  EXPECT_EQ(cursor.Next(forged.size()), RecordCursor::Step::kEnd);
}

}  // namespace
}  // namespace gatebook::logger
