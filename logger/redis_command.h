// Commands in the Redis protocol (RESP2): an array of bulk strings.
//
// The client (logger/redis_client.h) leaves that to hiredis's formatter; the
// recorder, which sends a command a visit, appends them to one buffer itself,
// byte for byte the same (tests/logger/redis_command_test.cc), because hiredis
// makes an allocation and eight sprintf of each.
//
// Thread: pure functions.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace gatebook::logger {

void AppendCommand(std::string& to, std::initializer_list<std::string_view> words);

}  // namespace gatebook::logger
