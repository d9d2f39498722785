#include "config/document.h"

// Errors come back as values; nothing is thrown. The depth of nested values is
// bounded well below the library's own limit, since it works recursively.
//
// The library states as an assertion what "[[.a]]" and "[[[a]]]" break, and then
// tells them as the errors they are (marzer/tomlplusplus#301). Its assertions are
// off, so that such a file never aborts a debug build; and NDEBUG is off for it,
// so that no optimizer takes them for promises.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 8
#include <toml++/toml.h>

#include <utility>

#include "config/problem_list.h"
#include "config/toml_subset.h"

namespace gatebook::config {
namespace {

Place PlaceOf(const toml::source_region& region) {
  Place place;
  place.line = region.begin.line;
  place.column = region.begin.column;
  if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
    place.width = region.end.column - region.begin.column;
  }
  return place;
}

const char* KindOf(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
  }
  return "nothing";
}

Value ValueOf(const toml::node& node) {
  Value value;
  value.place = PlaceOf(node.source());
  value.kind = KindOf(node);
  if (const auto* boolean = node.as_boolean()) {
    value.data = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    value.data = integer->get();
  } else if (const auto* string = node.as_string()) {
    value.data = string->get();
  } else if (const auto* array = node.as_array()) {
    Value::List list;
    for (const toml::node& item : *array) list.push_back(ValueOf(item));
    value.data = std::move(list);
  }
  return value;
}

Table TableOf(std::string_view section, bool repeated, const toml::table& source) {
  Table table;
  table.section = section;
  table.repeated = repeated;
  table.place = PlaceOf(source.source());
  for (const auto& [key, node] : source) {
    table.entries.push_back({std::string(key.str()), PlaceOf(key.source()), ValueOf(node)});
  }
  return table;
}

}  // namespace

bool ParseDocument(std::string_view text, Document& document, ProblemList& problems) {
  if (!IsTomlSubset(text, problems)) return false;
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    std::string message(result.error().description());
    constexpr std::string_view kPrefix = "Error while";
    if (message.starts_with(kPrefix)) message.replace(0, kPrefix.size(), "not TOML:");
    problems.Add(PlaceOf(result.error().source()), message);
    return false;
  }
  for (const auto& [key, node] : result.table()) {
    if (const auto* table = node.as_table()) {
      document.tables.push_back(TableOf(key.str(), false, *table));
      continue;
    }
    const auto* array = node.as_array();
    if (array != nullptr && !array->empty() && array->is_homogeneous(toml::node_type::table)) {
      for (const toml::node& item : *array)
        document.tables.push_back(TableOf(key.str(), true, *item.as_table()));
      continue;
    }
    document.strays.push_back({std::string(key.str()), PlaceOf(key.source()), ValueOf(node)});
  }
  return true;
}

}  // namespace gatebook::config
