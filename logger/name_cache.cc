#include "logger/name_cache.h"

#include <utility>

namespace gatebook::logger {

const NameCache::Entry* NameCache::Find(const base::IpAddress& ip, base::SteadyTime now) {
  const auto found = entries_.find(ip);
  if (found == entries_.end()) return nullptr;
  if (found->second.entry.expires <= now) {
    order_.erase(found->second.place);
    entries_.erase(found);
    return nullptr;
  }
  order_.splice(order_.begin(), order_, found->second.place);
  return &found->second.entry;
}

const NameCache::Entry* NameCache::Peek(const base::IpAddress& ip, base::SteadyTime now) const {
  const auto found = entries_.find(ip);
  if (found == entries_.end() || found->second.entry.expires <= now) return nullptr;
  return &found->second.entry;
}

void NameCache::Put(const base::IpAddress& ip, Entry entry) {
  if (capacity_ == 0) return;
  if (const auto found = entries_.find(ip); found != entries_.end()) {
    found->second.entry = std::move(entry);
    order_.splice(order_.begin(), order_, found->second.place);
    return;
  }
  if (entries_.size() >= capacity_) {
    entries_.erase(order_.back());
    order_.pop_back();
  }
  order_.push_front(ip);
  entries_.emplace(ip, Node{std::move(entry), order_.begin()});
}

}  // namespace gatebook::logger
