// docs/operations.md and docs/data-model.md have the rows of the tables in the code, all of them and no
// others.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/metrics.h"
#include "config/visit_field.h"
#include "http/h2_end.h"
#include "http/refusal.h"
#include "logger/redis_trouble.h"
#include "proxy/close_reason.h"
#include "review/checkup.h"
#include "review/retention_places.h"
#include "tests/support/temp_directory.h"

namespace gatebook::architecture {
namespace {

std::string Refusals() {
  std::string table = "| reason | answer | means |\n|---|--:|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(http::Refusal::kCount); ++i) {
    const auto& info = http::InfoOf(static_cast<http::Refusal>(i));
    table.append("| `").append(info.slug).append("` | ").append(std::to_string(info.status)).append(" | ");
    table.append(info.meaning).append(" |\n");
  }
  return table;
}

std::string CloseReasons() {
  std::string table = "| reason | means |\n|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(proxy::CloseReason::kCount); ++i) {
    const auto& info = proxy::InfoOf(static_cast<proxy::CloseReason>(i));
    table.append("| `").append(info.slug).append("` | ").append(info.meaning).append(" |\n");
  }
  return table;
}

std::string Http2Ends() {
  std::string table = "| reason | code | means |\n|---|--:|---|\n";
  for (uint8_t row = 0; row < static_cast<uint8_t>(http::H2End::kCount); ++row) {
    const auto& info = http::InfoOf(static_cast<http::H2End>(row));
    table.append("| `").append(info.slug).append("` | ").append(
        std::to_string(static_cast<uint32_t>(info.code)));
    table.append(" | ").append(info.meaning).append(" |\n");
  }
  return table;
}

std::string RedisTroubles() {
  std::string table = "| reason | an error reply that begins with | what to do |\n|---|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(logger::RedisTrouble::kCount); ++i) {
    const auto& info = logger::InfoOf(static_cast<logger::RedisTrouble>(i));
    const std::string prefix = info.prefix;
    table.append("| `").append(info.word).append("` | ").append(prefix.empty() ? "" : "`" + prefix + "`");
    table.append(" | ").append(info.advice).append(" |\n");
  }
  return table;
}

std::string Metrics() {
  std::string table = "| metric | labels | kind | what |\n|---|---|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(base::Metric::kCount); ++i) {
    const auto& info = base::InfoOf(static_cast<base::Metric>(i));
    const std::string labels = info.labels;
    table.append("| `").append(info.name).append("` | ").append(labels.empty() ? "" : "`" + labels + "`");
    table.append(info.kind == base::MetricKind::kCounter ? " | counter | " : " | gauge | ");
    table.append(info.help).append(" |\n");
  }
  return table;
}

std::string Places() {
  std::string table = "| place | what | how it is looked at | what is promised |\n|---|---|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(review::Place::kCount); ++i) {
    const auto& info = review::InfoOf(static_cast<review::Place>(i));
    for (const std::string_view cell : {info.slug, info.what, info.looked, info.promise}) {
      table.append("| ").append(cell).append(" ");
    }
    table.append("|\n");
  }
  return table;
}

std::string Checkups() {
  std::string table = "| check | looks at | to do when it finds something |\n|---|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(review::Check::kCount); ++i) {
    const auto& info = review::InfoOf(static_cast<review::Check>(i));
    table.append("| `").append(info.slug).append("` | ").append(info.looks_at).append(" | ");
    table.append(info.remedy).append(" |\n");
  }
  return table;
}

// Replaces what stands between the marker of `name` and the next end marker.
std::string Replaced(std::string text, const std::string& name, const std::string& table) {
  const std::string begin = "<!-- " + name + " -->\n";
  const size_t from = text.find(begin);
  EXPECT_NE(from, std::string::npos) << name;
  if (from == std::string::npos) return text;
  const size_t to = text.find("<!-- end -->", from);
  return text.replace(from + begin.size(), to - from - begin.size(), table);
}

std::string Fields() {
  std::string table = "| field | in JSON | what it is | what for | optional |\n|---|---|---|---|---|\n";
  for (size_t i = 0; i < static_cast<size_t>(config::VisitField::kCount); ++i) {
    const auto& info = config::InfoOf(static_cast<config::VisitField>(i));
    table.append("| `").append(info.name).append("` | `").append(info.members).append("` | ");
    table.append(info.what)
        .append(" | ")
        .append(info.purpose)
        .append(info.optional ? " | yes |\n" : " | |\n");
  }
  return table;
}

TEST(DataModelDoc, SaysWhatEachFieldIsFor) {
  const std::string path = std::string(GATEBOOK_SOURCE_DIR) + "/docs/data-model.md";
  const std::string present = support::ReadFile(path);
  const std::string wanted = Replaced(present, "fields", Fields());
  if (std::getenv("GATEBOOK_REGENERATE")) {
    std::ofstream(path) << wanted;
    return;
  }
  EXPECT_TRUE(present == wanted)
      << "docs/data-model.md has fallen behind: run this test with GATEBOOK_REGENERATE=1";
}

TEST(OperationsDoc, HasEveryRowOfTheTables) {
  const std::string path = std::string(GATEBOOK_SOURCE_DIR) + "/docs/operations.md";
  const std::string present = support::ReadFile(path);
  std::string wanted = Replaced(present, "refusals", Refusals());
  wanted = Replaced(wanted, "close reasons", CloseReasons());
  wanted = Replaced(wanted, "http2 ends", Http2Ends());
  wanted = Replaced(wanted, "places", Places());
  wanted = Replaced(wanted, "redis troubles", RedisTroubles());
  wanted = Replaced(wanted, "metrics", Metrics());
  wanted = Replaced(wanted, "checkups", Checkups());
  if (std::getenv("GATEBOOK_REGENERATE")) {
    std::ofstream(path) << wanted;
    return;
  }
  EXPECT_TRUE(present == wanted)
      << "docs/operations.md has fallen behind: run this test with GATEBOOK_REGENERATE=1";
}

}  // namespace
}  // namespace gatebook::architecture
