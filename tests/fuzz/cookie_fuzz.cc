// The session cookie against any bytes: none but a signed one is believed, and taking it
// out of a Cookie field leaves nothing of it and loses nothing else.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "proxy/cookie.h"
#include "proxy/session.h"

namespace {

using namespace gatebook;

constexpr std::string_view kName = "__Host-gatebook";

proxy::SessionKeeper& Keeper() {
  static proxy::SessionKeeper keeper(proxy::SessionKey({1, 2, 3}), config::Session(), "1");
  return keeper;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static base::BufferPool pool;
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  const base::WallTime now{std::chrono::hours(500000)};

  const proxy::SessionDecision decision = Keeper().Decide(field, now);
  const proxy::CookieMatch match = proxy::FindCookie(field, kName);
  if (match.count != 1) CHECK(decision.IsNew());
  if (!decision.IsNew()) {
    // Believed, so it is exactly what we would have written.
    proxy::SessionToken token = decision.token;
    if (decision.set_cookie) return 0;
    CHECK(Keeper().SetCookieValue(token).find(match.value) != std::string_view::npos);
  }

  base::Buffer once(pool);
  const bool left = proxy::AppendWithoutCookie(once, field, kName);
  CHECK(left != once.IsEmpty());
  CHECK(once.size() <= field.size());
  CHECK(proxy::FindCookie(once.data(), kName).count == 0);
  base::Buffer twice(pool);
  CHECK(proxy::AppendWithoutCookie(twice, once.data(), kName) == left);
  CHECK(once.data() == twice.data());
  return 0;
}
