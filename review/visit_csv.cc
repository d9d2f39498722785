#include "review/visit_csv.h"

#include "base/rfc3339.h"
#include "review/render.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

constexpr std::string_view kBeginsFormula = "=+-@";
constexpr std::string_view kNeedsQuotes = "\",\r\n";

void AppendText(std::string& to, std::string_view raw) {
  std::string text = Harmless(raw);
  // Of what is harmless a tab or carriage return has become text already.
  if (!text.empty() && kBeginsFormula.find(text.front()) != std::string_view::npos) text.insert(0, 1, '\'');
  if (text.find_first_of(kNeedsQuotes) == std::string::npos) {
    to += text;
    return;
  }
  to.push_back('"');
  for (const char c : text) {
    if (c == '"') to.push_back('"');
    to.push_back(c);
  }
  to.push_back('"');
}

}  // namespace

void AppendCsvHeader(std::string& to) {
  for (const FieldInfo& field : AllFields()) {
    if (&field != AllFields().data()) to.push_back(',');
    to += field.name;
  }
  to += "\r\n";
}

void AppendCsv(std::string& to, const logger::StoredVisit& visit) {
  std::string scratch;
  for (const FieldInfo& field : AllFields()) {
    if (&field != AllFields().data()) to.push_back(',');
    switch (field.kind) {
      case FieldKind::kText:
      case FieldKind::kAddress:
        AppendText(to, TextOf(visit, field.field, scratch));
        break;
      case FieldKind::kNumber:
        to += std::to_string(NumberOf(visit, field.field));
        break;
      case FieldKind::kTime:
        to += base::ToRfc3339(visit.arrival);
        break;
      case FieldKind::kFlag:
        to += FlagOf(visit, field.field) ? "true" : "false";
        break;
    }
  }
  to += "\r\n";
}

}  // namespace gatebook::review
