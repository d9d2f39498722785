// Commands in the Redis protocol (RESP2): an array of bulk strings.
//
// Appended to one buffer, byte for byte as hiredis's formatter would write them
// (tests/logger/redis_command_test.cc), which makes an allocation and eight sprintf of each.
//
// Thread: pure functions.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace gatebook::logger {

void AppendCommand(std::string& to, std::span<const std::string_view> words);
inline void AppendCommand(std::string& to, std::initializer_list<std::string_view> words) {
  AppendCommand(to, std::span(words.begin(), words.size()));
}

}  // namespace gatebook::logger
