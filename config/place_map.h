// PlaceMap: where in the file each option and each section was written.
//
// Lets checks between values, which know nothing of TOML, point at their place.
//
// Thread: one writer, then const.
#pragma once

#include <map>
#include <string_view>
#include <utility>

#include "config/document.h"
#include "config/option_table.h"

namespace gatebook::config {

class PlaceMap {
 public:
  void SetSection(SectionId section, size_t index, const Place& place) {
    sections_[{section, index}] = place;
  }
  // `option` must be a row of the table.
  void SetOption(const Option& option, size_t index, const Place& place) {
    options_[{&option, index}] = place;
  }

  bool IsWritten(SectionId section, size_t index, std::string_view key) const {
    return options_.contains({FindOption(section, key), index});
  }
  // The option's value; when it was not written, its section; else the file as a whole.
  Place Of(SectionId section, size_t index, std::string_view key) const {
    const auto option = options_.find({FindOption(section, key), index});
    return option != options_.end() ? option->second : Of(section, index);
  }
  Place Of(SectionId section, size_t index) const {
    const auto found = sections_.find({section, index});
    return found != sections_.end() ? found->second : Place{};
  }

 private:
  std::map<std::pair<SectionId, size_t>, Place> sections_;
  std::map<std::pair<const Option*, size_t>, Place> options_;
};

}  // namespace gatebook::config
