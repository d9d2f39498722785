// DeskStory: what is known of one session, or of one address, told from its visits.
//
// Thread: one. Limits: 500 visits in full, the earliest; 100 values of each kind, the first met.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "logger/visit_record.h"

namespace gatebook::review {

class DeskStory {
 public:
  // In the order of arrival, as they are to be shown.
  void Add(const logger::StoredVisit& visit);
  uint64_t visits() const { return count_; }
  nlohmann::ordered_json ToJson() const;
  // How it began: of its first visit. What is empty is left out.
  nlohmann::ordered_json Start() const;

 private:
  struct Value {
    uint64_t visits = 0;
    base::WallTime first{};
    base::WallTime last{};
  };
  using Values = std::map<std::string, Value, std::less<>>;
  static void Meet(Values& values, std::string_view value, base::WallTime at);
  static nlohmann::ordered_json ToJson(const Values& values);

  uint64_t count_ = 0;
  uint64_t denied_ = 0;
  uint64_t bytes_out_ = 0;
  base::WallTime first_{};
  base::WallTime last_{};
  Values sessions_, addresses_, names_, places_, networks_, agents_;
  logger::StoredVisit start_;
  std::vector<std::string> lines_;  // JSON, one a visit
};

}  // namespace gatebook::review
