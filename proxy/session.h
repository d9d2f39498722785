// SessionKeeper: begins visitors' sessions and knows its own again by their cookie.
//
//   __Host-gatebook=v1.<id, created, seen, policy>.<signature>
//
// id: 128 random bits; created and seen: seconds since 1970, 32 bits, big endian; policy: 24 bits, which
// version of the privacy policy the session knows (PolicyMark); these 27 bytes and the first 128 bits of
// their HMAC-SHA256 stand in base64url. Nothing is stored here: the cookie is the session, the signature
// keeps it ours. A session ends `idle` after it was last seen and `lifetime` after it was made; both are in
// the signed part, so no client can stretch them. `seen` is rewritten only when it is a minute old (or a
// quarter of `idle`), so that few answers carry Set-Cookie; an idle end may come that much too early, never
// late.
//
// Thread: one keeper a worker. Owns: a keyed context of OpenSSL's; wiped when destroyed.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "config/config.h"
#include "logger/visit.h"
#include "proxy/session_key.h"

namespace gatebook::proxy {

// Those of a cookie of ours that scripts need not read: "; Path=/; Secure; …".
std::string CookieAttributes(const config::Session& config);

// What a cookie says.
struct SessionToken {
  logger::SessionId id;
  uint32_t created = 0;  // seconds since 1970
  uint32_t seen = 0;
  uint32_t policy = 0;  // PolicyMark of the version that the session began under or was told of
};

// Stands for a version of the privacy policy: 24 bits of its digest.
uint32_t PolicyMark(std::string_view version);

struct SessionDecision {
  enum class Verdict : uint8_t {
    kNew,        // no cookie of ours was shown
    kContinued,  // the cookie is good
    kForged,     // malformed, not signed by us, or shown twice: a new session
    kStale,      // ours, but idle or alive for too long: a new session
  };
  logger::SessionId id;
  Verdict verdict = Verdict::kNew;
  bool set_cookie = false;      // the answer is to carry SetCookieValue(token)
  SessionToken token;           // as the next cookie says it
  bool policy_changed = false;  // the cookie knew another version of the policy

  bool IsNew() const { return verdict != Verdict::kContinued; }
};

class SessionKeeper {
 public:
  static constexpr size_t kValueSize = 3 + 36 + 1 + 22;  // characters

  // `policy_version`: in force.
  SessionKeeper(const SessionKey& key, const config::Session& config, std::string_view policy_version);
  ~SessionKeeper();
  SessionKeeper(const SessionKeeper&) = delete;
  SessionKeeper& operator=(const SessionKeeper&) = delete;

  // `cookie`: a Cookie field's value; empty for none, and on a plain listener, where a Secure
  // cookie can neither come nor be set (ignore set_cookie there).
  SessionDecision Decide(std::string_view cookie, base::WallTime now);

  // Whether a Cookie field's value has a cookie of that name.
  static bool Names(std::string_view cookie, std::string_view name);

  // The value of a Set-Cookie field; valid until the next call.
  std::string_view SetCookieValue(const SessionToken& token);
  uint32_t policy() const { return policy_; }  // PolicyMark of the version in force
  std::chrono::seconds idle() const { return std::chrono::seconds(idle_); }
  std::chrono::seconds lifetime() const { return std::chrono::seconds(lifetime_); }

 private:
  using Payload = std::array<uint8_t, 27>;
  using Signature = std::array<uint8_t, 16>;

  SessionDecision Begin(SessionDecision::Verdict verdict, base::WallTime now) const;
  bool Open(std::string_view value, SessionToken& token);
  Signature Sign(const Payload& payload);

  struct MacFree {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  std::unique_ptr<EVP_MAC_CTX, MacFree> mac_;  // keyed once, started anew for each signature
  std::string name_;
  std::string attributes_;
  const uint32_t policy_;
  int64_t idle_;  // seconds, as those below
  int64_t lifetime_;
  int64_t refresh_;
  std::string set_cookie_value_;
};

}  // namespace gatebook::proxy
