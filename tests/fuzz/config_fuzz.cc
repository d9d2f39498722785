// Any bytes as a configuration: either a Config whose printed form loads as an
// equal one, or problems that are inert text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "config/loader.h"
#include "config/show.h"

namespace config = gatebook::config;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto outcome = config::LoadText(text, "fuzz.toml", config::FileChecks::kOff);
  CHECK(outcome.ok() == outcome.problems.empty());
  if (outcome.ok()) {
    const auto again = config::LoadText(config::Show(*outcome.config), "fuzz.toml", config::FileChecks::kOff);
    CHECK(again.ok());
    CHECK(*again.config == *outcome.config);
    return 0;
  }
  for (const char c : config::RenderProblems(outcome.problems, false)) {
    CHECK(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
  }
  return 0;
}
