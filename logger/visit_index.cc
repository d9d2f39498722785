#include "logger/visit_index.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace gatebook::logger {
namespace {

constexpr size_t kSessionAt = 1;
constexpr size_t kAddressAt = 4;
constexpr uint64_t kMinutes = 60;

uint32_t Digest(const std::array<uint8_t, 16>& bytes) {
  return static_cast<uint32_t>(::XXH3_64bits(bytes.data(), bytes.size()) & 0xffffff);
}

void AppendDigest(std::string& to, uint32_t digest) {
  for (const int shift : {16, 8, 0}) to.push_back(static_cast<char>(digest >> shift & 0xff));
}

std::array<char, 3> Octets(uint32_t digest) {
  return {static_cast<char>(digest >> 16), static_cast<char>(digest >> 8), static_cast<char>(digest)};
}

bool IsAt(std::string_view index, size_t at, const std::array<char, 3>& octets) {
  return index[at] == octets[0] && index[at + 1] == octets[1] && index[at + 2] == octets[2];
}

MinutesOfHour MinutesWith(std::string_view index, size_t where, uint32_t digest) {
  const std::array<char, 3> octets = Octets(digest);
  MinutesOfHour minutes = 0;
  for (size_t at = 0; at + kIndexElementSize <= index.size(); at += kIndexElementSize) {
    const auto minute = static_cast<uint8_t>(index[at]);
    if (minute < kMinutes && IsAt(index, at + where, octets)) minutes |= MinutesOfHour{1} << minute;
  }
  return minutes;
}

}  // namespace

void AppendIndexKey(std::string& to, std::string_view edge, uint32_t worker, uint64_t hour) {
  std::array<char, 20> digits;
  const auto append = [&](uint64_t number) {
    to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
  };
  to.append("gb:index:{").append(edge).push_back('.');
  append(worker);
  to.push_back('.');
  append(hour);
  to.push_back('}');
}

std::string IndexKey(std::string_view edge, uint32_t worker, uint64_t hour) {
  std::string key;
  AppendIndexKey(key, edge, worker, hour);
  return key;
}

uint32_t IndexDigest(const SessionId& session) { return Digest(session.bytes); }
uint32_t IndexDigest(const base::IpAddress& ip) { return Digest(ip.bytes()); }

void AppendIndexElement(std::string& to, uint64_t minute, const SessionId& session,
                        const base::IpAddress& ip) {
  to.push_back(static_cast<char>(minute % kMinutes));
  AppendDigest(to, IndexDigest(session));
  AppendDigest(to, IndexDigest(ip));
}

MinutesOfHour MinutesWithSession(std::string_view index, uint32_t digest) {
  return MinutesWith(index, kSessionAt, digest);
}
MinutesOfHour MinutesWithAddress(std::string_view index, uint32_t digest) {
  return MinutesWith(index, kAddressAt, digest);
}

IndexContents ContentsOf(std::string_view index) {
  IndexContents contents;
  for (size_t at = 0; at + kIndexElementSize <= index.size(); at += kIndexElementSize) {
    const auto minute = static_cast<uint8_t>(index[at]);
    if (minute >= kMinutes) continue;
    ++contents.elements;
    contents.first_minute = std::min<uint32_t>(contents.first_minute, minute);
  }
  return contents;
}

std::vector<size_t> ElementsOf(std::string_view index, uint64_t minute, uint32_t session, uint32_t address) {
  std::vector<size_t> offsets;
  const std::array<char, 3> session_octets = Octets(session), address_octets = Octets(address);
  for (size_t at = 0; at + kIndexElementSize <= index.size(); at += kIndexElementSize) {
    if (static_cast<uint8_t>(index[at]) == minute % kMinutes &&
        IsAt(index, at + kSessionAt, session_octets) && IsAt(index, at + kAddressAt, address_octets)) {
      offsets.push_back(at);
    }
  }
  return offsets;
}

}  // namespace gatebook::logger
