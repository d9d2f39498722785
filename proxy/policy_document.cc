#include "proxy/policy_document.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/ascii.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/html.h"
#include "base/rfc3339.h"
#include "base/unique_fd.h"
#include "proxy/html.h"
#include "proxy/markdown.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kDefaultTitle = "Privacy policy";

struct File {
  std::string text;
  base::WallTime changed;
};

base::Result<File> Read(const std::string& path) {
  const auto failure = [&path](std::string_view why) {
    return base::Error{fmt::format("policy {}: {}", path, why), base::ExitCode::kConfig};
  };
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd.IsValid() || ::fstat(fd.get(), &info) != 0) return failure(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return failure("is not a regular file");
  File file{std::string(PolicyDocument::kMostSize + 1, '\0'), {}};
  size_t size = 0;
  while (size < file.text.size()) {
    const ssize_t got = ::read(fd.get(), file.text.data() + size, file.text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(std::strerror(errno));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > PolicyDocument::kMostSize) return failure("is larger than 1 MiB");
  if (size == 0) return failure("is empty");
  file.text.resize(size);
  file.changed = base::WallTime(std::chrono::seconds(info.st_mtim.tv_sec));
  return file;
}

// What stands between <name> and </name>, tags and white space taken out; empty if there is none.
std::string TextOfElement(std::string_view html, std::string_view name) {
  const std::string lower = base::ToAsciiLower(std::string(html));
  const size_t open = lower.find(fmt::format("<{}", name));
  if (open == std::string::npos) return {};
  const size_t begin = lower.find('>', open);
  const size_t end = lower.find(fmt::format("</{}>", name), open);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  std::string text;
  bool in_tag = false;
  for (const char c : html.substr(begin + 1, end - begin - 1)) {
    if (c == '<') in_tag = true;
    const bool space = static_cast<unsigned char>(c) <= ' ';
    if (!in_tag && !(space && (text.empty() || text.back() == ' '))) text += space ? ' ' : c;
    if (c == '>') in_tag = false;
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// Stable names for what a feed speaks of (RFC 4287 §4.2.6), made of what they name.
std::string Urn(std::string_view of) {
  std::array<uint8_t, 32> digest{};
  unsigned size = digest.size();
  CHECK(EVP_Digest(of.data(), of.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  digest[6] = static_cast<uint8_t>(0x80 | (digest[6] & 0x0f));  // RFC 9562 §5.8: version 8, our own making
  digest[8] = static_cast<uint8_t>(0x80 | (digest[8] & 0x3f));
  const std::string hex = base::ToHex(digest);
  const std::string_view view = hex;
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", view.substr(0, 8), view.substr(8, 4), view.substr(12, 4),
                     view.substr(16, 4), view.substr(20, 12));
}

std::string Footer(const config::Policy& policy) {
  return fmt::format(
      "<footer><a href=\"{}\">What is recorded of a visit</a> · <a href=\"{}\">Changes as a "
      "feed</a></footer>\n",
      base::EscapeHtml(WhatWeRecordPath(policy)), base::EscapeHtml(FeedPath(policy)));
}

std::string FeedLink(const config::Policy& policy) {
  return fmt::format("<link rel=\"alternate\" type=\"application/atom+xml\" href=\"{}\">\n",
                     base::EscapeHtml(FeedPath(policy)));
}

}  // namespace

std::string FeedPath(const config::Policy& policy) { return policy.path + "/feed.atom"; }
std::string WhatWeRecordPath(const config::Policy& policy) { return policy.path + "/what-we-record"; }

base::WallTime DateOf(const config::Policy& policy, base::WallTime otherwise) {
  return base::ParseRfc3339(policy.date + "T00:00:00Z").value_or(otherwise);
}

base::Result<PolicyDocument> LoadPolicyDocument(const config::Policy& policy) {
  auto file = Read(policy.file);
  if (!file.ok()) return file.error();
  PolicyDocument document;
  document.changed = file->changed;
  const bool markdown = policy.file.ends_with(".md") || policy.file.ends_with(".markdown");
  if (markdown) {
    Markdown rendered = RenderMarkdown(file->text);
    document.title = rendered.title;
    document.html = std::move(rendered.html);
  } else {
    document.title = TextOfElement(file->text, "title");
    if (document.title.empty()) document.title = TextOfElement(file->text, "h1");
    document.html = std::move(file->text);
  }
  if (document.title.empty()) document.title = kDefaultTitle;
  const bool whole = !markdown && base::ToAsciiLower(document.html).find("<html") != std::string::npos;
  if (!whole) document.html = WholePage(document.title, document.html + Footer(policy), FeedLink(policy));
  return document;
}

std::string PolicyFeed(const config::Policy& policy, const PolicyDocument& document,
                       std::string_view version) {
  const std::string title = base::EscapeHtml(document.title);
  const std::string updated = base::ToRfc3339(DateOf(policy, document.changed));
  const std::string subject = document.title + "\n" + policy.path;
  const std::string shown = base::EscapeHtml(version);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
      "<id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<author><name>{}</name></author>\n"
      "<link rel=\"self\" href=\"{}\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n"
      "<entry>\n<id>{}</id>\n<title>{}, version {}</title>\n<updated>{}</updated>\n"
      "<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n"
      "<summary>Version {} of the privacy policy is in force{}.</summary>\n</entry>\n</feed>\n",
      Urn(subject), title, updated, title, base::EscapeHtml(FeedPath(policy)), base::EscapeHtml(policy.path),
      Urn(fmt::format("{}\n{}", subject, version)), title, shown, updated, base::EscapeHtml(policy.path),
      shown, policy.date.empty() ? std::string() : " since " + policy.date);
}

}  // namespace gatebook::proxy
