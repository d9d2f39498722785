#include "proxy/own_page.h"

#include <openssl/evp.h>

#include <array>
#include <span>

#include "base/ascii.h"
#include "base/check.h"
#include "base/hex.h"
#include "http/characters.h"

namespace gatebook::proxy {
namespace {

std::string EtagOf(std::string_view body) {
  std::array<uint8_t, 32> digest{};
  unsigned size = digest.size();
  CHECK(EVP_Digest(body.data(), body.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return '"' + base::ToBase64Url(std::span(digest).first(16)) + '"';
}

// RFC 9110 §13.1.2: weak comparison; "*" is met by whatever there is.
bool Names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    std::string_view one = http::TakeListElement(list);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag || one == "*") return true;
  }
  return false;
}

}  // namespace

OwnPage::OwnPage(std::string_view content_type, std::string body, std::optional<base::WallTime> last_modified)
    : content_type_(content_type),
      body_(std::move(body)),
      etag_(EtagOf(body_)),
      last_modified_(last_modified ? ToHttpDate(*last_modified) : std::string()) {}

// If-Modified-Since counts only where there is no If-None-Match (§13.1.3). It is compared as it was given
// out: another date is answered with the whole document, which is always right.
bool OwnPage::IsKnown(const http::RequestHead& head) const {
  bool by_tag = false;
  bool since = false;
  for (const http::Field& field : head.fields) {
    if (base::EqualsIgnoreCase(field.name, "if-none-match")) {
      if (Names(field.value, etag_)) return true;
      by_tag = true;
    } else if (base::EqualsIgnoreCase(field.name, "if-modified-since")) {
      since = !last_modified_.empty() && field.value == last_modified_;
    }
  }
  return since && !by_tag;
}

OwnReply OwnPage::Answer(const OwnRequest& request) const {
  const bool known = IsKnown(request.head);
  auto answer = std::make_unique<OwnAnswer>(known ? 304 : 200, known ? std::string_view() : body_);
  if (!known) {
    answer->Add("Content-Type", std::string(content_type_));
    if (content_type_.starts_with("text/html")) AddInertFields(*answer);
  }
  // Kept, but asked about: a new policy is seen at once. Not by shared caches: it may bring a session's
  // cookie.
  answer->Add("Cache-Control", "private, no-cache");
  answer->Add("ETag", etag_);
  if (!last_modified_.empty()) answer->Add("Last-Modified", last_modified_);
  return {std::move(answer)};
}

void AddInertFields(OwnAnswer& answer) {
  answer.Add("Content-Security-Policy",
             "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
             "frame-ancestors 'self'; base-uri 'none'");
  answer.Add("X-Content-Type-Options", "nosniff");
  answer.Add("Referrer-Policy", "no-referrer");
}

}  // namespace gatebook::proxy
