#include "review/render.h"

#include <array>

#include "base/rfc3339.h"
#include "logger/text.h"
#include "review/json_line.h"
#include "review/visit_combined.h"
#include "review/visit_csv.h"
#include "review/visit_ecs.h"
#include "review/visit_fields.h"
#include "review/visit_otel.h"

namespace gatebook::review {
namespace {

using logger::StoredVisit;

constexpr size_t kMostText = 4096;

struct Column {
  const char* heading;
  size_t width;  // characters in a table; 0: as long as it is
};
constexpr std::array kColumns = {
    Column{"TIME", 24},   Column{"SESSION", 22}, Column{"ADDRESS", 15}, Column{"NAME", 24},  Column{"CC", 2},
    Column{"SOURCE", 20}, Column{"STATUS", 6},   Column{"MS", 6},       Column{"METHOD", 6}, Column{"URL", 0},
};

// Characters, each taken as one column wide.
size_t Length(std::string_view text) {
  size_t length = 0;
  for (const char c : text) length += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return length;
}

std::string Fit(std::string text, size_t width) {
  if (width == 0) return text;
  const size_t length = Length(text);
  if (length <= width) return text.append(width - length, ' ');
  size_t bytes = 0;
  for (size_t characters = 0; bytes < text.size(); ++bytes) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80 && ++characters == width) break;
  }
  return text.substr(0, bytes) + "…";
}

std::string Line(const std::array<std::string, kColumns.size()>& cells, Form form) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i != 0) line.append(form == Form::kTable ? "  " : "\t");
    line.append(form == Form::kTable ? Fit(cells[i], kColumns[i].width) : cells[i]);
  }
  while (line.ends_with(' ')) line.pop_back();
  return line + '\n';
}

std::string NameText(const StoredVisit& visit) {
  if (visit.dns.empty()) return visit.dns_check.empty() ? "-" : '(' + Harmless(visit.dns_check) + ')';
  return Harmless(visit.dns) + (visit.dns_check == "confirmed" ? "" : "?");
}

std::string Json(const StoredVisit& visit) {
  std::string line, scratch;
  JsonLine object(line);
  for (const FieldInfo& field : AllFields()) {
    switch (field.kind) {
      case FieldKind::kText:
      case FieldKind::kAddress:
        if (field.field != Field::kPurpose) {
          object.Text(field.name, TextOf(visit, field.field, scratch));
        } else {
          object.Raw(field.name, PurposesAsJson(visit.purpose));
        }
        break;
      case FieldKind::kNumber:
        if (field.field != Field::kAsn || visit.asn != 0)
          object.Number(field.name, NumberOf(visit, field.field));
        break;
      case FieldKind::kTime:
        object.Text(field.name, base::ToRfc3339(visit.arrival));
        break;
      case FieldKind::kFlag:
        object.Flag(field.name, FlagOf(visit, field.field));
        break;
    }
  }
  object.End();
  return line + '\n';
}

}  // namespace

std::string Harmless(std::string_view text) {
  std::array<char, kMostText> buffer;
  return std::string(logger::CleanText(text, kMostText, buffer));
}

std::string SourceText(const StoredVisit& visit) {
  std::string text = visit.channel;
  if (!visit.referrer.empty()) text.append(" ").append(visit.referrer);
  if (visit.channel == "campaign") {
    text.append(" ").append(visit.utm_source).append("/").append(visit.utm_medium).append("/");
    text.append(visit.utm_campaign);
  }
  return Harmless(text);
}

std::optional<Form> ParseForm(std::string_view name) {
  constexpr std::pair<std::string_view, Form> kForms[] = {
      {"table", Form::kTable}, {"plain", Form::kPlain}, {"json", Form::kJson},        {"ecs", Form::kEcs},
      {"otel", Form::kOtel},   {"csv", Form::kCsv},     {"combined", Form::kCombined}};
  for (const auto& [known, form] : kForms) {
    if (known == name) return form;
  }
  return std::nullopt;
}

std::string RenderHeading(Form form) {
  std::string line;
  if (form == Form::kCsv) AppendCsvHeader(line);
  if (form != Form::kTable) return line;
  std::array<std::string, kColumns.size()> cells;
  for (size_t i = 0; i < cells.size(); ++i) cells[i] = kColumns[i].heading;
  return Line(cells, form);
}

std::string RenderVisit(const StoredVisit& visit, Form form) {
  std::string line;
  switch (form) {
    case Form::kJson:
      return Json(visit);
    case Form::kEcs:
      AppendEcs(line, visit);
      return line;
    case Form::kOtel:
      AppendOtel(line, visit);
      return line;
    case Form::kCsv:
      AppendCsv(line, visit);
      return line;
    case Form::kCombined:
      AppendCombined(line, visit);
      return line;
    case Form::kTable:
    case Form::kPlain:
      break;
  }
  std::string url = visit.host + visit.path;
  if (!visit.query.empty()) url.append("?").append(visit.query);
  return Line({base::ToRfc3339(visit.arrival), Harmless(visit.session), Harmless(visit.ip), NameText(visit),
               visit.country.empty() ? std::string("-") : Harmless(visit.country), SourceText(visit),
               visit.open ? std::string("open") : std::to_string(visit.status),
               std::to_string(visit.duration_us / 1000), Harmless(visit.method), Harmless(url)},
              form);
}

}  // namespace gatebook::review
