#include "review/device_class.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/ascii.h"

namespace gatebook::review {
namespace {

// Programs: those that say so, and libraries and tools under their own name.
constexpr std::string_view kBots[] = {
    "bot",        "crawl",          "spider",         "slurp",       "curl/",
    "wget/",      "python",         "go-http-client", "java/",       "okhttp",
    "libwww",     "headless",       "httpx",          "http-client", "httpclient",
    "axios",      "node-fetch",     "undici",         "postman",     "scan",
    "monitor",    "uptime",         "externalhit",    "preview",     "feedfetcher",
    "lighthouse", "phantomjs",      "ruby",           "php/",        "guzzle",
    "prometheus", "kube-probe",     "elb-health",     "check_http",  "zgrab",
    "masscan",    "facebookcatalog"};
// The brand of telephones that ends like a robot.
constexpr std::string_view kNoBot = "cubot";
constexpr std::string_view kTablets[] = {"ipad", "tablet", "kindle", "silk/", "playbook"};
constexpr std::string_view kMobiles[] = {"mobi",       "iphone",     "ipod",    "windows phone",
                                         "opera mini", "blackberry", "symbian", "j2me"};
constexpr std::string_view kDesktops[] = {"windows nt",   "macintosh",  "x11;",         "cros ",
                                          "linux x86_64", "linux i686", "linux aarch64"};

bool HasAny(std::string_view text, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

}  // namespace

std::string_view ToText(DeviceClass device) {
#define GATEBOOK_TEXT(enumerator, name) name,
  static constexpr std::string_view kNames[] = {GATEBOOK_DEVICE_CLASSES(GATEBOOK_TEXT)};
#undef GATEBOOK_TEXT
  return kNames[static_cast<size_t>(device)];
}

DeviceClass DeviceClassOf(std::string_view user_agent) {
  std::string text = base::ToAsciiLower(user_agent);
  for (size_t at = text.find(kNoBot); at != std::string::npos; at = text.find(kNoBot))
    text.erase(at, kNoBot.size());
  if (HasAny(text, kBots)) return DeviceClass::kBot;
  if (HasAny(text, kTablets)) return DeviceClass::kTablet;
  if (HasAny(text, kMobiles)) return DeviceClass::kMobile;
  // Browsers of Android say "Mobile" on telephones only.
  if (text.find("android") != std::string::npos) return DeviceClass::kTablet;
  if (HasAny(text, kDesktops)) return DeviceClass::kDesktop;
  return DeviceClass::kOther;
}

}  // namespace gatebook::review
