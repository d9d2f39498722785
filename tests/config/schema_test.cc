#include "config/schema.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/option_table.h"

namespace gatebook::config {
namespace {

TEST(Schema, IsJsonAndKnowsEveryOption) {
  const auto schema = nlohmann::json::parse(JsonSchema());
  EXPECT_EQ(schema["additionalProperties"], false);
  for (const Option& option : Options()) {
    const Section& section = SectionOf(option);
    auto object = schema["properties"][section.name];
    if (section.IsRepeated()) object = object["items"];
    EXPECT_EQ(object["additionalProperties"], false) << section.name;
    const auto property = object["properties"][option.key];
    EXPECT_EQ(property["description"], option.help) << option.key;
    EXPECT_EQ(property.contains("default"), !option.required) << option.key;
    EXPECT_TRUE(property.contains("type") || property.contains("enum")) << option.key;
  }
}

}  // namespace
}  // namespace gatebook::config
