// Field: how an option reaches its member of Config, with the member's type.
//
// In<&Config::log, &Log::file>() is the member of a section; for a [[section]]
// the index says of which element. Everything is resolved when compiling.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.h"

namespace gatebook::config {

// A member, to be changed and to be looked at.
template <typename T>
struct Access {
  T& (*change)(Config& config, size_t index);
  const T& (*look)(const Config& config, size_t index);
};

// A member that holds one of a list of words, by the word's number.
struct WordAccess {
  uint32_t (*get)(const Config& config, size_t index);
  void (*set)(Config& config, size_t index, uint32_t word);
};

using Field =
    std::variant<Access<bool>, Access<uint32_t>, Access<uint64_t>, Access<milliseconds>,
                 Access<std::chrono::seconds>, Access<std::string>, Access<std::vector<std::string>>,
                 Access<Endpoint>, Access<std::vector<Endpoint>>, Access<base::IpNetworkSet>,
                 Access<std::vector<HeaderRule>>, Access<std::vector<uint32_t>>, Access<Redis>, WordAccess>;

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

// The struct of a section, of a const or a mutable Config.
template <auto kSection, typename AnyConfig>
constexpr auto& ElementOf(AnyConfig& config, [[maybe_unused]] size_t index) {
  if constexpr (IsVector<std::remove_cvref_t<decltype(config.*kSection)>>::value) {
    return (config.*kSection)[index];
  } else {
    return config.*kSection;
  }
}

template <auto kSection, auto kMember>
constexpr Field In() {
  using T = std::remove_cvref_t<decltype(ElementOf<kSection>(std::declval<Config&>(), 0).*kMember)>;
  if constexpr (std::is_enum_v<T>) {
    return WordAccess{[](const Config& config, size_t index) {
                        return static_cast<uint32_t>(ElementOf<kSection>(config, index).*kMember);
                      },
                      [](Config& config, size_t index, uint32_t word) {
                        ElementOf<kSection>(config, index).*kMember = static_cast<T>(word);
                      }};
  } else {
    return Access<T>{
        [](Config& config, size_t index) -> T& { return ElementOf<kSection>(config, index).*kMember; },
        [](const Config& config, size_t index) -> const T& {
          return ElementOf<kSection>(config, index).*kMember;
        }};
  }
}

// For an option that says several members of [redis] at once.
constexpr Field WholeRedis() {
  return Access<Redis>{[](Config& config, size_t) -> Redis& { return config.redis; },
                       [](const Config& config, size_t) -> const Redis& { return config.redis; }};
}

}  // namespace gatebook::config
