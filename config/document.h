// Document: a TOML text as sections, keys and values with their places; no meaning yet.
//
// The only home of the TOML parser is document.cc. What the rest of this folder
// reads is this small form: every section a Table, every [[section]] one Table
// an element.
//
// Thread: values; any. Limits: values nest 8 deep; what config/toml_subset.h says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gatebook::config {

class ProblemList;

// From 1, columns in code points; line 0: the text as a whole.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t width = 1;  // characters
};

struct Value {
  // Anything that no option takes: a table, a number with a fraction, a date.
  struct Other {};
  using List = std::vector<Value>;

  Place place;
  std::variant<Other, bool, int64_t, std::string, List> data;
  const char* kind = "";  // "a string", for messages

  bool IsEmptyList() const {
    const auto* list = std::get_if<List>(&data);
    return list != nullptr && list->empty();
  }
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

struct Table {
  std::string section;
  bool repeated = false;  // [[section]]
  Place place;            // of the heading
  std::vector<Entry> entries;
};

struct Document {
  std::vector<Table> tables;
  std::vector<Entry> strays;  // keys outside of every section
};

// False when the text is not TOML or beyond our part of it; the reason is then in `problems`.
bool ParseDocument(std::string_view text, Document& document, ProblemList& problems);

}  // namespace gatebook::config
