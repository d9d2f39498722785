// JsonLine: one JSON object, appended field by field to a line.
//
// For what is written at the rate of visits: no tree, no allocation but the line's own. Texts are made
// harmless (logger/text.h) and escaped: what comes out is valid JSON in valid UTF-8, whatever went in.
//
// Thread: one. Borrows: the line, which only grows. Ends: without effect; End() closes what is open.
// Limits: 4,096 octets a text, 8 objects in each other. Names are ours: they are not escaped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatebook::review {

class JsonLine {
 public:
  explicit JsonLine(std::string& to) : to_(to) { to_.push_back('{'); }

  // What is empty is left out.
  void Text(std::string_view name, std::string_view text);
  void Number(std::string_view name, uint64_t number);
  void Flag(std::string_view name, bool flag);
  // An array of one text; left out if that is empty.
  void OneText(std::string_view name, std::string_view text);
  // `json` is valid JSON already.
  void Raw(std::string_view name, std::string_view json);
  void Begin(std::string_view name);
  void End();

 private:
  void Name(std::string_view name);

  std::string& to_;
  std::array<bool, 8> has_one_{};
  size_t depth_ = 0;
};

// The text with its quotes.
void AppendJsonText(std::string& to, std::string_view text);

}  // namespace gatebook::review
