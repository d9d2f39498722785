// ObjectionPage: /.well-known/gatebook/objection, where a visitor chooses.
//
// GET shows how it stands and changes nothing. POST with ?choice=object or ?choice=withdraw sets or clears
// the cookie and leads back to the page; not for other sites' pages. The choice stands in the query so that
// no body has to be read; any page of the same host may hold such a form.
//
// Thread, Ends: see OwnResource.
#pragma once

#include <string>

#include "config/config.h"
#include "proxy/own_resource.h"

namespace gatebook::proxy {

class ObjectionPage final : public OwnResource {
 public:
  explicit ObjectionPage(const config::Config& config);

  std::string_view allow() const override { return "GET, HEAD, POST"; }
  OwnReply Answer(const OwnRequest& request) const override;

 private:
  std::unique_ptr<OwnAnswer> Show(Objected objected) const;
  std::unique_ptr<OwnAnswer> Change(bool object, bool secure) const;

  const std::string counted_;      // the page for who has not objected,
  const std::string by_cookie_;    // who has, here,
  const std::string by_browser_;   // by their browser,
  const std::string by_register_;  // by the operator
  const std::string attributes_;   // of the cookie over TLS
  const std::string lifetime_;     // seconds
};

}  // namespace gatebook::proxy
