#include "config/schema.h"

#include <fmt/format.h>

#include "config/option_table.h"
#include "config/option_value.h"

namespace gatebook::config {
namespace {

// A TOML basic string as QuoteToml() writes it is a JSON string as well, and the
// lists, numbers and booleans of PrintDefault() are JSON too.
std::string Quote(std::string_view text) { return QuoteToml(text); }

std::string StringType(const Option& option) {
  const bool may_be_empty = !option.required && PrintDefault(option) == "\"\"";
  switch (option.type) {
    case OptionType::kDuration:
      return R"("type": "string", "pattern": "^[0-9]+(ms|s|m|min|h|d)$")";
    case OptionType::kSize:
      return R"("type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$")";
    case OptionType::kPath:
    case OptionType::kFile:
    case OptionType::kFiles:
      return may_be_empty ? R"("type": "string", "pattern": "^(/.*)?$")"
                          : R"("type": "string", "pattern": "^/")";
    default:
      return R"("type": "string")";
  }
}

std::string TypeOf(const Option& option) {
  switch (option.type) {
    case OptionType::kBool:
      return R"("type": "boolean")";
    case OptionType::kInteger:
      return fmt::format(R"("type": "integer", "minimum": {}, "maximum": {})", option.least, option.most);
    case OptionType::kIntegers:
      return fmt::format(
          R"("type": "array", "maxItems": 64, "items": {{"type": "integer", "minimum": {}, "maximum": {}}})",
          option.least, option.most);
    case OptionType::kWord: {
      std::string words;
      for (std::string_view word : option.words) words += (words.empty() ? "" : ", ") + Quote(word);
      return fmt::format(R"("enum": [{}])", words);
    }
    case OptionType::kStrings:
    case OptionType::kFiles:
    case OptionType::kEndpoints:
    case OptionType::kNetworks:
    case OptionType::kHeaderRules:
      return fmt::format(
          R"("type": "array", "uniqueItems": true, "minItems": {}, "maxItems": {}, "items": {{{}}})",
          option.least, option.most, StringType(option));
    default:
      return StringType(option);
  }
}

std::string PropertyOf(const Option& option) {
  std::string text = fmt::format("{}: {{{}, ", Quote(option.key), TypeOf(option));
  if (!option.required) text += fmt::format("\"default\": {}, ", PrintDefault(option));
  return text + fmt::format("\"description\": {}}}", Quote(option.help));
}

std::string ObjectOf(const Section& section, std::string_view indent) {
  std::string properties;
  std::string required;
  for (const Option& option : Options()) {
    if (option.section != section.id) continue;
    properties += fmt::format("{}\n{}    {}", properties.empty() ? "" : ",", indent, PropertyOf(option));
    if (option.required) required += (required.empty() ? "" : ", ") + Quote(option.key);
  }
  std::string text = "{\n";
  text += fmt::format("{}  \"type\": \"object\",\n{}  \"additionalProperties\": false,\n", indent, indent);
  if (!required.empty()) text += fmt::format("{}  \"required\": [{}],\n", indent, required);
  text += fmt::format("{}  \"properties\": {{{}\n{}  }}\n{}}}", indent, properties, indent, indent);
  return text;
}

std::string SectionProperty(const Section& section) {
  if (!section.IsRepeated()) {
    return fmt::format("    {}: {}", Quote(section.name), ObjectOf(section, "    "));
  }
  return fmt::format(
      "    {}: {{\n      \"type\": \"array\",\n      \"description\": {},\n      \"items\": {}\n    }}",
      Quote(section.name), Quote(section.help), ObjectOf(section, "      "));
}

}  // namespace

std::string JsonSchema() {
  std::string sections;
  for (const Section& section : Sections()) {
    sections += fmt::format("{}\n{}", sections.empty() ? "" : ",", SectionProperty(section));
  }
  return fmt::format(
      "{{\n"
      "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
      "  \"title\": \"gatebook.toml\",\n"
      "  \"type\": \"object\",\n"
      "  \"additionalProperties\": false,\n"
      "  \"required\": [\"listen\", \"upstream\"],\n"
      "  \"properties\": {{{}\n"
      "  }}\n"
      "}}\n",
      sections);
}

}  // namespace gatebook::config
