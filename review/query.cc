#include "review/query.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/rfc3339.h"
#include "config/units.h"
#include "review/query_lexer.h"
#include "review/visit_fields.h"

namespace gatebook::review {

using logger::StoredVisit;

// A node of the parsed query.
class Query::Condition {
 public:
  virtual ~Condition() = default;
  virtual bool Holds(const StoredVisit& visit) const = 0;
};

namespace {

constexpr size_t kMostText = 4096;
constexpr int kMostLevels = 32;
constexpr int64_t kMostPatternMemory = 1 << 20;

using ConditionPtr = std::unique_ptr<Query::Condition>;

struct AllOf final : Query::Condition {
  std::vector<ConditionPtr> parts;
  bool Holds(const StoredVisit& visit) const override {
    return std::all_of(parts.begin(), parts.end(),
                       [&](const ConditionPtr& part) { return part->Holds(visit); });
  }
};

struct AnyOf final : Query::Condition {
  std::vector<ConditionPtr> parts;
  bool Holds(const StoredVisit& visit) const override {
    return std::any_of(parts.begin(), parts.end(),
                       [&](const ConditionPtr& part) { return part->Holds(visit); });
  }
};

struct Not final : Query::Condition {
  ConditionPtr part;
  bool Holds(const StoredVisit& visit) const override { return !part->Holds(visit); }
};

enum class Order { kEqual, kUnequal, kLess, kAtMost, kMore, kAtLeast };

template <typename Value>
bool InOrder(const Value& a, Order order, const Value& b) {
  switch (order) {
    case Order::kEqual:
      return a == b;
    case Order::kUnequal:
      return a != b;
    case Order::kLess:
      return a < b;
    case Order::kAtMost:
      return a <= b;
    case Order::kMore:
      return a > b;
    case Order::kAtLeast:
      return a >= b;
  }
  return false;
}

struct TextIs final : Query::Condition {
  Field field{};
  Order order{};
  std::string value;
  bool Holds(const StoredVisit& visit) const override {
    std::string scratch;
    return InOrder(TextOf(visit, field, scratch), order, std::string_view(value));
  }
};

struct NumberIs final : Query::Condition {
  Field field{};
  Order order{};
  uint64_t value = 0;
  bool Holds(const StoredVisit& visit) const override {
    return InOrder(NumberOf(visit, field), order, value);
  }
};

struct TimeIs final : Query::Condition {
  Order order{};
  base::WallTime value;
  bool Holds(const StoredVisit& visit) const override { return InOrder(visit.arrival, order, value); }
};

struct FlagIs final : Query::Condition {
  Field field{};
  bool value = true;
  bool Holds(const StoredVisit& visit) const override { return FlagOf(visit, field) == value; }
};

struct AddressIn final : Query::Condition {
  base::Cidr network;
  bool Holds(const StoredVisit& visit) const override {
    const auto address = base::IpAddress::Parse(visit.ip);
    return address && network.Contains(*address);
  }
};

struct Pattern final : Query::Condition {
  Field field{};
  std::unique_ptr<RE2> expression;
  bool Holds(const StoredVisit& visit) const override {
    std::string scratch;
    const std::string_view text = TextOf(visit, field, scratch);
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression);
  }
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) { Step(); }

  base::Result<ConditionPtr> Parse() {
    ConditionPtr condition = Either(0);
    if (condition != nullptr && token_.kind != Token::Kind::kEnd) {
      condition = Fail(token_, "expected \"and\", \"or\" or the end");
    }
    if (condition == nullptr) return error_;
    return condition;
  }

 private:
  void Step() { token_ = lexer_.Next(); }

  std::nullptr_t Fail(const Token& at, std::string what) {
    if (!error_.message.empty()) return nullptr;
    if (at.kind == Token::Kind::kBad) what = at.text;
    // The text is shown as it was typed, but in one line and without effect on a terminal.
    std::string shown(text_);
    for (char& c : shown) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    // The caret stands under a character, not a byte.
    const auto columns = std::count_if(shown.begin(), shown.begin() + static_cast<ptrdiff_t>(at.place),
                                       [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    error_ = {fmt::format("--where: {}\n  {}\n  {:>{}}", what, shown, '^', columns + 1),
              base::ExitCode::kUsage};
    return nullptr;
  }

  ConditionPtr Either(int level) {
    auto any = std::make_unique<AnyOf>();
    do {
      ConditionPtr part = Both(level);
      if (part == nullptr) return nullptr;
      any->parts.push_back(std::move(part));
    } while (Accept("or"));
    return any->parts.size() == 1 ? std::move(any->parts.front()) : ConditionPtr(std::move(any));
  }

  ConditionPtr Both(int level) {
    auto all = std::make_unique<AllOf>();
    do {
      ConditionPtr part = One(level);
      if (part == nullptr) return nullptr;
      all->parts.push_back(std::move(part));
    } while (Accept("and"));
    return all->parts.size() == 1 ? std::move(all->parts.front()) : ConditionPtr(std::move(all));
  }

  ConditionPtr One(int level) {
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

  ConditionPtr Comparison() {
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

  ConditionPtr AnyOfList(const FieldInfo& field) {
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

  // Stands at the value.
  ConditionPtr Compare(const FieldInfo& field, const Token& op) {
    const Token value = token_;
    if (value.kind != Token::Kind::kWord && value.kind != Token::Kind::kQuoted) {
      return Fail(value, "expected a value");
    }
    Step();
    if (op.text == "~") return Matching(field, op, value);
    if (op.text == "!~") return Negate(Matching(field, op, value));
    const Order order = OrderOf(op.text);
    const bool equality = order == Order::kEqual || order == Order::kUnequal;
    switch (field.kind) {
      case FieldKind::kText: {
        auto text = std::make_unique<TextIs>();
        text->field = field.field;
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
        const auto time = base::ParseRfc3339(value.text);
        if (!time)
          return Fail(value, fmt::format("{} wants a time such as 2026-11-23T21:53:00Z", field.name));
        auto is = std::make_unique<TimeIs>();
        is->order = order;
        is->value = *time;
        return is;
      }
      case FieldKind::kFlag: {
        if (!equality) return Fail(op, fmt::format("{} is true or false: = and != compare it", field.name));
        if (value.text != "true" && value.text != "false") {
          return Fail(value, fmt::format("{} is true or false", field.name));
        }
        return Flag(field, (value.text == "true") == (order == Order::kEqual));
      }
      case FieldKind::kAddress: {
        if (!equality) return Fail(op, "addresses have no order: = != in and ~ compare them");
        const auto network = base::Cidr::Parse(value.text);
        if (!network) return Fail(value, "expected an address or a network such as 10.0.0.0/8");
        auto in = std::make_unique<AddressIn>();
        in->network = *network;
        return order == Order::kEqual ? ConditionPtr(std::move(in)) : Negate(std::move(in));
      }
    }
    return nullptr;
  }

  ConditionPtr Matching(const FieldInfo& field, const Token& op, const Token& value) {
    if (field.kind != FieldKind::kText && field.kind != FieldKind::kAddress) {
      return Fail(op, fmt::format("{} is not a text: ~ can't match it", field.name));
    }
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMostPatternMemory);
    auto pattern = std::make_unique<Pattern>();
    pattern->field = field.field;
    pattern->expression = std::make_unique<RE2>(value.text, options);
    if (!pattern->expression->ok()) {
      return Fail(value, "not a regular expression: " + pattern->expression->error());
    }
    return pattern;
  }

  static ConditionPtr Flag(const FieldInfo& field, bool value) {
    auto flag = std::make_unique<FlagIs>();
    flag->field = field.field;
    flag->value = value;
    return flag;
  }

  static ConditionPtr Negate(ConditionPtr part) {
    if (part == nullptr) return nullptr;
    auto negated = std::make_unique<Not>();
    negated->part = std::move(part);
    return negated;
  }

  static Order OrderOf(std::string_view op) {
    if (op == "!=") return Order::kUnequal;
    if (op == "<") return Order::kLess;
    if (op == "<=") return Order::kAtMost;
    if (op == ">") return Order::kMore;
    if (op == ">=") return Order::kAtLeast;
    return Order::kEqual;
  }

  static std::optional<uint64_t> ReadNumber(const FieldInfo& field, std::string_view text) {
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

  bool Accept(std::string_view word) {
    if (!token_.IsWord(word)) return false;
    Step();
    return true;
  }

  std::string_view text_;
  QueryLexer lexer_;
  Token token_;
  base::Error error_;
};

}  // namespace

Query::Query() = default;
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;
Query::~Query() = default;

base::Result<Query> Query::Parse(std::string_view text) {
  Query query;
  if (text.size() > kMostText) {
    return base::Error{fmt::format("--where: longer than {} bytes", kMostText), base::ExitCode::kUsage};
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return query;
  auto condition = Parser(text).Parse();
  if (!condition) return condition.error();
  query.condition_ = std::move(*condition);
  return query;
}

bool Query::Matches(const StoredVisit& visit) const {
  return condition_ == nullptr || condition_->Holds(visit);
}

}  // namespace gatebook::review
