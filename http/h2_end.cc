#include "http/h2_end.h"

#include <array>

#include "base/check.h"

namespace gatebook::http {
namespace {

constexpr auto kInfos = std::to_array<H2EndInfo>({
#define GATEBOOK_H2_END_ROW(name, code, slug, meaning) {H2Error::code, slug, meaning},
    GATEBOOK_H2_ENDS(GATEBOOK_H2_END_ROW)
#undef GATEBOOK_H2_END_ROW
});
static_assert(kInfos.size() == static_cast<size_t>(H2End::kCount));

}  // namespace

const H2EndInfo& InfoOf(H2End end) {
  CHECK(end < H2End::kCount);
  return kInfos[static_cast<size_t>(end)];
}

H2End EndOf(H2Error code) {
  switch (code) {
    case H2Error::kFrameSizeError:
      return H2End::kFrameSize;
    case H2Error::kFlowControlError:
      return H2End::kFlowControl;
    case H2Error::kCompressionError:
      return H2End::kCompression;
    case H2Error::kStreamClosed:
      return H2End::kStreamClosed;
    case H2Error::kInternalError:
      return H2End::kInternal;
    case H2Error::kEnhanceYourCalm:
      return H2End::kGlitches;
    default:
      return H2End::kProtocolError;
  }
}

}  // namespace gatebook::http
