// Whatever stands to the left of what trusted proxies wrote, they are read as they wrote.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "http/forwarded.h"

namespace gatebook::http {
namespace {

base::IpAddress Ip(const char* text) { return *base::IpAddress::Parse(text); }

ForwardedClient Walk(const std::string& value, ForwardedSource source) {
  static const base::IpNetworkSet trusted = [] {
    base::IpNetworkSet set;
    CHECK(set.Add("10.0.0.0/8"));
    return set;
  }();
  const bool standard = source == ForwardedSource::kForwarded;
  const Field field{standard ? "Forwarded" : "X-Forwarded-For", value,
                    standard ? FieldId::kForwarded : FieldId::kXForwarded, false};
  const ForwardedClient client = WalkForwarded(Ip("10.0.0.1"), {&field, 1}, trusted, source);
  CHECK(client.hops <= kForwardedHopsMost);
  CHECK(client.address == (client.hops == 0 ? Ip("10.0.0.1") : client.chain[client.hops - 1]));
  for (size_t i = 0; i + 1 < client.hops; ++i) CHECK(trusted.Contains(client.chain[i]));
  CHECK(!client.address.IsUnspecified());
  return client;
}

}  // namespace
}  // namespace gatebook::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gatebook::http;
  const std::string stranger(reinterpret_cast<const char*>(data), size);
  Walk(stranger, ForwardedSource::kXForwardedFor);
  Walk(stranger, ForwardedSource::kForwarded);
  CHECK(Walk(stranger + ", 198.51.100.1, 10.2.0.1", ForwardedSource::kXForwardedFor).address ==
        Ip("198.51.100.1"));
  const auto client = Walk(stranger + ", for=198.51.100.1;host=\"a,\\\"\";proto=https,for=\"10.2.0.1:_x\"",
                           ForwardedSource::kForwarded);
  CHECK(client.address == Ip("198.51.100.1") && client.https == true);
  return 0;
}
