#include "http/header_rules.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/check.h"
#include "http/characters.h"
#include "http/field_table.h"

namespace gatebook::http {
namespace {

// The last line of defence: whatever came through here could split or reframe a message.
void CheckName(std::string_view name) {
  CHECK(IsToken(name));
  const FieldKind kind = KindOf(name);
  CHECK(!kind.hop_by_hop && kind.id != FieldId::kHost);
}

}  // namespace

void HeaderRules::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void HeaderRules::Add(std::string_view name, std::string_view value) {
  CheckName(name);
  CHECK(IsFieldValue(value));
  puts_.push_back({std::string(name), base::ToAsciiLower(name), std::string(value)});
  Write();
}

void HeaderRules::Remove(std::string_view name) {
  CheckName(name);
  const std::string lower = base::ToAsciiLower(name);
  std::erase_if(puts_, [&](const Put& put) { return put.lower_name == lower; });
  Write();
  if (IsAmongDrops(name)) return;
  drops_.push_back(lower);
  lengths_ |= LengthBit(name);
}

bool HeaderRules::IsAmongDrops(std::string_view name) const {
  return std::ranges::any_of(drops_,
                             [&](const std::string& drop) { return base::EqualsIgnoreCase(drop, name); });
}

void HeaderRules::Write() {
  lines_.clear();
  for (const Put& put : puts_) lines_.append(put.name).append(": ").append(put.value).append("\r\n");
}

}  // namespace gatebook::http
