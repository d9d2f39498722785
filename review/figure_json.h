// Rows of figures as JSON: {"value": "search", "sessions": 120, "parts": [{"other": true, "sessions": 120}]}.
//
// Thread: pure functions.
#pragma once

#include <nlohmann/json.hpp>

#include <vector>

#include "review/disclosure_control.h"

namespace gatebook::review {

nlohmann::ordered_json RowsToJson(const std::vector<FigureRow>& rows);
// False if it is not what RowsToJson() makes.
bool RowsFromJson(const nlohmann::ordered_json& json, std::vector<FigureRow>* rows);

}  // namespace gatebook::review
