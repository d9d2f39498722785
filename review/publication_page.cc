#include "review/publication_page.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

#include "base/check.h"
#include "base/html.h"
#include "review/assets.h"

namespace gatebook::review {
namespace {

// JSON inside of <script>: nothing in it may look like the element's end.
std::string InScript(std::string json) {
  for (size_t at = json.find('<'); at != std::string::npos; at = json.find('<', at))
    json.replace(at, 1, "\\u003c");
  return json;
}

// 'sha256-…', as a Content-Security-Policy names a text that it allows.
std::string Digest(std::string_view text) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::array<unsigned char, 48> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return fmt::format("'sha256-{}'", std::string_view(reinterpret_cast<const char*>(base64.data()),
                                                     static_cast<size_t>(length)));
}

std::string Head(std::string_view title, bool has_scripts) {
  const std::string scripts =
      has_scripts ? fmt::format("script-src {} {}; ", Digest(ChartLibrary()), Digest(StatisticsPageScript()))
                  : "";
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {}style-src {}; "
      "base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
      scripts, Digest(StatisticsPageStyle()), base::EscapeHtml(title), StatisticsPageStyle());
}

// 12 345
std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, "\u2009");
  return digits;
}

std::string PeriodText(const Period& period) {
  const std::string last = ToText(period.end() - std::chrono::days(1));
  switch (period.kind()) {
    case Period::Kind::kDay:
      return period.ToText();
    case Period::Kind::kWeek:
      return fmt::format("Week {} ({} to {})", period.ToText(), ToText(period.first()), last);
    case Period::Kind::kMonth:
      return fmt::format("{} ({} to {})", period.ToText(), ToText(period.first()), last);
  }
  return {};
}

std::string TableHead(std::string_view first, std::string_view second) {
  return fmt::format(
      "<table>\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\" "
      "class=\"number\">{}</th></tr></thead>\n<tbody>\n",
      first, second);
}

std::string TableRow(std::string_view value, const std::string& number, bool is_part = false) {
  return fmt::format("<tr><td class=\"{}\">{}</td><td class=\"number\">{}</td></tr>\n",
                     is_part ? "part" : "value", base::EscapeHtml(value), number);
}

// A chart, which the script draws, over its table.
std::string Section(std::string_view name, std::string_view heading, std::string_view table, bool wide) {
  return fmt::format(
      "<section{}>\n<h2>{}</h2>\n<div class=\"plot\" data-of=\"{}\" hidden></div>\n"
      "<details open>\n<summary>Table</summary>\n{}</tbody>\n</table>\n</details>\n</section>\n",
      wide ? " class=\"wide\"" : "", heading, name, table);
}

std::string DimensionSection(PublishedDimension dimension, const std::vector<FigureRow>& rows) {
  std::string table = TableHead("", "Sessions");
  for (const FigureRow& row : rows) {
    table += TableRow(row.IsOther() ? "all others" : row.value, Grouped(row.sessions));
    for (const FigureRow& part : row.parts) {
      table += TableRow(part.IsOther() ? "all others" : part.value, Grouped(part.sessions), true);
    }
  }
  const bool is_wide = dimension == PublishedDimension::kHour || dimension == PublishedDimension::kPage;
  return Section(NameOf(dimension), HeadingOf(dimension), table, is_wide);
}

std::string DaysSection(const Publication& publication) {
  std::string table = TableHead("Day", "Sessions");
  for (const auto& line : publication.days) {
    const bool is_told = line.state == Publication::DayState::kTold;
    table += TableRow(ToText(line.day), is_told ? Grouped(line.sessions)
                                        : line.state == Publication::DayState::kTooFew ? "too few to tell"
                                                                                       : "not counted");
  }
  return Section("days", "Days", table, true);
}

std::string EarlierSection(const Publication& publication) {
  std::string table = TableHead(fmt::format("Earlier {}s", ToText(publication.period.kind())), "Sessions");
  for (const auto& line : publication.earlier) {
    const size_t days = line.period.Days().size();
    const std::string note = line.days < days ? fmt::format(" ({} of {} days)", line.days, days) : "";
    table += TableRow(line.period.ToText() + note, Grouped(line.sessions));
  }
  table += TableRow(publication.period.ToText(), Grouped(publication.sessions));
  return Section("earlier", "Compared with before", table, true);
}

std::string Method(const Publication& publication) {
  std::string text = fmt::format(
      "<section class=\"method\">\n<h2>How this was counted, and what it can't tell</h2>\n"
      "<p>Figures are sessions: chains of visits of one browser, which end after a pause. Of each network of "
      "visitors (the first 24 bits of an IPv4 address, 48 of an IPv6 address) at most {0} {1} a day counted; "
      "figures are therefore lower than all sessions there were, and a network with many has no more weight "
      "than one "
      "with few.</p>\n"
      "<p>A figure stands for at least {2} sessions from at least {2} different networks; for some the limit "
      "is up to "
      "half as much higher, so that a figure that is missing tells nothing either. What has fewer is among "
      "“all "
      "others”, together with so many more that these, too, reach the limit. All figures of a day are "
      "rounded to "
      "multiples of {3}. No figure is broken down by another, so that they can't be crossed.</p>\n"
      "<p>Each day is counted once, in UTC. Weeks and months are sums of the published figures of their "
      "days: they "
      "show nothing that the days do not, and a value counts on the days on which it reached the limit. A "
      "session "
      "over midnight counts on both days; a session that did several things counts once for each page, hour "
      "and "
      "status. A browser without cookies begins a session with each connection.</p>\n"
      "<p>Visits of people who objected (by their browser’s signal, or by telling us) are in none of the "
      "figures. "
      "The visits themselves are destroyed after at most 30 days; these figures hold no address, name or "
      "session. "
      "</p>\n",
      publication.sessions_of_a_network, publication.sessions_of_a_network == 1 ? "is" : "are", publication.k,
      publication.round);
  if (publication.sampled > 1) {
    text += fmt::format(
        "<p>There were so many networks that on some day one in {} was drawn by lot and counted for "
        "all.</p>\n",
        publication.sampled);
  }
  return text + "</section>\n";
}

std::string EmptyText(const Publication& publication) {
  bool any_counted = false;
  for (const auto& line : publication.days) any_counted |= line.state == Publication::DayState::kTooFew;
  return any_counted
             ? fmt::format(
                   "<p class=\"total\">Nothing to show</p>\n<p>Nobody came, or too few to tell of: fewer "
                   "than {} to {} sessions or networks a day.</p>\n",
                   publication.k, publication.k + publication.k / 2)
             : "<p class=\"total\">Nothing to show</p>\n<p>These days were not counted.</p>\n";
}

}  // namespace

std::string ToHtml(const Publication& publication, std::string_view title, std::string_view json_name) {
  const bool is_empty = publication.IsEmpty();
  std::string html = Head(fmt::format("{} · {}", title, publication.period.ToText()), !is_empty);
  html += fmt::format("<header>\n<h1>{}</h1>\n<p class=\"quiet\">{}</p>\n", base::EscapeHtml(title),
                      PeriodText(publication.period));
  if (is_empty) {
    html += EmptyText(publication);
  } else {
    html += fmt::format(
        "<p class=\"total\">{} sessions</p>\n<p class=\"quiet\">counted, rounded to {}: see below</p>\n",
        Grouped(publication.sessions), publication.round);
  }
  html += "</header>\n";
  if (!is_empty) {
    html += "<div class=\"cards\">\n";
    if (publication.days.size() > 1) html += DaysSection(publication);
    for (size_t i = 0; i < kPublishedDimensions; ++i) {
      if (!publication.rows[i].empty())
        html += DimensionSection(static_cast<PublishedDimension>(i), publication.rows[i]);
    }
    if (!publication.earlier.empty()) html += EarlierSection(publication);
    html += "</div>\n";
  }
  html += Method(publication);
  html += fmt::format(
      "<p class=\"quiet\"><a href=\"{0}\">The same figures as JSON</a> · <a href=\"index.html\">All "
      "periods</a></p>\n</main>\n",
      base::EscapeHtml(json_name));
  if (!is_empty) {
    html +=
        "<script type=\"application/json\" id=\"figures\">" + InScript(ToJson(publication)) + "</script>\n";
    html.append("<script>").append(ChartLibrary()).append("</script>\n");
    html.append("<script>").append(StatisticsPageScript()).append("</script>\n");
  }
  return html + "</body>\n</html>\n";
}

std::string IndexHtml(const std::vector<Period>& periods, std::string_view title) {
  std::string html = Head(title, false);
  html += fmt::format("<header>\n<h1>{}</h1>\n</header>\n<div class=\"cards\">\n", base::EscapeHtml(title));
  for (const auto kind : {Period::Kind::kMonth, Period::Kind::kWeek, Period::Kind::kDay}) {
    std::string rows;
    for (auto period = periods.rbegin(); period != periods.rend(); ++period) {
      if (period->kind() != kind) continue;
      rows += fmt::format(
          "<tr><td class=\"value\"><a href=\"{0}.html\">{0}</a></td><td class=\"number\"><a "
          "href=\"{0}.json\">JSON</a></td></tr>\n",
          period->ToText());
    }
    if (rows.empty()) continue;
    html += fmt::format("<section>\n<h2>{}</h2>\n<table><tbody>\n{}</tbody></table>\n</section>\n",
                        kind == Period::Kind::kMonth  ? "Months"
                        : kind == Period::Kind::kWeek ? "Weeks"
                                                      : "Days",
                        rows);
  }
  return html + "</div>\n</main>\n</body>\n</html>\n";
}

}  // namespace gatebook::review
