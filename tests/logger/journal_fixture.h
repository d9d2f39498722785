// What the journal's tests share: a directory of their own, visits to write, and
// a journal whose keeper runs when the test says so.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "logger/journal.h"
#include "tests/support/temp_directory.h"

namespace gatebook::logger {

inline Visit SmallVisit(uint64_t number) {
  Visit visit;
  visit.arrival = base::WallTime(std::chrono::milliseconds(1795471981042));
  visit.ip = base::IpAddress::FromV4(0xc6336401);
  visit.status = 200;
  visit.request_id = number;
  visit.method = "GET";
  visit.host = "example.com";
  visit.path = "/";
  return visit;
}

inline void WriteFile(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Counters of all threads of one journal, and their promise.
struct Books {
  explicit Books(uint32_t workers) {
    for (uint32_t i = 0; i < workers; ++i) writers.push_back(std::make_unique<base::MetricsBlock>());
  }
  uint64_t Sum(base::Metric metric) const {
    uint64_t sum = recorder.Get(metric);
    for (const auto& writer : writers) sum += writer->Get(metric);
    return sum;
  }
  bool AddUp() const {
    using base::Metric;
    return Sum(Metric::kVisitsAccepted) ==
           Sum(Metric::kVisitsStored) + Sum(Metric::kVisitsInJournal) + Sum(Metric::kVisitsQuarantined) +
               Sum(Metric::kVisitsDroppedFull) + Sum(Metric::kVisitsDroppedNoSegment) +
               Sum(Metric::kVisitsDroppedTooLarge);
  }
  std::vector<std::unique_ptr<base::MetricsBlock>> writers;
  base::MetricsBlock recorder;
};

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    config_.directory = directory_.Path("journal");
    config_.segment_size = 256 << 10;
  }
  void TearDown() override {
    Close();  // while what a test lends it is still there
    if (books_ != nullptr) {
      EXPECT_TRUE(books_->AddUp());
    }
  }

  base::Result<std::unique_ptr<Journal>> TryOpen(uint32_t workers = 1) {
    books_ = std::make_unique<Books>(workers);
    JournalOptions options;
    for (const auto& writer : books_->writers) options.worker_metrics.push_back(writer.get());
    options.recorder_metrics = &books_->recorder;
    options.start_keeper = false;
    // Nothing here waits for a real disk to have what a test flushes.
    options.disk_fault = [fault = fault_](DiskCall& call) {
      const int error = fault ? fault(call) : 0;
      const bool is_flush = call.step == DiskStep::kSync || call.step == DiskStep::kSyncDirectory;
      return error == 0 && is_flush ? kTakenAsDone : error;
    };
    return Journal::Open(config_, "edge1", workers, clock_, std::move(options));
  }
  void Open(uint32_t workers = 1) {
    journal_.reset();
    auto opened = TryOpen(workers);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = std::move(opened).value();
  }
  void Close() { journal_.reset(); }

  Appended Append(uint64_t number, uint32_t worker = 0) {
    return journal_->writer(worker).Append(SmallVisit(number));
  }
  JournalReader& Reader(size_t i = 0) { return *journal_->readers()[i]; }

  // Stores the next visit as a recorder would; its number, or 0 if there is none.
  uint64_t Store(size_t reader = 0) {
    Record record;
    if (!Reader(reader).Next(&record)) return 0;
    if (record.type == RecordType::kVisit) {
      books_->recorder.Add(base::Metric::kVisitsStored);
      books_->recorder.Sub(base::Metric::kVisitsInJournal);
    }
    const uint64_t number = record.visit.request_id;
    Reader(reader).Release(record.position);
    return number;
  }
  std::vector<uint64_t> StoreAll(size_t reader = 0) {
    std::vector<uint64_t> numbers;
    while (const uint64_t number = Store(reader)) numbers.push_back(number);
    return numbers;
  }

  std::vector<std::filesystem::path> Segments() const {
    std::vector<std::filesystem::path> segments;
    for (const auto& entry : std::filesystem::directory_iterator(config_.directory)) {
      if (entry.path().extension() == ".segment") segments.push_back(entry.path());
    }
    std::sort(segments.begin(), segments.end());
    return segments;
  }
  std::filesystem::path QuarantinePath() const {
    return std::filesystem::path(config_.directory) / "quarantine";
  }
  uint64_t Count(base::Metric metric) const { return books_->Sum(metric); }

  support::TempDirectory directory_{support::TempDirectory::Where::kMemory};
  config::Journal config_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1795471981042))};
  DiskFault fault_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<Journal> journal_;
};

inline std::vector<uint64_t> Numbers(uint64_t from, uint64_t to) {
  std::vector<uint64_t> numbers;
  for (uint64_t number = from; number <= to; ++number) numbers.push_back(number);
  return numbers;
}

}  // namespace gatebook::logger
