#include "review/visit_csv.h"

#include <algorithm>
#include <iterator>

#include "base/rfc3339.h"
#include "review/render.h"
#include "review/visit_fields.h"

namespace gatebook::review {
namespace {

// Also as wide characters, which spreadsheets of East Asia take for the same.
constexpr std::string_view kBeginFormulas[] = {"=", "+", "-", "@", "＝", "＋", "－", "＠"};
constexpr std::string_view kNeedsQuotes = "\",\r\n";

// An apostrophe before whatever a spreadsheet would take for a formula: at the beginning of a cell, and
// behind a semicolon, which is the border of cells where the comma stands in numbers. Of what is harmless a
// tab or carriage return has become text already.
std::string WithoutFormulas(std::string_view text) {
  std::string safe;
  bool at_begin = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto begins = [rest = text.substr(i)](std::string_view one) { return rest.starts_with(one); };
    if (at_begin && std::any_of(std::begin(kBeginFormulas), std::end(kBeginFormulas), begins))
      safe.push_back('\'');
    safe.push_back(text[i]);
    at_begin = text[i] == ';' || (at_begin && (text[i] == ' ' || text[i] == '"'));
  }
  return safe;
}

void AppendText(std::string& to, std::string_view raw) {
  const std::string text = WithoutFormulas(Harmless(raw));
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
