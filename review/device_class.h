// Classes of devices, told from a user agent's own words.
//
// Five classes and no more: what is finer than that singles people out, and is guesswork. Who hides says so
// with any text it likes: a robot that calls itself a browser is counted as one, and an iPad that asks for
// desktop pages is a desktop.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace gatebook::review {

// X(enumerator, name)
#define GATEBOOK_DEVICE_CLASSES(X) \
  X(kDesktop, "desktop") X(kMobile, "mobile") X(kTablet, "tablet") X(kBot, "bot") X(kOther, "other")

#define GATEBOOK_ENUMERATOR(enumerator, name) enumerator,
enum class DeviceClass : uint8_t { GATEBOOK_DEVICE_CLASSES(GATEBOOK_ENUMERATOR) };
#undef GATEBOOK_ENUMERATOR

std::string_view ToText(DeviceClass device);

DeviceClass DeviceClassOf(std::string_view user_agent);

}  // namespace gatebook::review
