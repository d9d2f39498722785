#include "review/subject_stream.h"

#include <charconv>

#include "logger/redis_keys.h"
#include "logger/visit_index.h"
#include "review/redis_scan.h"

namespace gatebook::review {
namespace {

using logger::ClientReference;
using logger::RedisReply;
using logger::StoredVisit;

constexpr std::string_view kPrefix = "gb:visits:{";
constexpr std::string_view kPage = "500";  // entries
constexpr size_t kPageSize = 500;
constexpr std::string_view kIndexPrefix = "gb:index:{";

struct KeyParts {
  std::string_view edge;
  uint32_t worker = 0;
  uint64_t time = 0;  // minute or hour
};

// "<prefix>edge.worker.time}"; what is no number becomes 0.
std::optional<KeyParts> ParseKey(std::string_view key, std::string_view prefix) {
  if (!key.starts_with(prefix) || !key.ends_with('}')) return std::nullopt;
  const std::string_view inner = key.substr(prefix.size(), key.size() - prefix.size() - 1);
  const size_t time = inner.rfind('.');
  if (time == std::string_view::npos || time == 0) return std::nullopt;
  const size_t worker = inner.rfind('.', time - 1);
  if (worker == std::string_view::npos) return std::nullopt;
  KeyParts parts;
  parts.edge = inner.substr(0, worker);
  std::from_chars(inner.data() + worker + 1, inner.data() + time, parts.worker);
  std::from_chars(inner.data() + time + 1, inner.data() + inner.size(), parts.time);
  return parts;
}

}  // namespace

std::optional<StreamName> ParseVisitsKey(std::string_view key) {
  const auto parts = ParseKey(key, kPrefix);
  // The one canonical form.
  if (!parts || logger::VisitsKey(parts->edge, parts->worker, parts->time) != key) return std::nullopt;
  return StreamName{std::string(parts->edge), parts->worker, parts->time};
}

std::optional<IndexName> ParseIndexKey(std::string_view key) {
  const auto parts = ParseKey(key, kIndexPrefix);
  if (!parts || logger::IndexKey(parts->edge, parts->worker, parts->time) != key) return std::nullopt;
  return IndexName{std::string(parts->edge), parts->worker, parts->time};
}

void SubjectStream::AskForMore(logger::RedisClient& client) const {
  client.Append({"XRANGE", key_, after_.empty() ? std::string("-") : '(' + after_, "+", "COUNT", kPage});
}

base::Result<bool> SubjectStream::Take(logger::RedisClient& client, const Matches& matches) {
  const auto reply = client.Receive();
  if (!reply) return reply.error();
  if ((*reply)->IsError()) return RedisSaid((*reply)->text);
  for (const RedisReply& entry : (*reply)->elements) TakeEntry(entry, matches);
  return (*reply)->elements.size() < kPageSize;
}

void SubjectStream::TakeEntry(const RedisReply& entry, const Matches& matches) {
  if (entry.elements.size() != 2) return;
  after_ = entry.elements[0].text;
  StoredVisit visit;
  visit.edge = name_.edge;
  visit.id.worker = name_.worker;
  if (!logger::ParseEntryId(after_, &visit.id)) return;
  std::string_view v, c;
  const auto fields = entry.elements[1].elements;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == "v") v = fields[i + 1].text;
    if (fields[i].text == "c") c = fields[i + 1].text;
  }
  const auto reference = logger::ReadClientReference(c, name_.minute);
  if (!reference) return;
  const EntryId self{visit.id.milliseconds, visit.id.n};
  const EntryId of{reference->id.milliseconds, reference->id.n};
  bool doomed = reference->kind != ClientReference::Kind::kFacts && doomed_.contains(of);
  if (reference->kind == ClientReference::Kind::kClosingOf) {
    if (const auto found = open_.find(of); found != open_.end()) {
      logger::ReadClosingFacts(v, &visits_[found->second]);
    }
    if (doomed) entries_.push_back(after_);
    return;
  }
  if (reference->kind == ClientReference::Kind::kFacts) {
    facts_[self] = c;
  } else if (const auto found = facts_.find(of); found != facts_.end()) {
    facts_[self] = found->second;
  }
  const auto facts = facts_.find(self);
  c = facts == facts_.end() ? std::string_view() : std::string_view(facts->second);
  const bool whole = logger::ReadVisitFacts(v, &visit) && logger::ReadClientFacts(c, &visit);
  if (whole && matches(visit)) {
    doomed = true;
    if (visit.open) open_[self] = visits_.size();
    visits_.push_back(std::move(visit));
  }
  if (!doomed) return;
  doomed_.insert(self);
  entries_.push_back(after_);
}

}  // namespace gatebook::review
