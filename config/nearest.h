// The known name that an unknown one was most likely meant to be.
//
// Thread: any. Limits: names longer than 64 bytes are near nothing.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace gatebook::config {

// By edit distance (insert, delete, replace, swap neighbours): the first of the
// nearest, if no more than a third of the name, and at least one edit, is different.
std::optional<std::string_view> Nearest(std::string_view name, std::span<const std::string_view> known);

}  // namespace gatebook::config
