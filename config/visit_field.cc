#include "config/visit_field.h"

#include "config/config.h"

namespace gatebook::config {
namespace {

constexpr VisitFieldInfo kInfos[] = {
#define GATEBOOK_RECORDED_FIELD_ROW(name, text, members, optional, what, purpose) \
  {text, members, optional, what, purpose},
    GATEBOOK_RECORDED_FIELDS(GATEBOOK_RECORDED_FIELD_ROW)
#undef GATEBOOK_RECORDED_FIELD_ROW
};
static_assert(static_cast<size_t>(VisitField::kCount) <= 32);

}  // namespace

const VisitFieldInfo& InfoOf(VisitField field) { return kInfos[static_cast<size_t>(field)]; }

std::optional<VisitField> FindVisitField(std::string_view name) {
  for (size_t i = 0; i < std::size(kInfos); ++i) {
    if (kInfos[i].name == name) return static_cast<VisitField>(i);
  }
  return std::nullopt;
}

std::vector<std::string> OptionalVisitFields() {
  std::vector<std::string> names;
  for (const VisitFieldInfo& info : kInfos) {
    if (info.optional) names.emplace_back(info.name);
  }
  return names;
}

VisitFieldSet::VisitFieldSet(const std::vector<std::string>& optional) {
  for (size_t i = 0; i < std::size(kInfos); ++i) {
    if (!kInfos[i].optional) bits_ |= 1U << i;
  }
  for (const std::string& name : optional) {
    if (const auto field = FindVisitField(name)) bits_ |= 1U << static_cast<unsigned>(*field);
  }
}

VisitFieldSet RecordedFields(const Visit& visit) {
  VisitFieldSet recorded(visit.fields);
  // A name would tell the address again.
  if (visit.truncate_address == TruncateAddress::kAlways) recorded.Remove(VisitField::kDns);
  return recorded;
}

}  // namespace gatebook::config
