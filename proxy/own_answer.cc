#include "proxy/own_answer.h"

#include <fmt/format.h>

#include <ctime>

#include "base/check.h"

namespace gatebook::proxy {
namespace {

std::string_view MoreName(int status) {
  if (status == 405) return "Allow";
  if (status == 429 || status == 503) return "Retry-After";
  return {};
}

std::string_view MoreValue(int status) {
  if (status == 405) return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (status == 429) return "60";
  if (status == 503) return "1";
  return {};
}

}  // namespace

std::string ToHttpDate(base::WallTime time) {
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm utc;
  gmtime_r(&seconds, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

OwnAnswer::OwnAnswer(http::Refusal refusal, std::string_view allow)
    : OwnAnswer(http::InfoOf(refusal).status, MoreName(http::InfoOf(refusal).status),
                std::string(allow.empty() || http::InfoOf(refusal).status != 405
                                ? MoreValue(http::InfoOf(refusal).status)
                                : allow)) {}

OwnAnswer::OwnAnswer(const http::RequestHead& head, std::string_view port_suffix)
    : OwnAnswer(
          308, "Location",
          fmt::format("https://{}{}{}", head.host, port_suffix, head.target == "*" ? "/" : head.target)) {}

OwnAnswer::OwnAnswer(int status, std::string_view name, std::string value)
    : status_(status), line_(fmt::format("{} {}\n", status, http::ReasonPhrase(status))), body_(line_) {
  Add("Date", ToHttpDate(base::Clock::System().WallNow()));
  Add("Content-Type", "text/plain; charset=utf-8");
  Add("Cache-Control", "no-store");
  if (!name.empty()) Add(name, std::move(value));
}

OwnAnswer::OwnAnswer(int status, std::string_view body) : status_(status), body_(body) {
  Add("Date", ToHttpDate(base::Clock::System().WallNow()));
}

void OwnAnswer::Add(std::string_view name, std::string value) {
  CHECK(count_ < kMostFields);
  values_[count_] = std::move(value);
  fields_[count_].name = name;
  fields_[count_].value = values_[count_];
  ++count_;
}

}  // namespace gatebook::proxy
