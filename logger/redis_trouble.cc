#include "logger/redis_trouble.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>

namespace gatebook::logger {
namespace {

constexpr size_t kMostDetail = 200;

constexpr std::array<RedisTroubleInfo, static_cast<size_t>(RedisTrouble::kCount)> kTroubles = {{
#define GATEBOOK_REDIS_TROUBLE_ROW(name, word, prefix, advice) \
  {word, prefix, advice, base::Metric::kRedisTrouble##name},
    GATEBOOK_REDIS_TROUBLES(GATEBOOK_REDIS_TROUBLE_ROW)
#undef GATEBOOK_REDIS_TROUBLE_ROW
}};

// Errors that mean the same as one of the table.
struct Alias {
  std::string_view prefix;
  RedisTrouble trouble;
};
constexpr Alias kAliases[] = {
    {"WRONGPASS", RedisTrouble::kAuth},
    {"ERR AUTH", RedisTrouble::kAuth},  // a password where none is set
    {"MASTERDOWN", RedisTrouble::kReadonly},
    {"UNBLOCKED", RedisTrouble::kReadonly},
    {"ASK", RedisTrouble::kCluster},
    {"TRYAGAIN", RedisTrouble::kClusterdown},
};

bool BeginsWithWord(std::string_view text, std::string_view word) {
  return text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
}

}  // namespace

const RedisTroubleInfo& InfoOf(RedisTrouble trouble) { return kTroubles[static_cast<size_t>(trouble)]; }

RedisTrouble TroubleOfReply(std::string_view error) {
  for (size_t i = 0; i < kTroubles.size(); ++i) {
    const std::string_view prefix = kTroubles[i].prefix;
    if (!prefix.empty() && BeginsWithWord(error, prefix)) return static_cast<RedisTrouble>(i);
  }
  for (const Alias& alias : kAliases) {
    if (BeginsWithWord(error, alias.prefix)) return alias.trouble;
  }
  return RedisTrouble::kOther;
}

RedisTrouble TroubleOfErrno(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket that is not there
    case EAGAIN:  // or whose queue is full
      return RedisTrouble::kRefused;
    case EPIPE:
    case ECONNRESET:
      return RedisTrouble::kClosed;
    default:
      return RedisTrouble::kUnreachable;
  }
}

RedisFailure::RedisFailure(RedisTrouble what, std::string_view words)
    : trouble(what), detail(words.substr(0, kMostDetail)) {
  for (char& c : detail) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
}

std::string RedisFailure::ToText() const {
  const RedisTroubleInfo& info = InfoOf(trouble);
  return fmt::format("{}: {} ({})", info.word, detail, info.advice);
}

}  // namespace gatebook::logger
