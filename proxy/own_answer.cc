#include "proxy/own_answer.h"

#include <fmt/format.h>

#include <ctime>

namespace gatebook::proxy {
namespace {

// RFC 9110 §5.6.7.
std::string DateNow() {
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  gmtime_r(&now, &utc);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

std::string_view MoreName(int status) {
  if (status == 405) return "Allow";
  if (status == 503) return "Retry-After";
  return {};
}

std::string_view MoreValue(int status) {
  if (status == 405) return "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (status == 503) return "1";
  return {};
}

}  // namespace

OwnAnswer::OwnAnswer(http::Refusal refusal)
    : OwnAnswer(http::InfoOf(refusal).status, MoreName(http::InfoOf(refusal).status),
                std::string(MoreValue(http::InfoOf(refusal).status))) {}

OwnAnswer::OwnAnswer(const http::RequestHead& head, std::string_view port_suffix)
    : OwnAnswer(
          308, "Location",
          fmt::format("https://{}{}{}", head.host, port_suffix, head.target == "*" ? "/" : head.target)) {}

OwnAnswer::OwnAnswer(int status, std::string_view name, std::string value)
    : status_(status),
      date_(DateNow()),
      value_(std::move(value)),
      body_(fmt::format("{} {}\n", status, http::ReasonPhrase(status))) {
  Add("Date", date_);
  Add("Content-Type", "text/plain; charset=utf-8");
  Add("Cache-Control", "no-store");
  if (!name.empty()) Add(name, value_);
}

void OwnAnswer::Add(std::string_view name, std::string_view value) {
  fields_[count_].name = name;
  fields_[count_].value = value;
  ++count_;
}

}  // namespace gatebook::proxy
