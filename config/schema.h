// JsonSchema: the options as JSON Schema (draft 2020-12), for editors.
//
// Says of form what the schema language can say; what must hold between values
// is for `gatebook check` alone.
//
// Thread: any.
#pragma once

#include <string>

namespace gatebook::config {

std::string JsonSchema();

}  // namespace gatebook::config
