#include "review/figure_json.h"

namespace gatebook::review {

using Json = nlohmann::ordered_json;

Json RowsToJson(const std::vector<FigureRow>& rows) {
  Json array = Json::array();
  for (const FigureRow& row : rows) {
    Json object;
    if (row.IsOther()) {
      object["other"] = true;
    } else {
      object["value"] = row.value;
    }
    object["sessions"] = row.sessions;
    if (!row.parts.empty()) object["parts"] = RowsToJson(row.parts);
    array.push_back(std::move(object));
  }
  return array;
}

bool RowsFromJson(const Json& json, std::vector<FigureRow>* rows) {
  if (!json.is_array()) return false;
  for (const Json& object : json) {
    if (!object.is_object() || !object.contains("sessions") || !object["sessions"].is_number_unsigned())
      return false;
    FigureRow row;
    row.sessions = object["sessions"].get<uint64_t>();
    if (object.contains("value")) {
      if (!object["value"].is_string()) return false;
      row.value = object["value"].get<std::string>();
    }
    if (row.IsOther() != object.contains("other")) return false;
    if (object.contains("parts") && !RowsFromJson(object["parts"], &row.parts)) return false;
    rows->push_back(std::move(row));
  }
  return true;
}

}  // namespace gatebook::review
