#include "review/desk_logins.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostLogins = 256;

}  // namespace

std::optional<DeskLogins::Digest> DeskLogins::DigestOf(std::string_view cookie) {
  std::array<uint8_t, 32> id{};
  if (!base::FromBase64Url(cookie, id)) return std::nullopt;
  Digest digest{};
  ::SHA256(id.data(), id.size(), digest.data());
  return digest;
}

std::string DeskLogins::Begin(const std::string& reader) {
  DropOver();
  if (logins_.size() >= kMostLogins) {
    logins_.erase(std::min_element(logins_.begin(), logins_.end(), [](const auto& one, const auto& other) {
      return one.second.used < other.second.used;
    }));
  }
  std::array<uint8_t, 32> id{};
  CHECK(RAND_bytes(id.data(), static_cast<int>(id.size())) == 1);
  std::string cookie = base::ToBase64Url(id);
  logins_[*DigestOf(cookie)] = {reader, clock_.SteadyNow(), clock_.SteadyNow()};
  return cookie;
}

std::optional<std::string> DeskLogins::Use(std::string_view cookie) {
  const auto digest = DigestOf(cookie);
  if (!digest) return std::nullopt;
  DropOver();
  const auto found = logins_.find(*digest);
  if (found == logins_.end()) return std::nullopt;
  found->second.used = clock_.SteadyNow();
  return found->second.reader;
}

std::optional<std::string> DeskLogins::Find(std::string_view cookie) {
  const auto digest = DigestOf(cookie);
  if (!digest) return std::nullopt;
  DropOver();
  const auto found = logins_.find(*digest);
  return found == logins_.end() ? std::nullopt : std::optional(found->second.reader);
}

void DeskLogins::End(std::string_view cookie) {
  if (const auto digest = DigestOf(cookie)) logins_.erase(*digest);
}

void DeskLogins::EndAllOf(std::string_view reader) {
  std::erase_if(logins_, [reader](const auto& one) { return one.second.reader == reader; });
}

void DeskLogins::DropOver() {
  const base::SteadyTime now = clock_.SteadyNow();
  std::erase_if(logins_, [&](const auto& one) {
    return now - one.second.used >= limits_.idle || now - one.second.began >= limits_.lifetime;
  });
}

void DeskLogins::TurnMinute() {
  const int64_t now = std::chrono::floor<std::chrono::minutes>(clock_.SteadyNow().time_since_epoch()).count();
  if (now != minute_) failed_ = 0;
  minute_ = now;
}

bool DeskLogins::MayTry() {
  TurnMinute();
  if (failed_ >= limits_.logins_a_minute) return false;
  ++failed_;
  return true;
}

void DeskLogins::Succeeded() {
  TurnMinute();
  if (failed_ > 0) --failed_;
}

}  // namespace gatebook::review
