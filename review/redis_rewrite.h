// RewriteRedisFiles: has Redis write its append-only file and its snapshot anew, so that they lose the bytes
// of what has expired or was erased; and waits until that is done. In a Cluster every master does so, one
// after the other; replicas see to their own files (auto-aof-rewrite-percentage).
//
// Thread: one, which it blocks. Borrows: the client.
// Limits: half an hour; then it goes on without being waited for.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "logger/redis_client.h"

namespace gatebook::review {

inline constexpr std::string_view kRewritten = "ok";

// Waits so long; false: enough, end.
using Pause = std::function<bool(std::chrono::milliseconds)>;

// kRewritten: whatever files Redis keeps have been written since it was called. Else why not, for people. An
// error: the connection is lost.
base::Result<std::string> RewriteRedisFiles(logger::RedisClient& client, const Pause& pause);

// The value of "name:" in the answer to INFO; empty if it is not there.
std::string_view InfoValue(std::string_view info, std::string_view name);

}  // namespace gatebook::review
