#include "review/json_line.h"

#include <charconv>

#include "base/check.h"
#include "logger/text.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostText = 4096;

}  // namespace

void AppendJsonText(std::string& to, std::string_view text) {
  std::array<char, kMostText> buffer;
  const std::string_view clean = logger::CleanText(text, kMostText, buffer);
  to.push_back('"');
  size_t from = 0;
  for (size_t at = clean.find_first_of("\"\\"); at != std::string_view::npos;
       at = clean.find_first_of("\"\\", at + 1)) {
    to.append(clean, from, at - from);
    to.push_back('\\');
    from = at;
  }
  to.append(clean, from);
  to.push_back('"');
}

void JsonLine::Name(std::string_view name) {
  if (has_one_[depth_]) to_.push_back(',');
  has_one_[depth_] = true;
  to_.push_back('"');
  to_.append(name);
  to_.append("\":");
}

void JsonLine::Text(std::string_view name, std::string_view text) {
  if (text.empty()) return;
  Name(name);
  AppendJsonText(to_, text);
}

void JsonLine::Number(std::string_view name, uint64_t number) {
  Name(name);
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  to_.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

void JsonLine::Flag(std::string_view name, bool flag) { Raw(name, flag ? "true" : "false"); }

void JsonLine::OneText(std::string_view name, std::string_view text) {
  if (text.empty()) return;
  Name(name);
  to_.push_back('[');
  AppendJsonText(to_, text);
  to_.push_back(']');
}

void JsonLine::Raw(std::string_view name, std::string_view json) {
  Name(name);
  to_.append(json);
}

void JsonLine::Begin(std::string_view name) {
  Name(name);
  to_.push_back('{');
  CHECK(++depth_ < has_one_.size());
  has_one_[depth_] = false;
}

void JsonLine::End() {
  to_.push_back('}');
  if (depth_ != 0) --depth_;
}

}  // namespace gatebook::review
