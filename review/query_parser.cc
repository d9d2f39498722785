#include "review/query_parser.h"

#include <fmt/format.h>

#include <charconv>

#include "base/rfc3339.h"
#include "config/units.h"
#include "review/discreet.h"

namespace gatebook::review {
namespace {

constexpr int kMostLevels = 32;
constexpr int64_t kMostPatternMemory = 256 << 10;
// Each may take as much memory, milliseconds to make, and more to match: that of a query must have an end.
constexpr int kMostPatterns = 16;

ConditionPtr Flag(const FieldInfo& field, bool value) {
  auto flag = std::make_unique<FlagIs>();
  flag->field = field.field;
  flag->value = value;
  return flag;
}

ConditionPtr Negate(ConditionPtr part) {
  if (part == nullptr) return nullptr;
  auto negated = std::make_unique<Not>();
  negated->part = std::move(part);
  return negated;
}

Order OrderOf(std::string_view op) {
  if (op == "!=") return Order::kUnequal;
  if (op == "<") return Order::kLess;
  if (op == "<=") return Order::kAtMost;
  if (op == ">") return Order::kMore;
  if (op == ">=") return Order::kAtLeast;
  return Order::kEqual;
}

bool IsEquality(Order order) { return order == Order::kEqual || order == Order::kUnequal; }

std::optional<uint64_t> ReadNumber(const FieldInfo& field, std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  if (field.name.ends_with("_us")) {
    const auto duration = config::ParseDuration(text);
    if (duration) return static_cast<uint64_t>(std::chrono::microseconds(*duration).count());
  } else if (field.name.starts_with("bytes_")) {
    const auto size = config::ParseSize(text);
    if (size) return *size;
  }
  return std::nullopt;
}

}  // namespace

ConditionPtr QueryParser::Parse() {
  ConditionPtr condition = Either(0);
  if (condition != nullptr && token_.kind != Token::Kind::kEnd) {
    condition = Fail(token_, "expected \"and\", \"or\" or the end");
  }
  return condition;
}

bool QueryParser::Accept(std::string_view word) {
  if (!token_.IsWord(word)) return false;
  Step();
  return true;
}

std::nullptr_t QueryParser::Fail(size_t place, std::string what) {
  if (problem_.what.empty()) problem_ = {std::move(what), place};
  return nullptr;
}

std::nullptr_t QueryParser::Fail(const Token& at, std::string what) {
  return Fail(at.place, at.kind == Token::Kind::kBad ? at.text : std::move(what));
}

ConditionPtr QueryParser::Either(int level) {
  auto any = std::make_unique<AnyOf>();
  do {
    ConditionPtr part = Both(level);
    if (part == nullptr) return nullptr;
    any->parts.push_back(std::move(part));
  } while (Accept("or"));
  return any->parts.size() == 1 ? std::move(any->parts.front()) : ConditionPtr(std::move(any));
}

ConditionPtr QueryParser::Both(int level) {
  auto all = std::make_unique<AllOf>();
  do {
    ConditionPtr part = One(level);
    if (part == nullptr) return nullptr;
    all->parts.push_back(std::move(part));
  } while (Accept("and"));
  return all->parts.size() == 1 ? std::move(all->parts.front()) : ConditionPtr(std::move(all));
}

ConditionPtr QueryParser::One(int level) {
  if (level >= kMostLevels) return Fail(token_, "nested too deeply");
  if (Accept("not")) return Negate(One(level + 1));
  if (token_.kind != Token::Kind::kOpen) return Comparison();
  Step();
  ConditionPtr inner = Either(level + 1);
  if (inner == nullptr) return nullptr;
  if (token_.kind != Token::Kind::kClose) return Fail(token_, "expected \")\"");
  Step();
  return inner;
}

ConditionPtr QueryParser::Comparison() {
  const Token name = token_;
  if (name.kind != Token::Kind::kWord) return Fail(name, "expected the name of a field");
  const FieldInfo* field = FindField(name.text);
  if (field == nullptr) {
    const auto near = NearestField(name.text);
    return Fail(name, fmt::format("there is no field \"{}\"{}", name.text,
                                  near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
  }
  Step();
  if (Accept("not")) {
    if (!Accept("in")) return Fail(token_, "expected \"in\"");
    return Negate(AnyOfList(*field));
  }
  if (Accept("in")) return AnyOfList(*field);
  const Token op = token_;
  if (op.kind != Token::Kind::kOperator) {
    if (field->kind == FieldKind::kFlag) return Flag(*field, true);
    return Fail(op, "expected = != < <= > >= ~ !~ or in");
  }
  Step();
  return Compare(*field, op);
}

ConditionPtr QueryParser::AnyOfList(const FieldInfo& field) {
  if (token_.kind != Token::Kind::kOpen) return Fail(token_, "expected \"(\" and a list");
  const Token equals{Token::Kind::kOperator, "=", token_.place};
  auto any = std::make_unique<AnyOf>();
  do {
    Step();
    ConditionPtr one = Compare(field, equals);
    if (one == nullptr) return nullptr;
    any->parts.push_back(std::move(one));
  } while (token_.kind == Token::Kind::kComma);
  if (token_.kind != Token::Kind::kClose) return Fail(token_, "expected \",\" or \")\"");
  Step();
  return any;
}

ConditionPtr QueryParser::Compare(const FieldInfo& field, const Token& op) {
  const Token value = token_;
  if (value.kind != Token::Kind::kWord && value.kind != Token::Kind::kQuoted) {
    return Fail(value, "expected a value");
  }
  Step();
  if (op.text == "~") return Matching(field, op, value);
  if (op.text == "!~") return Negate(Matching(field, op, value));
  const Order order = OrderOf(op.text);
  switch (field.kind) {
    case FieldKind::kText: {
      auto text = std::make_unique<TextIs>();
      text->text = {field.field, reading_.discreet};
      text->order = order;
      text->value = value.text;
      return text;
    }
    case FieldKind::kNumber: {
      const auto number = ReadNumber(field, value.text);
      if (!number) return Fail(value, fmt::format("{} wants a number", field.name));
      auto is = std::make_unique<NumberIs>();
      is->field = field.field;
      is->order = order;
      is->value = *number;
      return is;
    }
    case FieldKind::kTime: {
      const auto time = ReadTime(value.text);
      if (!time) {
        return Fail(value,
                    fmt::format("{} wants a time such as 2026-11-23T21:53:00Z, or -90m (ago)", field.name));
      }
      auto is = std::make_unique<TimeIs>();
      is->order = order;
      is->value = *time;
      return is;
    }
    case FieldKind::kFlag:
      return CompareFlag(field, op, value);
    case FieldKind::kAddress:
      return CompareAddress(field, op, value);
  }
  return nullptr;
}

ConditionPtr QueryParser::CompareFlag(const FieldInfo& field, const Token& op, const Token& value) {
  const Order order = OrderOf(op.text);
  if (!IsEquality(order)) {
    return Fail(op, fmt::format("{} is true or false: = and != compare it", field.name));
  }
  if (value.text != "true" && value.text != "false") {
    return Fail(value, fmt::format("{} is true or false", field.name));
  }
  return Flag(field, (value.text == "true") == (order == Order::kEqual));
}

ConditionPtr QueryParser::CompareAddress(const FieldInfo&, const Token& op, const Token& value) {
  const Order order = OrderOf(op.text);
  if (!IsEquality(order)) return Fail(op, "addresses have no order: = != in and ~ compare them");
  const auto network = base::Cidr::Parse(value.text);
  if (!network) return Fail(value, "expected an address or a network such as 10.0.0.0/8");
  if (reading_.discreet && !IsCoarse(*network)) {
    return Fail(value, fmt::format("finer than what is shown without a reason: use {}, or {}",
                                   ShortAddress(network->address().ToText()), reading_.instead));
  }
  auto in = std::make_unique<AddressIn>();
  in->network = *network;
  return order == Order::kEqual ? ConditionPtr(std::move(in)) : Negate(std::move(in));
}

ConditionPtr QueryParser::Matching(const FieldInfo& field, const Token& op, const Token& value) {
  if (field.kind != FieldKind::kText && field.kind != FieldKind::kAddress) {
    return Fail(op, fmt::format("{} is not a text: ~ can't match it", field.name));
  }
  if (field.kind == FieldKind::kAddress && reading_.discreet) {
    return Fail(op,
                fmt::format("a pattern may ask for more than is shown without a reason: use = or in with a "
                            "network as 203.0.113.0/24, or {}",
                            reading_.instead));
  }
  if (++patterns_ > kMostPatterns) return Fail(op, fmt::format("more than {} patterns", kMostPatterns));
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostPatternMemory);
  auto pattern = std::make_unique<Pattern>();
  pattern->text = {field.field, reading_.discreet};
  pattern->expression = std::make_unique<RE2>(value.text, options);
  if (!pattern->expression->ok()) {
    // RE2 says what part is wrong: it is found again in what was typed, unless a backslash stands between.
    const std::string& part = pattern->expression->error_arg();
    const size_t place = part.empty() || part == value.text ? value.place : text_.find(part, value.place);
    return Fail(place == std::string_view::npos ? value.place : place,
                "not a regular expression: " + pattern->expression->error());
  }
  return pattern;
}

std::optional<base::WallTime> QueryParser::ReadTime(std::string_view text) const {
  if (text == "now") return reading_.now;
  if (!text.starts_with('-')) return base::ParseRfc3339(text);
  const auto ago = config::ParseDuration(text.substr(1));
  if (!ago) return std::nullopt;
  return reading_.now - *ago;
}

}  // namespace gatebook::review
