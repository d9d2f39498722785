// Paths, queries and Referers of any bytes: what comes out is bounded, clean and masked.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "logger/mask.h"
#include "logger/personal.h"
#include "logger/source.h"
#include "logger/text.h"
#include "logger/visit.h"

namespace {

namespace logger = gatebook::logger;

void CheckClean(std::string_view text, size_t most) {
  CHECK(text.size() <= most);
  char out[1024];
  CHECK(logger::CleanText(text, sizeof out, out) == text.substr(0, sizeof out));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);

  std::vector<char> path(logger::kMostPath);  // on the heap, so that a sanitizer sees its ends
  const std::string_view masked = logger::MaskPath(input, path);
  CheckClean(masked, logger::kMostPath);

  // No number is left in a whole segment of the answer (the last may be cut short, and the escape
  // of an unprintable octet has digits of its own).
  const bool printable =
      std::all_of(input.begin(), input.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  std::vector<char> decoded(logger::kMostPath);
  std::vector<logger::Personal> marks(logger::kMostPath);
  for (size_t at = 0; printable && at < masked.size();) {
    const size_t end = masked.find('/', at);
    if (end == std::string_view::npos) break;
    const std::string_view text = logger::Unfold(masked.substr(at, end - at), decoded);
    logger::MarkPersonal(text, marks);
    CHECK(std::none_of(marks.begin(), marks.begin() + static_cast<ptrdiff_t>(text.size()),
                       [](logger::Personal mark) { return mark == logger::Personal::kNumber; }));
    at = end + 1;
  }

  std::vector<char> query(logger::kMostQuery);
  const std::array<std::string, 2> allow = {"q", "utm_source"};
  CheckClean(logger::FilterQuery(input, allow, query), logger::kMostQuery);

  logger::SourceBuffer buffer;
  const size_t half = size / 2;
  const logger::Source source =
      logger::ClassifySource(input.substr(0, half), "shop.example", input.substr(half), buffer);
  CheckClean(source.referrer, logger::kMostReferrer);
  CheckClean(source.utm_source, logger::kMostCampaignPart);
  CheckClean(source.utm_medium, logger::kMostCampaignPart);
  CheckClean(source.utm_campaign, logger::kMostCampaignPart);
  return 0;
}
