// NameCache: names of addresses, for as long as DNS says.
//
// Least recently used goes first when it is full. A balanced tree, not a hash
// table: clients choose their addresses, and no choice can make a tree slow.
//
// Thread: one. Limits: `capacity` entries of at most 253 octets of name each
// (some 200 bytes an entry as a rule).
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/ip_address.h"
#include "logger/visit.h"

namespace gatebook::logger {

class NameCache {
 public:
  explicit NameCache(size_t capacity) : capacity_(capacity) {}

  struct Entry {
    DnsCheck check = DnsCheck::kNone;
    std::string name;
    base::SteadyTime expires{};
  };

  // Null if there is none that still holds at `now`. Marks it as used. Valid until the next Put.
  const Entry* Find(const base::IpAddress& ip, base::SteadyTime now);
  // As Find, without the mark.
  const Entry* Peek(const base::IpAddress& ip, base::SteadyTime now) const;
  void Put(const base::IpAddress& ip, Entry entry);
  size_t size() const { return entries_.size(); }

 private:
  using Order = std::list<base::IpAddress>;  // most recently used first
  struct Node {
    Entry entry;
    Order::iterator place;
  };
  size_t capacity_;
  std::map<base::IpAddress, Node> entries_;
  Order order_;
};

}  // namespace gatebook::logger
