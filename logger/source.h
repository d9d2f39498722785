// Source: where a visit came from, told from its Referer and its query.
//
//   campaign   any of utm_source, utm_medium, utm_campaign is in the query
//   direct     no Referer, or none that names a web origin
//   internal   the Referer's host is our own
//   search     a search engine, by the table of well-known hosts in source.cc
//   social     a social network, likewise
//   referral   any other host
//
// Of the Referer only the origin is kept (scheme, host, port unless default); user,
// path and query never are. The utm values are decoded, masked (logger/mask.h) and clean.
//
// Thread: any; pure; no allocation. Cost: some 80 ns with a Referer, 5 ns without.
#pragma once

#include <array>
#include <string_view>

#include "logger/visit.h"

namespace gatebook::logger {

// Memory for the views of a Source.
struct SourceBuffer {
  std::array<char, kMostReferrer> referrer;
  std::array<char, kMostCampaignPart> utm_source;
  std::array<char, kMostCampaignPart> utm_medium;
  std::array<char, kMostCampaignPart> utm_campaign;
};

struct Source {
  Channel channel = Channel::kDirect;
  std::string_view referrer;  // "https://example.org", lower case; empty if there is none
  std::string_view utm_source;
  std::string_view utm_medium;
  std::string_view utm_campaign;
};

// `own_host`: the request's host, with or without port, in any case. The views of the result
// live as long as `buffer`.
Source ClassifySource(std::string_view referer, std::string_view own_host, std::string_view query,
                      SourceBuffer& buffer);

}  // namespace gatebook::logger
