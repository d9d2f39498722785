#include "review/retention_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "logger/visit_record.h"
#include "review/redis_scan.h"
#include "review/render.h"
#include "review/subject_stream.h"

namespace gatebook::review {
namespace {

using base::WallTime;
using logger::RedisReply;
using std::chrono::milliseconds;

constexpr size_t kKeysAtOnce = 128;
constexpr std::string_view kPage = "500";
constexpr size_t kPageSize = 500;
constexpr char kStrangers[] = "some are keys of another type, written by somebody else";
constexpr size_t kMostNamed = 3;
constexpr size_t kMostOfAName = 40;
constexpr milliseconds kSlack = std::chrono::minutes(1);  // of clocks, where a deadline comes from another's

WallTime At(int64_t time) { return WallTime(milliseconds(time)); }

int64_t ToNumber(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Somebody else's key under a name of ours.
bool IsOfAnotherType(const RedisReply& reply) {
  return reply.IsError() && reply.text.starts_with("WRONGTYPE");
}

base::Error Stopped() { return {"stopped", base::ExitCode::kUnavailable}; }

}  // namespace

// A stream while its entries are read.
struct RetentionScan::Stream {
  std::string key;
  StreamName name;
  int64_t deadline = 0;
  std::string after;  // the last entry seen
  bool is_gone = false;
  bool is_read = false;
  bool is_strange = false;
  bool in_full = true;           // every entry is read, not only the first
  std::string_view session, ip;  // as the entry that was taken last says in full
  uint64_t records = 0;
  uint64_t overdue = 0;
  std::optional<WallTime> oldest;

  // The arrival of the visit in an entry; nothing of a closing.
  std::optional<WallTime> Take(const RedisReply& entry) {
    if (entry.elements.size() != 2) return std::nullopt;
    after = entry.elements[0].text;
    logger::StoredVisit visit;
    if (!logger::ParseEntryId(after, &visit.id)) return std::nullopt;
    std::string_view v, c;
    const auto fields = entry.elements[1].elements;
    for (size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text == "v") v = fields[i + 1].text;
      if (fields[i].text == "c") c = fields[i + 1].text;
    }
    const auto reference = logger::ReadClientReference(c, name.minute);
    session = ip = {};
    if (reference && reference->kind == logger::ClientReference::Kind::kFacts) {
      session = c.substr(0, c.find('\t'));
      if (session.size() < c.size()) ip = c.substr(session.size() + 1);
      ip = ip.substr(0, ip.find('\t'));
    }
    if (reference && reference->kind == logger::ClientReference::Kind::kClosingOf) return std::nullopt;
    // One that can't be read is as old as its id says.
    if (!logger::ReadVisitFacts(v, &visit)) return At(static_cast<int64_t>(visit.id.milliseconds));
    return visit.arrival;
  }
};

base::Result<RetentionReport> RetentionScan::Look() {
  report_ = RetentionReport();
  report_.made = clock_.WallNow();
  began_ = clock_.SureNow();
  report_.retention = config_.visit.retention;
  report_.every_entry = options_.every_entry;
  const auto held = clock_.WallNow() - clock_.SureNow();
  if (held > milliseconds(0)) report_.clock_held = held;
  // The log before Redis: whom it names is found while Redis is read.
  for (const auto step :
       {&RetentionScan::LookAtClock, &RetentionScan::LookAtLog, &RetentionScan::LookAtKeys,
        &RetentionScan::LookAtLedger, &RetentionScan::LookAtRedisFiles, &RetentionScan::LookAtJournal,
        &RetentionScan::LookAtQuarantine, &RetentionScan::LookAtErasures, &RetentionScan::LookAtObjections,
        &RetentionScan::LookAtSinks, &RetentionScan::LookAtAudit}) {
    if (IsToStop()) return Stopped();
    if (const auto looked = (this->*step)(); !looked) return looked.error();
  }
  LookAtNames();
  PlaceReport& log = report_.at(Place::kLog);
  log.faults = named_.size();
  if (!named_.empty()) log.note = fmt::format("it names {} sessions or addresses of visitors", named_.size());
  return report_;
}

base::Status RetentionScan::LookAtClock() {
  const WallTime before = clock_.WallNow();
  const auto reply = client_.Command({"TIME"});
  if (!reply) return reply.error();
  if ((*reply)->elements.size() != 2) return RedisSaid((*reply)->text);
  const WallTime theirs =
      At(ToNumber((*reply)->elements[0].text) * 1000 + ToNumber((*reply)->elements[1].text) / 1000);
  const WallTime after = clock_.WallNow();
  // Within the time of the question the two can't be told apart.
  report_.redis_ahead = theirs > after ? theirs - after : theirs < before ? theirs - before : milliseconds(0);
  return {};
}

base::Status RetentionScan::LookAtKeys() {
  const auto all = ScanKeys(client_, "gb:*");
  if (!all) return all.error();
  keys_ = all->size();
  std::vector<std::string> streams, index, others;
  for (const std::string& key : *all) {
    const Place place = PlaceOfKey(key);
    if (place == Place::kVisits && ParseVisitsKey(key)) {
      streams.push_back(key);
    } else {
      (place == Place::kIndex && ParseIndexKey(key) ? index : others).push_back(key);
    }
  }
  if (auto looked = LookAtIndex(index); !looked) return looked;
  if (auto looked = LookAtStreams(streams); !looked) return looked;
  return LookAtOthers(others);
}

bool RetentionScan::TakeDeadline(PlaceReport& place, int64_t deadline, WallTime latest) {
  if (deadline == -2) return false;
  if (deadline < 0) {
    ++place.undated;
    return true;
  }
  if (At(deadline) > latest) ++place.too_late;
  place.SawNext(At(deadline));
  return true;
}

base::Status RetentionScan::LookAtStreams(const std::vector<std::string>& keys) {
  PlaceReport& place = report_.at(Place::kVisits);
  for (size_t begin = 0; begin < keys.size(); begin += kKeysAtOnce) {
    if (IsToStop()) return Stopped();
    std::vector<Stream> streams;
    for (size_t i = begin; i < std::min(keys.size(), begin + kKeysAtOnce); ++i) {
      Stream& stream = streams.emplace_back();
      stream.key = keys[i];
      stream.name = *ParseVisitsKey(keys[i]);
      stream.in_full = options_.every_entry || suspected_.contains(keys[i]);
    }
    std::vector<std::string> batch;
    for (const Stream& stream : streams) batch.push_back(stream.key);
    if (auto read = ReadEntries(streams); !read) return read;
    // After its entries: a deadline only comes nearer, and what was read must be covered by it.
    size_t at = 0;
    auto asked = AskOfEach(
        client_, batch,
        [](logger::RedisClient& client, const std::string& key) {
          client.Append({"PEXPIRETIME", key});
        },
        [&](const std::string&, const RedisReply& reply) -> base::Status {
          if (reply.IsError()) return RedisSaid(reply.text);
          streams[at].deadline = reply.integer;
          streams[at].is_gone = reply.integer == -2;
          ++at;
          return {};
        });
    if (!asked) return asked;
    for (const Stream& stream : streams) {
      // A stream may be empty: all of it was erased, and its name refuses the same ids.
      const WallTime oldest =
          stream.oldest.value_or(At(static_cast<int64_t>((stream.name.minute + 1) * 60'000)));
      if (stream.is_gone || !TakeDeadline(place, stream.deadline, oldest + config_.visit.retention)) continue;
      if (stream.is_strange) ++place.faults;
      place.records += stream.records;
      place.overdue += stream.overdue;
      if (stream.oldest) place.SawOldest(*stream.oldest);
    }
    Progress(streams.size());
  }
  if (!options_.every_entry) place.note = "of each stream its first entry was read";
  if (place.faults != 0) place.note = kStrangers;
  return {};
}

base::Status RetentionScan::ReadEntries(std::vector<Stream>& streams) {
  const auto is_open = [](const Stream& one) { return !one.is_gone && !one.is_read; };
  const auto is_sampled = [&](const Stream& one) { return is_open(one) && !one.in_full; };
  if (!options_.every_entry) {
    for (const Stream& stream : streams) {
      if (is_sampled(stream)) client_.Append({"XLEN", stream.key});
    }
    for (Stream& stream : streams) {
      if (!is_sampled(stream)) continue;
      const auto reply = client_.Receive();
      if (!reply) return reply.error();
      stream.records = static_cast<uint64_t>(std::max<int64_t>(0, (*reply)->integer));
    }
  }
  while (std::any_of(streams.begin(), streams.end(), is_open)) {
    if (IsToStop()) return Stopped();
    for (const Stream& stream : streams) {
      if (!is_open(stream)) continue;
      client_.Append({"XRANGE", stream.key, stream.after.empty() ? std::string("-") : '(' + stream.after, "+",
                      "COUNT", stream.in_full ? kPage : std::string_view("1")});
    }
    base::Status failed;
    for (Stream& stream : streams) {
      if (!is_open(stream)) continue;
      const auto reply = client_.Receive();
      if (!reply) return reply.error();
      stream.is_strange = IsOfAnotherType(**reply);
      if ((*reply)->IsError() && !stream.is_strange && failed.ok()) failed = RedisSaid((*reply)->text);
      for (const RedisReply& entry : (*reply)->elements) {
        const auto arrival = stream.Take(entry);
        for (const std::string_view word : {stream.session, stream.ip}) {
          if (!word.empty() && suspects_.contains(word)) named_.emplace(word);
        }
        if (!arrival) continue;
        if (stream.in_full) ++stream.records;
        stream.oldest = std::min(stream.oldest.value_or(*arrival), *arrival);
        // By the time at which the look began: what was due since was perhaps read before it was.
        if (*arrival + config_.visit.retention < began_) ++stream.overdue;
      }
      stream.is_read = !stream.in_full || (*reply)->elements.size() < kPageSize;
    }
    if (!failed) return failed;
  }
  return {};
}

base::Status RetentionScan::LookAtIndex(const std::vector<std::string>& keys) {
  PlaceReport& place = report_.at(Place::kIndex);
  for (size_t begin = 0; begin < keys.size(); begin += kKeysAtOnce) {
    if (IsToStop()) return Stopped();
    const size_t end = std::min(keys.size(), begin + kKeysAtOnce);
    for (size_t i = begin; i < end; ++i) {
      client_.Append({"GET", keys[i]});
      client_.Append({"PEXPIRETIME", keys[i]});
    }
    base::Status failed;
    for (size_t i = begin; i < end; ++i) {
      const auto elements = client_.Receive();
      if (!elements) return elements.error();
      const bool strange = IsOfAnotherType(**elements);
      if ((*elements)->IsError() && !strange && failed.ok()) failed = RedisSaid((*elements)->text);
      const logger::IndexContents contents =
          logger::ContentsOf(strange ? std::string_view() : (*elements)->text);
      if (!strange) Suspect(keys[i], (*elements)->text);
      const auto deadline = client_.Receive();
      if (!deadline) return deadline.error();
      if ((*deadline)->IsError() && failed.ok()) failed = RedisSaid((*deadline)->text);
      // To a minute: when in it the visits came, only their streams say.
      const auto minute =
          WallTime(std::chrono::minutes(ParseIndexKey(keys[i])->hour * 60 + contents.first_minute));
      const WallTime over = minute + std::chrono::minutes(1) + config_.visit.retention;
      if (!TakeDeadline(place, (*deadline)->integer, over)) continue;
      if (strange) ++place.faults;
      place.records += contents.elements;
      if (contents.elements == 0) continue;
      place.SawOldest(minute);
      if (over < began_) place.overdue += contents.elements;
    }
    if (!failed) return failed;
    Progress(end - begin);
  }
  if (place.faults != 0) place.note = kStrangers;
  return {};
}

void RetentionScan::Suspect(const std::string& key, std::string_view index) {
  const auto name = ParseIndexKey(key);
  for (const std::string& suspect : suspects_) {
    logger::MinutesOfHour minutes = 0;
    if (const auto session = logger::ParseSessionId(suspect)) {
      minutes |= logger::MinutesWithSession(index, logger::IndexDigest(*session));
    } else if (const auto ip = base::IpAddress::Parse(suspect)) {
      minutes |= logger::MinutesWithAddress(index, logger::IndexDigest(*ip));
    }
    for (uint64_t minute = 0; minutes != 0; ++minute, minutes >>= 1) {
      if ((minutes & 1) != 0) {
        suspected_.insert(logger::VisitsKey(name->edge, name->worker, name->hour * 60 + minute));
      }
    }
  }
}

base::Status RetentionScan::LookAtOthers(const std::vector<std::string>& keys) {
  std::vector<std::string> unknown;
  auto asked = AskOfEach(
      client_, keys,
      [](logger::RedisClient& client, const std::string& key) {
        client.Append({"PEXPIRETIME", key});
      },
      [&](const std::string& key, const RedisReply& reply) -> base::Status {
        if (reply.IsError()) return RedisSaid(reply.text);
        // A name like one of ours that is none is a key that nobody knows.
        Place place = PlaceOfKey(key);
        if (place == Place::kVisits || place == Place::kIndex) place = Place::kOtherKeys;
        PlaceReport& row = report_.at(place);
        const WallTime latest =
            place == Place::kEdges ? report_.made + logger::kEdgesLifetime + kSlack : WallTime::max();
        if (!TakeDeadline(row, reply.integer, latest)) return {};
        ++row.records;
        if (place == Place::kOtherKeys) unknown.push_back(key);
        return {};
      });
  if (!asked) return asked;
  PlaceReport& row = report_.at(Place::kOtherKeys);
  row.faults = unknown.size();
  for (size_t i = 0; i < std::min(unknown.size(), kMostNamed); ++i) {
    row.note += (i == 0 ? "unknown: " : ", ") + Harmless(unknown[i].substr(0, kMostOfAName));
  }
  if (unknown.size() > kMostNamed) row.note += fmt::format(" and {} more", unknown.size() - kMostNamed);
  Progress(keys.size());
  return {};
}

void RetentionScan::Progress(size_t keys) {
  keys_done_ += keys;
  if (options_.on_progress && keys_ != 0) {
    options_.on_progress(static_cast<double>(keys_done_) / static_cast<double>(keys_));
  }
}

}  // namespace gatebook::review
