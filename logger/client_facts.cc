#include "logger/client_facts.h"

#include <xxhash.h>

#include <random>

#include "logger/redis_keys.h"

namespace gatebook::logger {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

void AppendBytes(std::string& to, const std::array<uint8_t, 16>& bytes) {
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

size_t ClientFacts::Hash::operator()(std::string_view text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

ClientFacts::ClientFacts() : entries_(0, Hash{RandomSeed()}) {}

const VisitId* ClientFacts::FindOrAdd(const VisitId& id, const Visit& visit, const Name& name) {
  if (MinuteOf(id) != minute_ || entries_.size() >= kMost) Clear();
  minute_ = MinuteOf(id);
  // The place follows from the address. Texts hold no NUL (logger/text.h), so it parts them.
  key_.clear();
  AppendBytes(key_, visit.session.bytes);
  AppendBytes(key_, visit.ip.bytes());
  const uint8_t small[] = {static_cast<uint8_t>(visit.protocol), visit.tls_version, visit.purpose,
                           static_cast<uint8_t>(name.check)};
  key_.append(reinterpret_cast<const char*>(small), sizeof small);
  key_.append(name.text).push_back('\0');
  key_.append(visit.host).push_back('\0');
  key_.append(visit.policy).push_back('\0');
  key_.append(visit.user_agent);
  if (const auto found = entries_.find(std::string_view(key_)); found != entries_.end())
    return &found->second;
  entries_.emplace(key_, id);
  return nullptr;
}

void ClientFacts::Clear() { entries_.clear(); }

}  // namespace gatebook::logger
