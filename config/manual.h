// The manual of gatebook.toml, in three forms, made from the table of options.
//
// docs/configuration.md, packaging/man/gatebook.toml.5 and packaging/gatebook.toml
// are what these return; tests/config/manual_test.cc fails when a file differs and
// writes it anew when GATEBOOK_REGENERATE=1.
//
// Thread: any.
#pragma once

#include <string>

namespace gatebook::config {

std::string ManualMarkdown();  // docs/configuration.md
std::string ManualPage();      // gatebook.toml(5), roff with man macros
std::string ExampleFile();     // a config that loads, with every other option as a comment

}  // namespace gatebook::config
