#include "review/visit_combined.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>
#include <string_view>

namespace gatebook::review {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr uint16_t kClientLeft = 499;
// Readers want an address there.
constexpr std::string_view kNoAddress = "0.0.0.0";

// `least`: the first character that may stand as it is: ' ', or '!' where a space would end the field.
void AppendEscaped(std::string& line, std::string_view text, char least) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (c >= least && c < 0x7f && c != '"' && c != '\\') {
      line.push_back(c);
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    line.append("\\x");
    line.push_back(kDigits[octet >> 4]);
    line.push_back(kDigits[octet & 15]);
  }
}

void AppendQuoted(std::string& line, std::string_view text) {
  line.append(" \"");
  if (text.empty()) text = "-";
  AppendEscaped(line, text, ' ');
  line.push_back('"');
}

void AppendTime(std::string& line, base::WallTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  fmt::format_to(std::back_inserter(line), " - - [{:02}/{}/{}:{:02}:{:02}:{:02} +0000]",
                 static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                 static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count());
}

void AppendRequest(std::string& line, const logger::StoredVisit& visit) {
  if (visit.method.empty()) return line.append(" \"-\""), void();
  line.append(" \"");
  AppendEscaped(line, visit.method, '!');
  line.push_back(' ');
  AppendEscaped(line, visit.path.empty() ? std::string_view("-") : std::string_view(visit.path), '!');
  if (!visit.query.empty()) {
    line.push_back('?');
    AppendEscaped(line, visit.query, '!');
  }
  line.append(visit.protocol == "h2" ? " HTTP/2.0\"" : " HTTP/1.1\"");
}

}  // namespace

void AppendCombined(std::string& line, const logger::StoredVisit& visit) {
  const std::string_view address = std::string_view(visit.ip).substr(0, visit.ip.find('/'));
  AppendEscaped(line, address.empty() ? kNoAddress : address, '!');
  AppendTime(line, visit.arrival);
  AppendRequest(line, visit);
  fmt::format_to(std::back_inserter(line), " {} {}", visit.status == 0 ? kClientLeft : visit.status,
                 visit.bytes_out);
  AppendQuoted(line, visit.referrer);
  AppendQuoted(line, visit.user_agent);
  line.push_back('\n');
}

}  // namespace gatebook::review
