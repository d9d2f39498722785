#include "logger/redis_command.h"

#include <charconv>

namespace gatebook::logger {
namespace {

void AppendHeader(std::string& to, char type, size_t count) {
  char header[24];
  header[0] = type;
  char* end = std::to_chars(header + 1, header + sizeof header - 2, count).ptr;
  *end++ = '\r';
  *end++ = '\n';
  to.append(header, end);
}

}  // namespace

void AppendCommand(std::string& to, std::span<const std::string_view> words) {
  AppendHeader(to, '*', words.size());
  for (const std::string_view word : words) {
    AppendHeader(to, '$', word.size());
    to.append(word).append("\r\n", 2);
  }
}

}  // namespace gatebook::logger
