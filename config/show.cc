#include "config/show.h"

#include <fmt/format.h>

#include "config/inert.h"
#include "config/option_table.h"
#include "config/option_value.h"

namespace gatebook::config {
namespace {

constexpr size_t kCommentColumn = 44;

std::string ShowElement(const Section& section, const Config& config, size_t index) {
  std::string text = fmt::format("\n{}\n", section.Heading());
  for (const Option& option : Options()) {
    if (option.section != section.id) continue;
    const std::string value = PrintValue(option, config, index);
    const std::string pair = fmt::format("{} = {}", option.key, value);
    const bool is_default = !option.required && value == PrintDefault(option);
    text += fmt::format("{:<{}} # {}{}\n", pair, kCommentColumn, is_default ? "(default) " : "", option.help);
  }
  return text;
}

}  // namespace

std::string Show(const Config& config) {
  std::string text = fmt::format("# {} with its defaults\n", Inert(config.path, 400));
  for (const Section& section : Sections()) {
    const size_t count = section.IsRepeated() ? section.count(config) : 1;
    for (size_t i = 0; i < count; ++i) text += ShowElement(section, config, i);
  }
  return text;
}

}  // namespace gatebook::config
