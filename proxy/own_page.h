// OwnPage: a document of the edge's own: bytes that were made when the configuration was loaded, with
// what caches need to know of them.
//
// GET and HEAD; If-None-Match and If-Modified-Since are answered with 304 (RFC 9110 §13).
// Thread, Ends: see OwnResource. Owns: its bytes.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "proxy/own_resource.h"

namespace gatebook::proxy {

class OwnPage final : public OwnResource {
 public:
  // `content_type`: a literal. HTML is sent with a Content-Security-Policy under which nothing runs and
  // nothing is loaded from elsewhere.
  OwnPage(std::string_view content_type, std::string body, std::optional<base::WallTime> last_modified);

  std::string_view allow() const override { return "GET, HEAD"; }
  OwnReply Answer(const OwnRequest& request) const override;

  const std::string& body() const { return body_; }
  const std::string& etag() const { return etag_; }

 private:
  bool IsKnown(const http::RequestHead& head) const;

  const std::string_view content_type_;
  const std::string body_;
  const std::string etag_;           // strong: of the bytes
  const std::string last_modified_;  // empty: not known
};

// Fields that keep HTML of ours inert in a browser.
void AddInertFields(OwnAnswer& answer);

}  // namespace gatebook::proxy
