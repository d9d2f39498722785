#include "logger/recorder.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/redis_server.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait.h"

namespace gatebook::logger {
namespace {

using namespace std::chrono_literals;
using base::Metric;

// A journal with writers, and a recorder that carries it to a Redis; may be opened again over the same
// directory.
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
    recorder_->Start();
  }
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
    const uint64_t sum = Count(Metric::kVisitsStored) + Count(Metric::kVisitsInJournal) +
                         Count(Metric::kVisitsQuarantined) + Count(Metric::kVisitsDroppedExpired) +
                         Count(Metric::kVisitsDroppedRefused) + Count(Metric::kVisitsDroppedErased) +
                         Count(Metric::kVisitsDroppedFull) + Count(Metric::kVisitsDroppedNoSegment) +
                         Count(Metric::kVisitsDroppedTooLarge);
    return Count(Metric::kVisitsAccepted) == sum;
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
  int written_ = 0;
};

// All entries of all visit streams, by hand: their number.
size_t Entries(support::RedisServer& redis) {
  size_t entries = 0;
  const std::string keys = redis.Ask({"KEYS", "gb:visits:*"});
  for (size_t at = 0; at < keys.size();) {
    const size_t end = std::min(keys.find('\n', at), keys.size());
    entries += std::stoul(redis.Ask({"XLEN", keys.substr(at, end - at)}));
    at = end + 1;
  }
  return entries;
}

TEST(Recorder, CarriesEveryVisitOfEveryWorkerOnce) {
  support::RedisServer redis;
  Book book(redis.Config(), 2);
  book.Open();
  for (uint32_t i = 0; i < 3000; ++i) book.Write(i % 2);
  EXPECT_TRUE(book.AllStored()) << book.recorder().state().redis;
  EXPECT_EQ(Entries(redis), 3000u);
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 3000u);
  EXPECT_EQ(book.Count(Metric::kVisitsReplayed), 0u);
  EXPECT_TRUE(book.AddsUp());
  EXPECT_TRUE(book.recorder().state().redis_up);
  EXPECT_EQ(book.recorder().state().redis, "ok");
  EXPECT_EQ(book.recorder().state().dns, "off");
}

TEST(Recorder, DeliversWhatIsThereBeforeItStops) {
  support::RedisServer redis({"--appendonly", "yes"});
  Book book(redis.Config());
  book.Open();
  for (int i = 0; i < 500; ++i) book.Write();
  book.Close();
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 500u);
  EXPECT_EQ(Entries(redis), 500u);
}

TEST(Recorder, KeepsInTheJournalWhatRedisDoesNotTakeAndDeliversItLater) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  redis.Stop();
  for (int i = 0; i < 100; ++i) book.Write();
  ASSERT_TRUE(support::WaitUntil([&] { return !book.recorder().state().redis_up; }));
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 100u);
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().lag > 0ms; }));
  book.Close(0ms);
  book.Open();
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 100u) << "found again at start";
  book.Write();
  redis.Start();
  EXPECT_TRUE(book.AllStored());
  EXPECT_EQ(Entries(redis), 101u);
  EXPECT_TRUE(support::WaitUntil([&] { return book.recorder().state().lag == 0ms; }));
}

TEST(Recorder, LosesNothingWhenRedisIsKilledAgainAndAgain) {
  support::RedisServer redis({"--appendonly", "yes", "--appendfsync", "everysec"});
  Book book(redis.Config());
  book.Open();
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 200; ++i) book.Write();
    // Somewhere within the delivery.
    support::WaitUntil([&] { return Entries(redis) > static_cast<size_t>(round) * 200; });
    redis.Kill();
    redis.Start();
  }
  EXPECT_TRUE(book.AllStored()) << book.recorder().state().redis;
  EXPECT_EQ(Entries(redis), 800u);
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 800u);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, ReplaysWhatRedisAcknowledgedAndThenForgot) {
  support::RedisServer redis({"--appendonly", "yes", "--appendfsync", "no"});
  Book book(redis.Config());
  book.Open();
  for (int i = 0; i < 50; ++i) book.Write();
  ASSERT_TRUE(support::WaitUntil([&] { return Entries(redis) == 50; }));
  redis.Ask({"FLUSHALL"});  // as if a power cut had taken what was not on the disk
  redis.Kill();
  redis.Start();
  EXPECT_TRUE(book.AllStored());
  EXPECT_EQ(Entries(redis), 50u);
  EXPECT_EQ(book.Count(Metric::kVisitsStored), 50u);
}

TEST(Recorder, ClosingsReachTheirVisits) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  const VisitId open = book.Write(0, true);
  book.WriteClosing(0, open);
  book.WriteClosing(0, VisitId{0, open.milliseconds - 120'000, 0});
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kClosingsStored) == 1; }));
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kClosingsDropped) == 1; }));
  EXPECT_EQ(Entries(redis), 2u);
}

TEST(Recorder, AVisitThatWaitedTooLongInTheJournalIsDroppedAndCounted) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.config().visit.retention = 0ms;  // over when it arrives
  book.Open();
  book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kVisitsDroppedExpired) == 1; }));
  EXPECT_EQ(Entries(redis), 0u);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, VisitsWhoseTimeIsOverAreDestroyedInTheJournalThoughRedisIsAway) {
  config::Redis nowhere;
  nowhere.server.kind = config::Endpoint::Kind::kIp;
  nowhere.server.ip = *base::IpAddress::Parse("127.0.0.1");
  nowhere.server.port = 1;
  Book book(nowhere, 2);
  base::ManualClock& clock = book.StopTime();
  book.config().visit.retention = std::chrono::hours(24);
  book.Open();
  for (uint32_t i = 0; i < 200; ++i) book.Write(i % 2);
  const VisitId open = book.Write(0, true);
  book.WriteClosing(0, open);
  book.Close(0ms);
  clock.Advance(std::chrono::hours(23));
  book.Open();
  for (int i = 0; i < 10; ++i) book.Write();
  book.recorder().Reload();
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 211u);
  EXPECT_TRUE(book.IsOnDisk("/visit/0"));

  book.Close(0ms);
  clock.Advance(std::chrono::hours(1));
  book.Open();
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return book.Count(Metric::kVisitsDroppedExpired) == 201;
  }));
  EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 10u);
  EXPECT_EQ(book.Count(Metric::kClosingsDropped), 1u);
  EXPECT_TRUE(book.AddsUp());
  EXPECT_TRUE(support::WaitUntil([&] { return !book.IsOnDisk("/visit/0"); }));
  EXPECT_TRUE(book.IsOnDisk("/visit/205"));

  // Also in the segment that is being written, and nobody comes any more.
  book.Close(0ms);
  clock.Advance(std::chrono::hours(23));
  book.Open();
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return book.Count(Metric::kVisitsInJournal) == 0 && !book.IsOnDisk("/visit/");
  }));
  EXPECT_EQ(book.Count(Metric::kVisitsDroppedExpired), 10u);
  const VisitId late = book.Write();
  EXPECT_LT(open, late);
  EXPECT_TRUE(book.AddsUp());
}

TEST(Recorder, WhatIsDeliveredDoesNotStayInTheFiles) {
  support::RedisServer redis;
  Book book(redis.Config());
  book.Open();
  for (int i = 0; i < 100; ++i) book.Write();
  ASSERT_TRUE(book.AllStored());
  EXPECT_TRUE(support::WaitUntil([&] {
    book.recorder().Reload();
    return !book.IsOnDisk("/visit/");
  }));
  book.Write();
  EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kVisitsStored) == 101; }));
  EXPECT_EQ(Entries(redis), 101u);
}

TEST(Recorder, ASecondEdgeOfTheSameNameWaitsUntilTheNameIsFree) {
  support::RedisServer redis;
  Book first(redis.Config()), second(redis.Config());
  first.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return first.recorder().state().redis_up; }));
  second.Open();
  ASSERT_TRUE(
      support::WaitUntil([&] { return second.recorder().state().redis.starts_with("edge_name_taken"); }));
  second.Write();
  first.Write();
  EXPECT_TRUE(first.AllStored());
  EXPECT_EQ(Entries(redis), 1u);
  second.Close(0ms);
  redis.Ask({"HDEL", "gb:edges", "edge1"});
  second.Open();
  EXPECT_TRUE(second.AllStored());
}

TEST(Recorder, AVisitDoesNotWaitForeverForItsName) {
  support::RedisServer redis;
  const base::UniqueFd silent(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size);
  Book book(redis.Config());
  book.config().dns.enabled = true;
  book.config().dns.timeout = 300ms;
  config::Endpoint server;
  server.ip = *base::IpAddress::Parse("127.0.0.1");
  server.port = ntohs(address.sin_port);
  book.config().dns.servers = {server};
  book.Open();
  ASSERT_TRUE(support::WaitUntil([&] { return book.recorder().state().redis_up; }));
  const VisitId id = book.Write();
  EXPECT_TRUE(book.AllStored());
  const std::string entries = redis.Ask({"XRANGE", VisitsKey("edge1", 0, MinuteOf(id)), "-", "+"});
  EXPECT_NE(entries.find("\ttimeout\t"), std::string::npos) << entries;
}

// A server that says it has a billion things to say, or speaks no Redis at all.
TEST(Recorder, AHostileServerEndsOnlyTheConnection) {
  for (const std::string_view says : {"*1073741824\r\n", "$2147483647\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                                      "+PONG\r\n+OK\r\n+OK\r\n", "*-7\r\n"}) {
    const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 4), 0);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
    config::Redis redis;
    redis.server.kind = config::Endpoint::Kind::kIp;
    redis.server.ip = *base::IpAddress::Parse("127.0.0.1");
    redis.server.port = ntohs(address.sin_port);
    Book book(redis);
    book.config().redis.connect_timeout = book.config().redis.reply_timeout = 300ms;
    book.Open();
    book.Write();
    const base::UniqueFd peer(::accept(listener.get(), nullptr, nullptr));
    ASSERT_EQ(::send(peer.get(), says.data(), says.size(), MSG_NOSIGNAL), static_cast<ssize_t>(says.size()));
    EXPECT_TRUE(support::WaitUntil([&] { return book.Count(Metric::kRedisConnectsFailed) >= 1; })) << says;
    EXPECT_EQ(book.Count(Metric::kVisitsInJournal), 1u);
    EXPECT_FALSE(book.recorder().state().redis_up);
  }
}

}  // namespace
}  // namespace gatebook::logger
