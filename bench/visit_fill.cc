// visit_fill: a Redis as a month of visits leaves it, for bench/query-speed.
//
// Usage: gatebook_visit_fill unix:///path/to/redis.sock VISITS DAYS WORKERS    (an empty server)
//
// Spreads the visits evenly over the days that end now, four a session and minute, with fields of realistic
// length, in entries, references and index as the recorder writes them. Among them is a guest: an address
// with a session of one visit every hour. Prints a line of JSON: how many visits there are, the guest's
// address, how many visits it made, and its last whole session.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "bench/sample_visit.h"
#include "logger/redis_client.h"
#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "logger/visit_record.h"

namespace {

using namespace gatebook;
using namespace gatebook::logger;

constexpr uint32_t kVisitsASession = 4;
constexpr uint64_t kMinute = 60'000;  // milliseconds
constexpr uint64_t kRetention = 30 * 24 * 60 * kMinute;
constexpr uint64_t kMeanwhile = 60;  // minutes: nothing is over while it is asked for
constexpr std::string_view kEdge = "edge1";
constexpr uint32_t kGuestSessions = 0xf0000000;

class Filler {
 public:
  Filler(RedisClient& client, uint32_t visits, uint32_t days, uint32_t workers)
      : client_(client), workers_(workers), minutes_(days * 24 * 60), a_minute_(visits / minutes_) {
    guest_ = *base::IpAddress::Parse("192.0.2.77");
  }

  bool Fill() {
    const uint64_t now = static_cast<uint64_t>(base::Clock::System().WallNow().time_since_epoch().count());
    const uint64_t last = MinuteOf(now) - 1;
    Put({"HSET", kEdgesKey, kEdge,
         ToText(EdgeClaim{"bench", workers_, base::WallTime(std::chrono::milliseconds(now))})});
    for (uint64_t minute = last - minutes_ + kMeanwhile; minute <= last && well_; ++minute) {
      for (uint32_t worker = 0; worker < workers_; ++worker) FillStream(worker, minute);
      Wait(4096);
    }
    Wait(0);
    return well_;
  }

  std::string ToJson() const {
    return fmt::format(R"({{"visits": {}, "guest": "{}", "guest_visits": {}, "guest_session": "{}"}})",
                       written_, guest_.ToText(), guest_visits_, ToText(guest_session_));
  }

 private:
  void FillStream(uint32_t worker, uint64_t minute) {
    const std::string key = VisitsKey(kEdge, worker, minute);
    const uint32_t visits = a_minute_ / workers_ + (worker < a_minute_ % workers_ ? 1 : 0);
    const uint32_t sessions = std::max(1u, visits / kVisitsASession);
    std::vector<VisitId> first_of(sessions);
    std::string index;
    for (uint32_t i = 0; i < visits; ++i) {
      const uint64_t at = minute * kMinute + i * kMinute / std::max(visits, 1u);
      const VisitId id{worker, at, i};
      VisitId& first = first_of[i % sessions];
      const bool is_first = i < sessions;
      const uint32_t session = next_session_ + i % sessions;
      const Visit& visit = sample_.Make(written_, session, is_first,
                                        base::WallTime(std::chrono::milliseconds(at - 3 - i % 40)));
      Write(key, id, visit, is_first ? nullptr : &first, &index);
      if (is_first) first = id;
    }
    next_session_ += sessions;
    if (worker == 0 && minute % 60 == 7) {
      const VisitId id{worker, minute * kMinute + kMinute - 1, visits};
      Visit visit = sample_.Make(written_, kGuestSessions + guest_visits_, true,
                                 base::WallTime(std::chrono::milliseconds(id.milliseconds - 20)));
      visit.ip = guest_;
      guest_session_ = visit.session;
      ++guest_visits_;
      Write(key, id, visit, nullptr, &index);
    }
    const std::string deadline = std::to_string(minute * kMinute + kRetention);
    Put({"PEXPIREAT", key, deadline});
    const std::string index_key = IndexKey(kEdge, worker, HourOfMinute(minute));
    Put({"APPEND", index_key, index});
    Put({"PEXPIREAT", index_key, std::to_string(HourOfMinute(minute) * 60 * kMinute + kRetention)});
  }

  void Write(const std::string& key, const VisitId& id, const Visit& visit, const VisitId* earlier,
             std::string* index) {
    std::string v, c, entry;
    AppendEntryId(entry, id.milliseconds, id.n);
    AppendVisitFacts(v, id, visit);
    if (earlier == nullptr) {
      AppendClientFacts(c, visit, sample_.NameOf(written_), {"FI", "Helsinki", "Example Networks Oy", 64500});
      AppendIndexElement(*index, MinuteOf(id), visit.session, visit.ip);
    } else {
      AppendSameAs(c, *earlier);
    }
    Put({"XADD", key, entry, "v", v, "c", c});
    ++written_;
  }

  void Put(std::initializer_list<std::string_view> words) {
    client_.Append(words);
    ++under_way_;
  }
  void Wait(size_t most) {
    for (; well_ && under_way_ > most; --under_way_) {
      const auto reply = client_.Receive();
      well_ = reply.ok() && !(*reply)->IsError();
    }
  }

  RedisClient& client_;
  const uint32_t workers_;
  const uint32_t minutes_;
  const uint32_t a_minute_;
  bench::SampleVisit sample_;
  base::IpAddress guest_;
  SessionId guest_session_;
  uint32_t guest_visits_ = 0;
  uint32_t next_session_ = 0;
  uint32_t written_ = 0;
  size_t under_way_ = 0;
  bool well_ = true;
};

bool ParseNumber(const char* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), *number);
  return error == std::errc() && *end == '\0' && *number > 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t visits = 0;
  uint32_t days = 0;
  uint32_t workers = 0;
  const std::string url = argc == 5 ? argv[1] : "";
  if (!url.starts_with("unix://") || !ParseNumber(argv[2], &visits) || !ParseNumber(argv[3], &days) ||
      !ParseNumber(argv[4], &workers) || days > 30) {
    std::fputs(
        "usage: gatebook_visit_fill unix:///path/to/redis.sock VISITS DAYS WORKERS (30 days at most)\n",
        stderr);
    return 2;
  }
  config::Redis redis;
  redis.server.kind = config::Endpoint::Kind::kUnix;
  redis.server.path = url.substr(7);
  auto client = RedisClient::Connect(redis);
  if (!client) {
    std::fputs((client.error().message + "\n").c_str(), stderr);
    return 69;
  }
  Filler filler(**client, visits, days, workers);
  if (!filler.Fill()) return 74;
  std::puts(filler.ToJson().c_str());
  return 0;
}
