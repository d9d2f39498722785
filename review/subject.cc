#include "review/subject.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/hex.h"
#include "base/rfc3339.h"
#include "config/units.h"
#include "logger/journal_directory.h"
#include "logger/journal_scan.h"
#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "review/redis_scan.h"
#include "review/render.h"
#include "review/sink_erasure.h"
#include "review/subject_stream.h"

namespace gatebook::review {
namespace {

using base::ExitCode;
using logger::StoredVisit;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr size_t kStreamsAtOnce = 128;
// So short a time is looked at by the names that its streams have; in a longer one all keys are gone through.
constexpr uint64_t kMostMinutesByName = 2 * 24 * 60;
// Of one edge, whatever its claim says.
constexpr uint32_t kMostWorkers = 1024;
// What came in between is met at the second time already: the edge had been told before the first.
constexpr int kMostSweeps = 3;

uint64_t Milliseconds(base::WallTime time) {
  return static_cast<uint64_t>(std::max<int64_t>(0, time.time_since_epoch().count()));
}

ordered_json ToObject(const StoredVisit& visit) {
  return ordered_json::parse(RenderVisit(visit, Form::kJson), nullptr, false);
}

// A visit of the journal in the form in which it is read back, but without name and place.
StoredVisit ToStored(const logger::JournalVisit& waiting) {
  StoredVisit visit;
  visit.edge = waiting.edge;
  visit.id = waiting.id;
  std::string v, c;
  logger::AppendVisitFacts(v, waiting.id, waiting.visit);
  logger::AppendClientFacts(c, waiting.visit, {}, {});
  static_cast<void>(logger::ReadVisitFacts(v, &visit) && logger::ReadClientFacts(c, &visit));
  return visit;
}

// A session, by the visit that opened it.
ordered_json HowItBegan(const StoredVisit& first) {
  ordered_json session = {{"id", Harmless(first.session)}, {"time", base::ToRfc3339(first.arrival)}};
  const std::pair<const char*, const std::string&> facts[] = {{"ip", first.ip},
                                                              {"dns", first.dns},
                                                              {"dns_check", first.dns_check},
                                                              {"channel", first.channel},
                                                              {"referrer", first.referrer},
                                                              {"country", first.country},
                                                              {"user_agent", first.user_agent}};
  for (const auto& [name, value] : facts) {
    if (!value.empty()) session[name] = Harmless(value);
  }
  return session;
}

// The end of its hour: the latest arrival that it may speak of.
base::WallTime EndOfIndex(std::string_view key) {
  const auto name = ParseIndexKey(key);
  return base::WallTime(std::chrono::hours(name ? name->hour + 1 : 0));
}

std::string Dump(const ordered_json& object) {
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

ordered_json ToObject(const Subject& subject, bool named) {
  ordered_json object;
  object["kind"] = subject.session ? "session" : "address";
  if (named && subject.session) object["session"] = logger::ToText(*subject.session);
  if (named && subject.ip) object["ip"] = subject.ip->ToText();
  if (subject.ip) object["since"] = base::ToRfc3339(subject.since);
  object["until"] = base::ToRfc3339(subject.until);
  return object;
}

base::Error NothingStored(const Subject& subject) {
  return {fmt::format("nothing is stored of this {}{}", subject.session ? "session" : "address",
                      subject.ip ? " in this time" : ""),
          ExitCode::kNegative};
}

}  // namespace

struct SubjectRights::Found {
  std::vector<StoredVisit> visits;
  std::vector<std::pair<std::string, std::string>> entries;  // key, entry id
  std::vector<StoredVisit> waiting;
  std::vector<std::string> quarantine;

  bool IsEmpty() const { return entries.empty() && waiting.empty() && quarantine.empty(); }
};

Subject Subject::OfSession(const logger::SessionId& session, base::WallTime now, base::WallTime since) {
  Subject subject;
  subject.since = since;
  subject.session = session;
  subject.until = now;
  return subject;
}

Subject Subject::OfAddress(const base::IpAddress& ip, base::WallTime since, base::WallTime until) {
  Subject subject;
  subject.ip = ip;
  subject.since = since;
  subject.until = until;
  return subject;
}

std::string ErasureReceipt::ToJson() const {
  ordered_json object;
  object["receipt"] = id;
  object["time"] = base::ToRfc3339(time);
  object["subject"] = ToObject(subject, false);
  object["subject"]["digest"] = digest;
  if (!reason.empty()) object["reason"] = Harmless(reason);
  object["removed"] = {{"visits", visits},
                       {"closings", closings},
                       {"index_elements", index_elements},
                       {"quarantine_files", quarantine_files},
                       {"sink_lines", sink_lines}};
  object["waiting_in_journal"] = waiting_in_journal;
  object["edge_told"] = edge_told;
  object["aof_rewrite"] = aof_rewrite;
  if (!sinks_out_of_reach.empty()) object["sinks_out_of_reach"] = sinks_out_of_reach;
  return Dump(object);
}

base::Status SubjectRights::FindVisits(const Subject& subject, Found* found) {
  // A record is written up to kMostRecordDelay after the arrival, and its clock may have stepped.
  const uint64_t first = logger::MinuteOf(Milliseconds(subject.since));
  const uint64_t last = logger::MinuteOf(Milliseconds(subject.until + logger::kMostRecordDelay)) + 1;
  const auto keys = StreamsOf(first, last);
  if (!keys) return keys.error();
  std::vector<SubjectStream> streams;
  for (const std::string& key : *keys) {
    const auto name = ParseVisitsKey(key);
    if (name && name->minute >= first && name->minute <= last) streams.emplace_back(key, *name);
  }
  const std::string session = subject.session ? logger::ToText(*subject.session) : "";
  const std::string ip = subject.ip ? subject.ip->ToText() : "";
  const auto matches = [&](const StoredVisit& visit) {
    if (visit.arrival < subject.since || visit.arrival >= subject.until) return false;
    return subject.session ? visit.session == session : visit.ip == ip;
  };
  for (size_t begin = 0; begin < streams.size(); begin += kStreamsAtOnce) {
    std::vector<SubjectStream*> unfinished;
    for (size_t i = begin; i < std::min(streams.size(), begin + kStreamsAtOnce); ++i) {
      unfinished.push_back(&streams[i]);
    }
    while (!unfinished.empty()) {
      for (const SubjectStream* stream : unfinished) stream->AskForMore(client_);
      std::vector<SubjectStream*> more;
      for (SubjectStream* stream : unfinished) {
        const auto finished = stream->Take(client_, matches);
        if (!finished) return finished.error();
        if (!*finished) more.push_back(stream);
      }
      unfinished = std::move(more);
    }
    for (size_t i = begin; i < std::min(streams.size(), begin + kStreamsAtOnce); ++i) {
      for (const StoredVisit& visit : streams[i].visits()) found->visits.push_back(visit);
      for (const std::string& entry : streams[i].entries())
        found->entries.emplace_back(streams[i].key(), entry);
    }
  }
  std::stable_sort(found->visits.begin(), found->visits.end(),
                   [](const StoredVisit& a, const StoredVisit& b) { return a.arrival < b.arrival; });
  return {};
}

base::Result<std::vector<std::string>> SubjectRights::StreamsOf(uint64_t first, uint64_t last) {
  if (last - first > kMostMinutesByName) return ScanKeys(client_, "gb:visits:*");
  const auto reply = client_.Command({"HGETALL", logger::kEdgesKey});
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return RedisSaid((*reply)->text);
  std::vector<std::string> keys;
  for (size_t i = 0; i + 1 < (*reply)->elements.size(); i += 2) {
    logger::EdgeClaim claim;
    if (!logger::ParseEdgeClaim((*reply)->elements[i + 1].text, &claim)) continue;
    for (uint32_t worker = 0; worker < std::min(claim.workers, kMostWorkers); ++worker) {
      for (uint64_t minute = first; minute <= last; ++minute) {
        keys.push_back(logger::VisitsKey((*reply)->elements[i].text, worker, minute));
      }
    }
  }
  return keys;
}

base::Status SubjectRights::FindWaiting(const Subject& subject, Found* found) {
  const std::string& directory = config_.journal.directory;
  // What an earlier erasure covers is on its way out: Redis will not get it, and its bytes go with their
  // turn.
  const auto erased = logger::ErasureRegister(directory, config_.visit.retention).Load(clock_.SureNow());
  if (!erased) return erased.error();
  const logger::ErasureList covered(key_, *erased);
  const auto scanned = logger::ScanJournal(directory, [&](const logger::JournalVisit& waiting) {
    const logger::Visit& visit = waiting.visit;
    if (waiting.is_released || covered.Contains(visit) || visit.arrival < subject.since ||
        visit.arrival >= subject.until)
      return;
    if (subject.session ? visit.session == *subject.session : visit.ip == *subject.ip) {
      found->waiting.push_back(ToStored(waiting));
    }
  });
  if (!scanned) return scanned.error();
  // Damaged bytes can't be read, but searched.
  std::string needle;
  if (subject.session) {
    needle.assign(subject.session->bytes.begin(), subject.session->bytes.end());
  } else {
    const auto& bytes = subject.ip->bytes();
    needle.assign(bytes.begin() + (subject.ip->IsV4() ? 12 : 0), bytes.end());
  }
  const auto quarantine = logger::ListQuarantine(directory);
  if (!quarantine) return quarantine.error();
  for (const logger::QuarantineFile& file : *quarantine) {
    std::ifstream in(file.path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (bytes.find(needle) != std::string::npos) found->quarantine.push_back(file.path);
  }
  return {};
}

base::Status SubjectRights::Find(const Subject& subject, Found* found) {
  if (auto visits = FindVisits(subject, found); !visits) return visits;
  return FindWaiting(subject, found);
}

base::Result<std::string> SubjectRights::Export(const Subject& subject) {
  Found found;
  if (auto read = Find(subject, &found); !read) return read.error();
  if (found.IsEmpty()) return NothingStored(subject);
  ordered_json object;
  object["made"] = base::ToRfc3339(clock_.WallNow());
  object["subject"] = ToObject(subject, true);
  object["stored_for"] = config::FormatDuration(config_.visit.retention);
  object["sessions"] = ordered_json::array();
  for (const StoredVisit& visit : found.visits) {
    if (visit.session_new) object["sessions"].push_back(HowItBegan(visit));
  }
  const auto add = [&object](const char* name, const std::vector<StoredVisit>& visits) {
    object[name] = ordered_json::array();
    for (const StoredVisit& visit : visits) object[name].push_back(ToObject(visit));
  };
  add("visits", found.visits);
  // Held until Redis has it on its disk: most of these stand above as well.
  std::erase_if(found.waiting, [&](const StoredVisit& waiting) {
    return std::any_of(found.visits.begin(), found.visits.end(), [&](const StoredVisit& visit) {
      return visit.id == waiting.id && visit.edge == waiting.edge;
    });
  });
  add("waiting_in_journal", found.waiting);
  object["quarantined_files"] = found.quarantine.size();
  return Dump(object);
}

base::Result<ErasureReceipt> SubjectRights::Erase(const Subject& subject, const std::string& reason,
                                                  const TellEdge& tell, bool rewrite) {
  Found found;
  if (auto read = Find(subject, &found); !read) return read.error();
  std::vector<StoredVisit> visits;
  const auto remember = [&visits](const Found& some) {
    visits.insert(visits.end(), some.visits.begin(), some.visits.end());
    visits.insert(visits.end(), some.waiting.begin(), some.waiting.end());
  };
  remember(found);
  if (found.IsEmpty()) {
    const auto lines = SinkErasure(config_, subject, visits).Count();
    if (!lines) return lines.error();
    if (*lines == 0) return NothingStored(subject);
  }

  std::array<uint8_t, 16> random;
  logger::FillRandom(random.data(), random.size());
  logger::Erasure erasure;
  erasure.id = base::ToBase64Url(random);
  erasure.kind = subject.session ? logger::Erasure::Kind::kSession : logger::Erasure::Kind::kAddress;
  erasure.digest = subject.session ? key_.Of(*subject.session) : key_.Of(*subject.ip);
  erasure.since = subject.since;
  erasure.until = subject.until;

  ErasureReceipt receipt;
  receipt.id = erasure.id;
  receipt.digest = base::ToHex(erasure.digest);
  receipt.subject = subject;
  receipt.reason = reason;
  receipt.waiting_in_journal = found.waiting.size();
  const logger::ErasureRegister erasures(config_.journal.directory, config_.visit.retention);
  const bool has_journal = ::access(config_.journal.directory.c_str(), F_OK) == 0;
  if (has_journal) {
    if (auto added = erasures.Add(erasure, clock_.SureNow()); !added) return added.error();
  }
  receipt.edge_told = tell && tell();
  // Before Redis: if a file can't be written, whoever tries again must still find whose lines to take out.
  found = Found();
  if (auto read = Find(subject, &found); !read) return read.error();
  remember(found);
  const auto sinks = SinkErasure(config_, subject, visits).Run();
  if (!sinks) return sinks.error();
  receipt.sink_lines = sinks->lines;
  receipt.sink_files = sinks->files;
  receipt.sinks_out_of_reach = sinks->out_of_reach;
  for (int sweep = 0; sweep < kMostSweeps && !found.IsEmpty(); ++sweep) {
    if (sweep != 0) {
      found = Found();
      if (auto read = Find(subject, &found); !read) return read.error();
    }
    if (auto removed = Remove(found, &receipt); !removed) return removed.error();
    found.waiting.clear();
  }
  receipt.aof_rewrite = rewrite ? AskForRewrite() : "within a day";
  receipt.time = clock_.WallNow();
  return receipt;
}

base::Status SubjectRights::Remove(const Found& found, ErasureReceipt* receipt) {
  // The index first: what fails afterwards is found again without it.
  if (auto removed = RemoveFromIndex(found, receipt); !removed) return removed;
  uint64_t removed = 0;
  for (const auto& [key, entry] : found.entries) client_.Append({"XDEL", key, entry});
  base::Status refused;
  const auto take = [&](uint64_t* count) -> base::Status {
    const auto reply = client_.Receive();
    if (!reply) return reply.error();
    if ((*reply)->IsError() && refused.ok()) refused = RedisSaid((*reply)->text);
    *count += static_cast<uint64_t>(std::max<int64_t>(0, (*reply)->integer));
    return {};
  };
  for (size_t i = 0; i < found.entries.size(); ++i) {
    if (auto taken = take(&removed); !taken) return taken;
  }
  if (!refused) return refused;
  const uint64_t visits = std::min<uint64_t>(removed, found.visits.size());
  receipt->visits += visits;
  receipt->closings += removed - visits;
  for (const std::string& path : found.quarantine) {
    if (::unlink(path.c_str()) == 0) ++receipt->quarantine_files;
  }
  return {};
}

base::Status SubjectRights::RemoveFromIndex(const Found& found, ErasureReceipt* receipt) {
  struct Met {
    uint64_t minute;
    uint32_t session, address;
    auto operator<=>(const Met&) const = default;
  };
  std::map<std::string, std::set<Met>> by_key;
  for (const StoredVisit& visit : found.visits) {
    const auto session = logger::ParseSessionId(visit.session);
    const auto ip = base::IpAddress::Parse(visit.ip);
    if (!session || !ip) continue;
    const uint64_t minute = logger::MinuteOf(visit.id);
    by_key[logger::IndexKey(visit.edge, visit.id.worker, logger::HourOfMinute(minute))].insert(
        {minute, logger::IndexDigest(*session), logger::IndexDigest(*ip)});
  }
  std::vector<std::string> keys;
  for (const auto& [key, met] : by_key) keys.push_back(key);
  std::vector<std::pair<std::string, size_t>> elements;
  auto read = AskOfEach(
      client_, keys,
      [](logger::RedisClient& client, const std::string& key) {
        client.Append({"GET", key});
      },
      [&](const std::string& key, const logger::RedisReply& reply) -> base::Status {
        if (reply.IsError()) return RedisSaid(reply.text);
        for (const Met& met : by_key[key]) {
          for (const size_t at : logger::ElementsOf(reply.text, met.minute, met.session, met.address)) {
            elements.emplace_back(key, at);
          }
        }
        return {};
      });
  if (!read) return read;
  const std::string erased(logger::kIndexElementSize, static_cast<char>(logger::kErased));
  for (const auto& [key, at] : elements) {
    client_.Append({"SETRANGE", key, std::to_string(at), erased});
    // SETRANGE makes a string that has just expired anew: then it has a deadline, too.
    const auto over = EndOfIndex(key) + config_.visit.retention;
    client_.Append({"PEXPIREAT", key, std::to_string(Milliseconds(over)), "LT"});
  }
  base::Status refused;
  for (size_t i = 0; i < 2 * elements.size(); ++i) {
    const auto reply = client_.Receive();
    if (!reply) return reply.error();
    if ((*reply)->IsError() && refused.ok()) refused = RedisSaid((*reply)->text);
  }
  receipt->index_elements += elements.size();
  return refused;
}

std::string SubjectRights::AskForRewrite() {
  for (size_t master = 0; master < client_.masters(); ++master) {
    const auto reply = client_.CommandAt(master, {"BGREWRITEAOF"});
    if (!reply) return reply.error().message;
    if ((*reply)->IsError()) return Harmless((*reply)->text);
  }
  return "asked";
}

}  // namespace gatebook::review
