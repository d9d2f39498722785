#include "http/field_section.h"

#include "base/ascii.h"
#include "http/characters.h"
#include "http/field_table.h"

namespace gatebook::http {

LineEnd FindLineEnd(std::string_view data, size_t& scan, Refusal& refusal) {
  scan = FindControl(data, scan);
  if (scan >= data.size()) return LineEnd::kNeedMore;
  if (data[scan] == '\r') {
    if (scan + 1 == data.size()) return LineEnd::kNeedMore;
    if (data[scan + 1] == '\n') return LineEnd::kFound;
    refusal = Refusal::kBareCr;
  } else {
    refusal = data[scan] == '\n' ? Refusal::kBareLf : Refusal::kNul;
  }
  return LineEnd::kRefused;
}

void FieldSection::Begin(size_t at) {
  line_ = scan_ = at;
  lines_.clear();
}

FieldSection::Event FieldSection::Refuse(Refusal refusal) {
  refusal_ = refusal;
  return Event::kRefused;
}

FieldSection::Event FieldSection::Next(std::string_view data) {
  if (line_ >= data.size()) return Event::kNeedMore;
  const char first = data[line_];
  if (first == ' ' || first == '\t') return Refuse(Refusal::kObsFold);
  if (lines_.size() == most_fields_ && first != '\r' && first != '\n') return Refuse(Refusal::kTooManyFields);
  Refusal refusal{};
  switch (FindLineEnd(data, scan_, refusal)) {
    case LineEnd::kNeedMore:
      return Event::kNeedMore;
    case LineEnd::kRefused:
      if (refusal == Refusal::kNul && data.substr(line_, scan_ - line_).find(':') != std::string_view::npos) {
        refusal = Refusal::kBadFieldValue;
      }
      return Refuse(refusal);
    case LineEnd::kFound:
      break;
  }
  const bool empty = scan_ == line_;
  if (!empty && !TakeLine(data)) return Refuse(Refusal::kBadFieldName);
  scan_ += 2;
  line_ = scan_;
  return empty ? Event::kEnd : Event::kField;
}

// The line ends at scan_ and holds no control byte but HTAB: only its name can be wrong.
bool FieldSection::TakeLine(std::string_view data) {
  size_t colon = line_;
  bool underscore = false;
  while (IsTokenChar(data[colon])) {  // ends at the CR at the latest
    underscore = underscore || data[colon] == '_';
    ++colon;
  }
  if (colon == line_ || data[colon] != ':') return false;
  const std::string_view name = data.substr(line_, colon - line_);
  const std::string_view value = base::TrimOws(data.substr(colon + 1, scan_ - colon - 1));
  const FieldKind kind = KindOf(name);
  // Servers behind us may read '_' and '-' as the same (RFC 3875 §4.1.18 makes them so),
  // so that X_Forwarded_For would be a forgery of X-Forwarded-For.
  lines_.push_back({
      .name = SliceOf(data, name),
      .value = SliceOf(data, value),
      .id = kind.id,
      .hop_by_hop = kind.hop_by_hop || underscore,
  });
  return true;
}

std::span<Field> FieldSection::Resolve(std::string_view data) {
  fields_.resize(lines_.size());
  for (size_t i = 0; i < lines_.size(); ++i) {
    const FieldLine& line = lines_[i];
    fields_[i] = {line.name.In(data), line.value.In(data), line.id, line.hop_by_hop};
  }
  return fields_;
}

}  // namespace gatebook::http
