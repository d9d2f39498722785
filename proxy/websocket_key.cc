#include "proxy/websocket_key.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <strings.h>

#include <array>

#include "base/check.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

template <size_t kSize>
std::string ToBase64(const std::array<uint8_t, kSize>& bytes) {
  std::string text((kSize + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(), kSize);
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace

std::string MakeWebSocketKey() {
  std::array<uint8_t, 16> bytes;
  CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return ToBase64(bytes);
}

bool IsWebSocketAccept(const http::Field& field) {
  constexpr std::string_view kName = "sec-websocket-accept";
  return field.id == http::FieldId::kSecWebSocket && field.name.size() == kName.size() &&
         strncasecmp(field.name.data(), kName.data(), kName.size()) == 0;
}

std::string WebSocketAcceptOf(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<uint8_t, 20> digest;
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return ToBase64(digest);
}

}  // namespace gatebook::proxy
