// Any bytes before a connection: cut anywhere, the outcome is that of the whole, and what was
// told is told again by a header of ours.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/proxy_protocol.h"

namespace gatebook::http {
namespace {

using Status = ProxyHeader::Status;

void CheckSame(const ProxyHeader& a, const ProxyHeader& b) {
  CHECK(a.status == b.status);
  CHECK(a.fault == b.fault);
  CHECK(a.size == b.size);
  CHECK(a.addresses == b.addresses);
}

}  // namespace
}  // namespace gatebook::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gatebook::http;
  constexpr size_t kMostCut = 512;  // beyond it every 61st place
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ProxyHeader whole = ParseProxyHeader(text);
  CHECK((whole.status == Status::kRefused) == (whole.fault != ProxyHeaderFault::kNone));
  CHECK(whole.status != Status::kNeedMore || size < kProxyHeaderMost);
  CHECK(whole.size <= size && whole.size <= kProxyHeaderMost);
  CHECK((whole.status == Status::kDone) == (whole.size > 0));
  for (size_t cut = 0; cut < size && cut <= kProxyHeaderMost; cut += cut < kMostCut ? 1 : 61) {
    // A copy of just that size, so that a sanitizer sees whoever reads beyond it.
    const std::vector<char> copy(text.begin(), text.begin() + static_cast<ptrdiff_t>(cut));
    const ProxyHeader part = ParseProxyHeader({copy.data(), copy.size()});
    if (part.status != Status::kNeedMore) CheckSame(part, whole);
  }
  if (whole.addresses) CHECK(ParseProxyHeader(MakeProxyHeader(whole.addresses)).addresses == whole.addresses);
  return 0;
}
