// Book: a journal with writers, and a recorder that carries it to a Redis; may be opened again over the same
// directory. Thread: a test's. Ends: as Close(), which also sees that the sum holds.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "logger/recorder.h"
#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::logger {

using namespace std::chrono_literals;
using base::Metric;

class Book {
 public:
  explicit Book(const config::Redis& redis, uint32_t workers = 1) : workers_(workers) {
    config_.redis = redis;
    config_.redis.connect_timeout = 2s;
    config_.redis.reply_timeout = 2s;
    config_.journal.directory = directory_.Path("journal");
    config_.journal.segment_size = 1 << 20;
    config_.dns.enabled = false;
  }
  ~Book() { Close(); }

  config::Config& config() { return config_; }

  void Open() {
    metrics_ = std::make_unique<base::MetricsBlock[]>(workers_ + 1);
    JournalOptions options;
    for (uint32_t i = 0; i < workers_; ++i) options.worker_metrics.push_back(&metrics_[i]);
    options.recorder_metrics = &metrics_[workers_];
    auto journal = Journal::Open(config_.journal, config_.edge.name, workers_, clock(), options);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    journal_ = std::move(*journal);
    hints_ = std::make_unique<NameHints>();
    recorder_ = std::make_unique<Recorder>(*journal_, workers_, config_, metrics_[workers_], clock(), *hints_,
                                           journal_->doorbell());
    if (tap_ != nullptr) recorder_->SetTap(*tap_);
    recorder_->Start();
  }
  // From the next Open() on. Borrowed.
  void SetTap(VisitTap& tap) { tap_ = &tap; }
  void Close(std::chrono::milliseconds patience = 10s) {
    if (recorder_ == nullptr) return;
    recorder_->Stop(base::Clock::System().SteadyNow() + patience);
    EXPECT_TRUE(AddsUp());
    recorder_.reset();
    journal_.reset();
  }

  VisitId Write(uint32_t worker = 0, bool open = false) {
    const std::string path = "/visit/" + std::to_string(written_++);
    Visit visit;
    visit.arrival = clock().WallNow();
    visit.session.bytes = {static_cast<uint8_t>(worker), 7};
    visit.ip = *base::IpAddress::Parse("192.0.2.1");
    visit.open = open;
    visit.status = 200;
    visit.method = "GET";
    visit.host = "shop.example";
    visit.path = path;
    visit.user_agent = "Agent/1.0";
    visit.policy = "2025-09-01";
    // A journal whose keeper has no segment ready yet says so.
    Appended appended;
    EXPECT_TRUE(support::WaitUntil([&] {
      return journal_->writer(worker).HasRoom() &&
             (appended = journal_->writer(worker).Append(visit)).outcome == Appended::Outcome::kOk;
    }));
    return appended.id;
  }
  void WriteClosing(uint32_t worker, const VisitId& of) {
    EXPECT_EQ(journal_->writer(worker).Append(Closing{.of = of, .status = 200}).outcome,
              Appended::Outcome::kOk);
  }

  uint64_t Count(Metric metric) const {
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= workers_; ++i) sum += metrics_[i].Get(metric);
    return sum;
  }
  // Waits until Redis has acknowledged, and kept, all that was accepted.
  bool AllStored() {
    return support::WaitUntil(
        [&] { return Count(Metric::kVisitsInJournal) == 0 && Count(Metric::kVisitsStored) > 0; });
  }
  bool AddsUp() const {
    // The recorder's block first: see MetricsSnapshot.
    std::vector<const base::MetricsBlock*> blocks{&metrics_[workers_]};
    for (uint32_t i = 0; i < workers_; ++i) blocks.push_back(&metrics_[i]);
    const base::MetricsSnapshot snapshot(blocks);
    return snapshot.Get(Metric::kVisitsAccepted) == snapshot.VisitsKnown();
  }
  // From now on the book's time is the test's.
  base::ManualClock& StopTime() {
    manual_ = std::make_unique<base::ManualClock>(base::Clock::System().WallNow());
    return *manual_;
  }
  // Whether `text` stands in any file of the journal.
  bool IsOnDisk(std::string_view text) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(config_.journal.directory)) {
      if (!entry.is_regular_file()) continue;
      if (support::ReadFile(entry.path()).find(text) != std::string::npos) return true;
    }
    return false;
  }
  Recorder& recorder() { return *recorder_; }
  Journal& journal() { return *journal_; }

 private:
  const base::Clock& clock() const { return manual_ ? *manual_ : base::Clock::System(); }

  support::TempDirectory directory_;
  std::unique_ptr<base::ManualClock> manual_;
  const uint32_t workers_;
  config::Config config_;
  std::unique_ptr<base::MetricsBlock[]> metrics_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<NameHints> hints_;
  std::unique_ptr<Recorder> recorder_;
  VisitTap* tap_ = nullptr;
  int written_ = 0;
};

// All entries of all visit streams, by hand: their number.
inline size_t Entries(support::RedisServer& redis) {
  size_t entries = 0;
  const std::string keys = redis.Ask({"KEYS", "gb:visits:*"});
  for (size_t at = 0; at < keys.size();) {
    const size_t end = std::min(keys.find('\n', at), keys.size());
    entries += std::stoul(redis.Ask({"XLEN", keys.substr(at, end - at)}));
    at = end + 1;
  }
  return entries;
}

}  // namespace gatebook::logger
