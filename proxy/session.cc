#include "proxy/session.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/check.h"
#include "base/hex.h"
#include "proxy/cookie.h"

namespace gatebook::proxy {
namespace {

using Verdict = SessionDecision::Verdict;

constexpr std::string_view kVersion = "v1.";
constexpr size_t kPayloadText = 36;
// Signed in front of the payload, so that the key can sign other things some day.
constexpr std::string_view kPurpose = "gatebook session cookie v1";
// Edges that share a key need not share a clock.
constexpr int64_t kMostAhead = 300;
constexpr int64_t kMostRefresh = 60;

int64_t ToSeconds(base::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

int64_t ToSeconds(std::chrono::milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

void PutNumber(uint8_t* at, uint32_t number) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(number >> (24 - 8 * i));
}

uint32_t GetNumber(const uint8_t* at) {
  return static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 |
         static_cast<uint32_t>(at[2]) << 8 | static_cast<uint32_t>(at[3]);
}

const char* ToText(config::SameSite same_site) {
  switch (same_site) {
    case config::SameSite::kStrict:
      return "Strict";
    case config::SameSite::kNone:
      return "None";
    case config::SameSite::kLax:
      break;
  }
  return "Lax";
}

EVP_MAC_CTX* MakeMac(const SessionKey& key) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);  // the context holds its own
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  CHECK(context != nullptr && EVP_MAC_init(context, key.bytes().data(), key.bytes().size(), parameters) == 1);
  return context;
}

}  // namespace

std::string CookieAttributes(const config::Session& config) {
  return fmt::format("; Path=/; Secure; HttpOnly; SameSite={}{}", ToText(config.same_site),
                     config.partitioned ? "; Partitioned" : "");
}

uint32_t PolicyMark(std::string_view version) {
  std::array<uint8_t, 32> digest{};
  unsigned size = digest.size();
  CHECK(EVP_Digest(version.data(), version.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return static_cast<uint32_t>(digest[0]) << 16 | static_cast<uint32_t>(digest[1]) << 8 | digest[2];
}

SessionKeeper::SessionKeeper(const SessionKey& key, const config::Session& config,
                             std::string_view policy_version)
    : mac_(MakeMac(key)),
      name_(config.cookie),
      attributes_(CookieAttributes(config)),
      policy_(PolicyMark(policy_version)),
      idle_(ToSeconds(config.idle)),
      lifetime_(ToSeconds(config.lifetime)),
      refresh_(std::clamp<int64_t>(idle_ / 4, 1, kMostRefresh)) {}

SessionKeeper::~SessionKeeper() = default;

bool SessionKeeper::Names(std::string_view cookie, std::string_view name) {
  return FindCookie(cookie, name).count > 0;
}

SessionDecision SessionKeeper::Decide(std::string_view cookie, base::WallTime now) {
  const CookieMatch match = FindCookie(cookie, name_);
  if (match.count == 0) return Begin(Verdict::kNew, now);
  SessionToken token;
  // Of two, one was put there by someone else (a neighbouring host, a script): believe neither.
  if (match.count > 1 || !Open(match.value, token)) return Begin(Verdict::kForged, now);

  const int64_t seconds = ToSeconds(now);
  const int64_t age = seconds - token.created;
  const int64_t rest = seconds - token.seen;
  const bool from_the_future = age < -kMostAhead || rest < -kMostAhead;
  const bool policy_changed = token.policy != policy_;
  if (from_the_future || age >= lifetime_ || rest >= idle_) {
    SessionDecision decision = Begin(Verdict::kStale, now);
    decision.policy_changed = policy_changed;
    return decision;
  }
  SessionDecision decision{.id = token.id,
                           .verdict = Verdict::kContinued,
                           .set_cookie = rest >= refresh_ || policy_changed,
                           .token = token,
                           .policy_changed = policy_changed};
  decision.token.policy = policy_;
  if (decision.set_cookie) decision.token.seen = static_cast<uint32_t>(seconds);
  return decision;
}

SessionDecision SessionKeeper::Begin(Verdict verdict, base::WallTime now) const {
  SessionDecision decision;
  CHECK(RAND_bytes(decision.id.bytes.data(), decision.id.bytes.size()) == 1);
  decision.verdict = verdict;
  decision.set_cookie = true;
  const auto seconds = static_cast<uint32_t>(ToSeconds(now));
  decision.token = {decision.id, seconds, seconds, policy_};
  return decision;
}

bool SessionKeeper::Open(std::string_view value, SessionToken& token) {
  if (value.size() != kValueSize || !value.starts_with(kVersion)) return false;
  value.remove_prefix(kVersion.size());
  Payload payload;
  Signature signature;
  if (value[kPayloadText] != '.' || !base::FromBase64Url(value.substr(0, kPayloadText), payload) ||
      !base::FromBase64Url(value.substr(kPayloadText + 1), signature)) {
    return false;
  }
  const Signature ours = Sign(payload);
  if (CRYPTO_memcmp(ours.data(), signature.data(), ours.size()) != 0) return false;
  std::copy_n(payload.begin(), token.id.bytes.size(), token.id.bytes.begin());
  token.created = GetNumber(payload.data() + 16);
  token.seen = GetNumber(payload.data() + 20);
  token.policy = GetNumber(payload.data() + 23) & 0xffffff;
  return true;
}

SessionKeeper::Signature SessionKeeper::Sign(const Payload& payload) {
  std::array<uint8_t, 32> full;
  size_t size = 0;
  // A key that is not given anew is kept.
  CHECK(EVP_MAC_init(mac_.get(), nullptr, 0, nullptr) == 1 &&
        EVP_MAC_update(mac_.get(), reinterpret_cast<const uint8_t*>(kPurpose.data()), kPurpose.size()) == 1 &&
        EVP_MAC_update(mac_.get(), payload.data(), payload.size()) == 1 &&
        EVP_MAC_final(mac_.get(), full.data(), &size, full.size()) == 1);
  Signature signature;
  std::copy_n(full.begin(), signature.size(), signature.begin());
  return signature;
}

std::string_view SessionKeeper::SetCookieValue(const SessionToken& token) {
  Payload payload;
  std::copy(token.id.bytes.begin(), token.id.bytes.end(), payload.begin());
  PutNumber(payload.data() + 16, token.created);
  // Of its four octets the first is seen's last, which is put after it.
  PutNumber(payload.data() + 23, token.policy);
  PutNumber(payload.data() + 20, token.seen);
  // The browser forgets it when we would: the sooner of idle and the rest of its life.
  const int64_t left = static_cast<int64_t>(token.created) + lifetime_ - token.seen;
  set_cookie_value_.assign(name_).append("=").append(kVersion);
  base::AppendBase64Url(payload, set_cookie_value_);
  set_cookie_value_ += '.';
  base::AppendBase64Url(Sign(payload), set_cookie_value_);
  fmt::format_to(std::back_inserter(set_cookie_value_), "; Max-Age={}{}",
                 std::max<int64_t>(0, std::min(idle_, left)), attributes_);
  return set_cookie_value_;
}

}  // namespace gatebook::proxy
