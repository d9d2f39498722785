#include "config/option_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"
#include "config/nearest.h"
#include "config/redis_url.h"
#include "config/units.h"

namespace gatebook::config {
namespace {

constexpr uint64_t kMostIntegers = 64;

// Stores one value; the members of the list types call it for each item.
class ValueStore {
 public:
  ValueStore(const Option& option, size_t index, Config& config, ProblemList& problems)
      : option_(option), index_(index), config_(config), problems_(problems) {}

  void Store(const Value& value) {
    switch (option_.type) {
      case OptionType::kBool:
        return StoreBool(value);
      case OptionType::kInteger:
        return StoreInteger(value);
      case OptionType::kIntegers:
        return StoreIntegers(value);
      case OptionType::kDuration:
        return StoreDuration(value);
      case OptionType::kSize:
        return StoreSize(value);
      case OptionType::kWord:
        return StoreWord(value);
      case OptionType::kString:
      case OptionType::kPath:
      case OptionType::kFile:
        return StoreText(value);
      case OptionType::kStrings:
      case OptionType::kFiles:
        return StoreTexts(value);
      case OptionType::kEndpoint:
        return StoreEndpoint(value);
      case OptionType::kEndpoints:
        return StoreEndpoints(value);
      case OptionType::kRedisUrl:
        return StoreRedisUrl(value);
      case OptionType::kNetworks:
        return StoreNetworks(value);
      case OptionType::kHeaderRules:
        return StoreHeaderRules(value);
      case OptionType::kUpstreamName:
        static_cast<void>(TakeString(value, "a string"));
        return;
    }
  }

 private:
  template <typename T>
  T& Member() {
    return std::get<Access<T>>(option_.field).change(config_, index_);
  }

  void Complain(const Value& value, std::string_view message, std::string_view hint = {}) {
    problems_.Add(value.place, fmt::format("{}: {}", option_.key, message), hint);
  }

  void ComplainOfKind(const Value& value, std::string_view wanted) {
    const auto* integer = std::get_if<int64_t>(&value.data);
    const bool lacks_unit = option_.type == OptionType::kDuration || option_.type == OptionType::kSize;
    if (integer != nullptr && lacks_unit) {
      return Complain(value, fmt::format("the value has no unit: write {} with a unit", wanted),
                      UnitHint(std::to_string(*integer)));
    }
    Complain(value, fmt::format("must be {}, not {}", wanted, value.kind));
  }

  // For a number without a unit: the same with the unit of the default. Else empty.
  std::string UnitHint(std::string_view text) {
    if (text.empty() || !std::all_of(text.begin(), text.end(), base::IsAsciiDigit)) return "";
    std::string unit;
    for (char c : PrintDefault(option_)) {
      if (base::IsAsciiAlpha(c)) unit += c;
    }
    return fmt::format("did you mean \"{}{}\"?", text, unit);
  }

  // A string without control characters, or nullptr and a complaint.
  const std::string* TakeString(const Value& value, std::string_view wanted) {
    const auto* text = std::get_if<std::string>(&value.data);
    if (text == nullptr) {
      ComplainOfKind(value, wanted);
      return nullptr;
    }
    const bool plain = std::none_of(text->begin(), text->end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (plain) return text;
    Complain(value, "control characters are not allowed");
    return nullptr;
  }

  const Value::List* TakeList(const Value& value, std::string_view wanted, uint64_t least, uint64_t most) {
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) {
      ComplainOfKind(value, wanted);
      return nullptr;
    }
    if (list->size() < least) {
      Complain(value, "the list is empty");
      return nullptr;
    }
    if (most != 0 && list->size() > most) {
      Complain(value, fmt::format("the list has more than {} items", most));
      return nullptr;
    }
    return list;
  }

  // Whether `number` is within the row's bounds; `print` says a bound in its unit.
  template <typename Print>
  bool IsWithin(const Value& value, uint64_t number, Print print) {
    if (number >= option_.least && number <= option_.most) return true;
    Complain(value, fmt::format("must be from {} to {}", print(option_.least), print(option_.most)));
    return false;
  }

  void StoreBool(const Value& value) {
    if (const auto* boolean = std::get_if<bool>(&value.data)) {
      Member<bool>() = *boolean;
    } else {
      ComplainOfKind(value, "true or false");
    }
  }

  std::optional<uint32_t> CheckInteger(const Value& value) {
    const auto* number = std::get_if<int64_t>(&value.data);
    if (number == nullptr) {
      ComplainOfKind(value, "a whole number");
      return std::nullopt;
    }
    // A negative number is beyond every bound, and stays so as an unsigned one.
    if (!IsWithin(value, static_cast<uint64_t>(*number), [](uint64_t bound) { return bound; }))
      return std::nullopt;
    return static_cast<uint32_t>(*number);
  }

  void StoreInteger(const Value& value) {
    if (const auto number = CheckInteger(value)) Member<uint32_t>() = *number;
  }

  void StoreIntegers(const Value& value) {
    const auto* list = TakeList(value, "a list of whole numbers", 0, kMostIntegers);
    if (list == nullptr) return;
    std::vector<uint32_t> numbers;
    for (const Value& item : *list) {
      if (const auto number = CheckInteger(item)) numbers.push_back(*number);
    }
    Member<std::vector<uint32_t>>() = std::move(numbers);
  }

  void StoreDuration(const Value& value) {
    const std::string* text = TakeString(value, "a duration in quotes");
    if (text == nullptr) return;
    const auto duration = ParseDuration(*text);
    if (!duration.ok()) return Complain(value, duration.error().message, UnitHint(*text));
    const auto print = [](uint64_t bound) {
      return FormatDuration(milliseconds(static_cast<int64_t>(bound)));
    };
    if (!IsWithin(value, static_cast<uint64_t>(duration->count()), print)) return;
    if (std::holds_alternative<Access<milliseconds>>(option_.field)) {
      Member<milliseconds>() = *duration;
    } else if (*duration % 1s == 0ms) {
      Member<std::chrono::seconds>() = std::chrono::duration_cast<std::chrono::seconds>(*duration);
    } else {
      Complain(value, "must be whole seconds");
    }
  }

  void StoreSize(const Value& value) {
    const std::string* text = TakeString(value, "a size in quotes");
    if (text == nullptr) return;
    const auto size = ParseSize(*text);
    if (!size.ok()) return Complain(value, size.error().message, UnitHint(*text));
    if (IsWithin(value, *size, FormatSize)) Member<uint64_t>() = *size;
  }

  void StoreWord(const Value& value) {
    std::string choices;
    for (size_t i = 0; i < option_.words.size(); ++i) {
      if (i > 0) choices += i + 1 == option_.words.size() ? " or " : ", ";
      choices += fmt::format("\"{}\"", option_.words[i]);
    }
    const std::string* text = TakeString(value, choices);
    if (text == nullptr) return;
    const auto word = std::find(option_.words.begin(), option_.words.end(), *text);
    if (word == option_.words.end()) {
      const auto nearest = Nearest(*text, option_.words);
      return Complain(value, fmt::format("must be {}", choices),
                      nearest ? fmt::format("did you mean \"{}\"?", *nearest) : "");
    }
    if (const auto* access = std::get_if<WordAccess>(&option_.field)) {
      access->set(config_, index_, static_cast<uint32_t>(word - option_.words.begin()));
    } else {
      Member<std::string>() = *word;
    }
  }

  // The text in the option's own form, or nothing and a complaint.
  std::optional<std::string> CheckText(const Value& value) {
    const std::string* text = TakeString(value, "a string");
    if (text == nullptr) return std::nullopt;
    const bool is_path = option_.type == OptionType::kPath || option_.type == OptionType::kFile ||
                         option_.type == OptionType::kFiles;
    const char* complaint = nullptr;
    if (is_path && (text->empty() || text->front() != '/')) {
      complaint = "a path is absolute: it begins with '/'";
    } else if (is_path && text->size() > 1024) {
      complaint = "a path is at most 1024 bytes long";
    } else if (option_.check != nullptr) {
      complaint = option_.check(*text);
    }
    if (complaint != nullptr) {
      Complain(value, complaint);
      return std::nullopt;
    }
    return option_.lower_case ? base::ToAsciiLower(*text) : *text;
  }

  void StoreText(const Value& value) {
    auto& member = Member<std::string>();
    // Empty says "none" wherever that is the default.
    const auto* text = std::get_if<std::string>(&value.data);
    if (text != nullptr && text->empty() && PrintDefault(option_) == "\"\"") {
      member.clear();
    } else if (auto checked = CheckText(value)) {
      member = std::move(*checked);
    }
  }

  // Each item in its own form and none twice; what is wrong with the others is told.
  std::optional<std::vector<std::string>> CheckTexts(const Value& value) {
    const auto* list = TakeList(value, "a list of strings", option_.least, option_.most);
    if (list == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    for (const Value& item : *list) {
      auto checked = CheckText(item);
      if (!checked) continue;
      if (std::find(texts.begin(), texts.end(), *checked) != texts.end()) {
        Complain(item, "stands twice in the list");
        continue;
      }
      texts.push_back(std::move(*checked));
    }
    return texts;
  }

  void StoreTexts(const Value& value) {
    if (auto texts = CheckTexts(value)) Member<std::vector<std::string>>() = std::move(*texts);
  }

  void StoreHeaderRules(const Value& value) {
    const auto texts = CheckTexts(value);
    if (!texts) return;
    std::vector<HeaderRule> rules;
    for (const std::string& text : *texts) rules.push_back(ParseHeaderRule(text));
    Member<std::vector<HeaderRule>>() = std::move(rules);
  }

  void StoreNetworks(const Value& value) {
    const auto* list = TakeList(value, "a list of strings", option_.least, option_.most);
    if (list == nullptr) return;
    base::IpNetworkSet networks;
    for (const Value& item : *list) {
      const auto checked = CheckText(item);
      if (checked && !networks.Add(*checked)) Complain(item, "stands twice in the list");
    }
    Member<base::IpNetworkSet>() = std::move(networks);
  }

  std::optional<Endpoint> CheckEndpoint(const Value& value) {
    const std::string* text = TakeString(value, "a string");
    if (text == nullptr) return std::nullopt;
    auto endpoint = ParseEndpoint(*text, option_.forms);
    if (endpoint.ok()) return std::move(endpoint).value();
    Complain(value, endpoint.error().message);
    return std::nullopt;
  }

  void StoreEndpoint(const Value& value) {
    if (auto endpoint = CheckEndpoint(value)) Member<Endpoint>() = std::move(*endpoint);
  }

  void StoreEndpoints(const Value& value) {
    const auto* list = TakeList(value, "a list of strings", option_.least, option_.most);
    if (list == nullptr) return;
    std::vector<Endpoint> endpoints;
    for (const Value& item : *list) {
      auto endpoint = CheckEndpoint(item);
      if (!endpoint) continue;
      if (std::find(endpoints.begin(), endpoints.end(), *endpoint) != endpoints.end()) {
        Complain(item, "stands twice in the list");
        continue;
      }
      endpoints.push_back(std::move(*endpoint));
    }
    Member<std::vector<Endpoint>>() = std::move(endpoints);
  }

  void StoreRedisUrl(const Value& value) {
    const std::string* text = TakeString(value, "a string");
    if (text == nullptr) return;
    auto url = ParseRedisUrl(*text);
    if (!url.ok()) return Complain(value, url.error().message);
    auto& redis = Member<Redis>();
    redis.server = std::move(url->server);
    redis.tls = url->tls;
    redis.database = url->database;
    redis.user = std::move(url->user);
  }

  const Option& option_;
  const size_t index_;
  Config& config_;
  ProblemList& problems_;
};

template <typename Items, typename TextOf>
std::string PrintList(const Items& items, TextOf text_of) {
  std::string text = "[";
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += ", ";
    text += QuoteToml(text_of(items[i]));
  }
  return text + "]";
}

}  // namespace

void StoreValue(const Option& option, const Value& value, size_t index, Config& config,
                ProblemList& problems) {
  ValueStore(option, index, config, problems).Store(value);
}

std::string PrintValue(const Option& option, const Config& config, size_t index) {
  const auto print = [&](const auto& access) -> std::string {
    using AccessType = std::remove_cvref_t<decltype(access)>;
    if constexpr (std::is_same_v<AccessType, WordAccess>) {
      const uint32_t word = access.get(config, index);
      CHECK(word < option.words.size());
      return QuoteToml(option.words[word]);
    } else {
      const auto& member = access.look(config, index);
      using T = std::remove_cvref_t<decltype(member)>;
      if constexpr (std::is_same_v<T, bool>) {
        return member ? "true" : "false";
      } else if constexpr (std::is_same_v<T, uint32_t>) {
        return std::to_string(member);
      } else if constexpr (std::is_same_v<T, uint64_t>) {
        if (option.type == OptionType::kUpstreamName) {
          return QuoteToml(member < config.upstreams.size() ? config.upstreams[member].name : "");
        }
        return QuoteToml(FormatSize(member));
      } else if constexpr (std::is_same_v<T, milliseconds> || std::is_same_v<T, std::chrono::seconds>) {
        return QuoteToml(FormatDuration(member));
      } else if constexpr (std::is_same_v<T, std::string>) {
        return QuoteToml(member);
      } else if constexpr (std::is_same_v<T, Endpoint>) {
        return QuoteToml(member.text);
      } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        return PrintList(member, [](const std::string& text) { return text; });
      } else if constexpr (std::is_same_v<T, std::vector<HeaderRule>>) {
        return PrintList(member, FormatHeaderRule);
      } else if constexpr (std::is_same_v<T, base::IpNetworkSet>) {
        return PrintList(member.ToTexts(), [](const std::string& text) { return text; });
      } else if constexpr (std::is_same_v<T, std::vector<Endpoint>>) {
        return PrintList(member, [](const Endpoint& endpoint) { return endpoint.text; });
      } else if constexpr (std::is_same_v<T, std::vector<uint32_t>>) {
        return fmt::format("[{}]", fmt::join(member, ", "));
      } else {
        static_assert(std::is_same_v<T, Redis>);
        return QuoteToml(FormatRedisUrl(member));
      }
    }
  };
  return std::visit(print, option.field);
}

std::string PrintDefault(const Option& option) {
  if (option.required) return "";
  Config config = Defaults();
  const Section& section = SectionOf(option);
  if (section.IsRepeated()) section.append(config);
  return PrintValue(option, config, 0);
}

std::string QuoteToml(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace gatebook::config
