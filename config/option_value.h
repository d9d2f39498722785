// An option's value: from the document into Config, and from Config as TOML.
//
// Thread: any (no state).
#pragma once

#include <string>

#include "config/document.h"
#include "config/option_table.h"
#include "config/problem_list.h"

namespace gatebook::config {

// Checks `value` by the option's row and stores it in its member. What is wrong
// is added to `problems`, each with its own place; the member then keeps its default.
// A kUpstreamName is not resolved here: it is only seen to be a string, and the
// caller looks it up once all upstreams are known.
void StoreValue(const Option& option, const Value& value, size_t index, Config& config,
                ProblemList& problems);

// The value as TOML ("30d" with its quotes); StoreValue's inverse.
std::string PrintValue(const Option& option, const Config& config, size_t index);

// The default as TOML; empty when the option is required.
std::string PrintDefault(const Option& option);

// Text as a TOML basic string with its quotes. Requires: valid UTF-8.
std::string QuoteToml(std::string_view text);

}  // namespace gatebook::config
