#include "review/visit_stream.h"

#include <algorithm>

#include "logger/redis_keys.h"

namespace gatebook::review {
using logger::ClientReference;
using logger::RedisReply;
using logger::StoredVisit;

VisitStream::VisitStream(std::string_view edge, uint32_t worker, uint64_t minute)
    : edge_(edge), worker_(worker), minute_(minute), key_(logger::VisitsKey(edge, worker, minute)) {}

void VisitStream::AskForMore(logger::RedisClient& client, size_t page) {
  page_ = std::min(page, kMostAPage);
  client.Append({"XRANGE", key_, after_.empty() ? std::string("-") : '(' + after_, "+", "COUNT",
                 std::to_string(page_)});
}

base::Result<bool> VisitStream::TakeMore(logger::RedisClient& client, const Take& take) {
  const auto reply = client.Receive();
  if (!reply) return reply.error();
  if ((*reply)->IsError()) {
    return base::Error{"Redis: " + std::string((*reply)->text), base::ExitCode::kUnavailable};
  }
  for (const RedisReply& entry : (*reply)->elements) TakeEntry(entry, take);
  entries_ += (*reply)->elements.size();
  return (*reply)->elements.size() < page_;
}

void VisitStream::TakeEntry(const RedisReply& entry, const Take& take) {
  if (entry.elements.size() != 2) return;
  after_ = entry.elements[0].text;
  visit_.edge = edge_;
  visit_.id.worker = worker_;
  if (!logger::ParseEntryId(after_, &visit_.id)) return;
  std::string_view v, c;
  const auto fields = entry.elements[1].elements;
  for (size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == "v") v = fields[i + 1].text;
    if (fields[i].text == "c") c = fields[i + 1].text;
  }
  const auto reference = logger::ReadClientReference(c, minute_);
  if (!reference) return;
  const EntryId of{reference->id.milliseconds, reference->id.n};
  if (reference->kind == ClientReference::Kind::kClosingOf) {
    const auto found = open_.find(of);
    if (found == open_.end()) return;
    logger::ReadClosingFacts(v, &found->second);
    take(found->second);
    open_.erase(found);
    return;
  }
  const EntryId self{visit_.id.milliseconds, visit_.id.n};
  if (reference->kind == ClientReference::Kind::kFacts) {
    facts_of_.emplace_back(self, facts_.size());
    facts_.emplace_back(c);
  } else {
    const auto found = std::lower_bound(facts_of_.begin(), facts_of_.end(), of,
                                        [](const auto& one, const EntryId& id) { return one.first < id; });
    const bool is_there = found != facts_of_.end() && found->first == of;
    c = is_there ? std::string_view(facts_[found->second]) : std::string_view();
    // An entry that points may itself be pointed to.
    if (is_there) facts_of_.emplace_back(self, size_t{found->second});
  }
  if (!logger::ReadVisitFacts(v, &visit_) || !logger::ReadClientFacts(c, &visit_)) return;
  if (visit_.open) {
    open_.emplace(self, visit_);
  } else {
    take(visit_);
  }
}

void VisitStream::TakeOpen(const Take& take) {
  for (const auto& [id, visit] : open_) take(visit);
  open_.clear();
}

}  // namespace gatebook::review
