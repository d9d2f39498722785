// The diagnostics log: what the operator should know about the program itself.
//
// Never a visitor's address, name or session id: the operations log is read by
// people who have no business with them.
//
// Thread: Log() may be called from any thread and never waits for the disk: lines
// go through a bounded queue to one writer thread; when it is full they are
// counted and dropped, and the writer says how many.
// Limits: 4,096 queued lines, 2 KiB a line.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace gatebook::base {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error"; others read as "info".
LogLevel LogLevelOf(std::string_view name);

class LogSink {
 public:
  // Starts the writer thread. `path` empty: standard error.
  static Status Open(const std::string& path, LogLevel least);
  // For Change(): the file at `path`, opened; empty: none, for standard error.
  static Result<UniqueFd> OpenFile(const std::string& path);
  // Goes on there, from `least` on; what is still queued too. Requires: open.
  static void Change(const std::string& path, UniqueFd file, LogLevel least);
  // Opens the file again under its name (USR1, log rotation).
  static void Reopen();
  // Writes what is queued and ends the writer thread. Log() after this goes to standard error directly.
  static void Close();
  static uint64_t dropped();
  static bool IsEnabled(LogLevel level);
  static void Write(LogLevel level, std::string_view component, std::string text);
};

template <typename... Args>
void Log(LogLevel level, std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (LogSink::IsEnabled(level)) LogSink::Write(level, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogInfo(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kInfo, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogWarning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarning, component, format, std::forward<Args>(args)...);
}
template <typename... Args>
void LogError(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kError, component, format, std::forward<Args>(args)...);
}

}  // namespace gatebook::base
