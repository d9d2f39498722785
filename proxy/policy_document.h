// PolicyDocument: the privacy policy as it is shown, from the file that [policy] names.
//
// Markdown is rendered (proxy/markdown.h); an HTML fragment gets our page around it; a whole HTML document
// stays as it is. Nothing in it runs either way (AddInertFields).
//
// Thread: main: it reads a file. Limits: a file of kMostSize.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

namespace gatebook::proxy {

struct PolicyDocument {
  static constexpr size_t kMostSize = 1 << 20;  // bytes

  std::string html;
  std::string title;         // plain text
  base::WallTime changed{};  // the file
};

// Requires: policy.file is set. An error says why it can't be shown.
base::Result<PolicyDocument> LoadPolicyDocument(const config::Policy& policy);

// An Atom feed (RFC 4287) that has one entry, the version in force: readers remember the ones before.
std::string PolicyFeed(const config::Policy& policy, const PolicyDocument& document,
                       std::string_view version);

// Paths that stand below policy.path.
std::string FeedPath(const config::Policy& policy);
std::string WhatWeRecordPath(const config::Policy& policy);

// When the version came into force as far as the config says: midnight of policy.date, else `otherwise`.
base::WallTime DateOf(const config::Policy& policy, base::WallTime otherwise);

}  // namespace gatebook::proxy
