// The dashboard and the alerts in packaging/ name metrics that there are, with values of labels that there
// are.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include <set>
#include <string>

#include "base/metrics.h"
#include "tests/support/temp_directory.h"

namespace gatebook::architecture {
namespace {

// Names of all metrics, of the table and of those that the status page makes itself.
std::set<std::string> Names() {
  std::set<std::string> names;
  for (size_t i = 0; i < static_cast<size_t>(base::Metric::kCount); ++i)
    names.insert(base::InfoOf(static_cast<base::Metric>(i)).name);
  const std::string source = support::ReadFile("proxy/status_page.cc");
  re2::StringPiece rest(source);
  for (std::string name; RE2::FindAndConsume(&rest, "# TYPE (gatebook_[a-z0-9_]+) ", &name);)
    names.insert(name);
  return names;
}

// `name="value"` as the table has it for a metric.
std::set<std::string> LabelsOf(const std::string& metric) {
  std::set<std::string> labels;
  for (size_t i = 0; i < static_cast<size_t>(base::Metric::kCount); ++i) {
    const auto& info = base::InfoOf(static_cast<base::Metric>(i));
    if (info.name == metric) labels.insert(info.labels);
  }
  return labels;
}

void ExpectKnown(const std::string& expression) {
  static const std::set<std::string> kNames = Names();
  static const RE2 kMetric(R"re((gatebook_[a-z0-9_]+)(?:\{([^}]*)\})?)re");
  static const RE2 kLabel(R"re(([a-z_]+)=~?"([^"]*)")re");
  re2::StringPiece rest(expression);
  for (std::string metric, labels; RE2::FindAndConsume(&rest, kMetric, &metric, &labels);) {
    EXPECT_TRUE(kNames.contains(metric)) << metric << " in " << expression;
    const auto known = LabelsOf(metric);
    re2::StringPiece more(labels);
    for (std::string name, values; RE2::FindAndConsume(&more, kLabel, &name, &values);) {
      if (name == "instance") continue;
      values += '|';
      for (size_t from = 0, bar; (bar = values.find('|', from)) != std::string::npos; from = bar + 1) {
        const std::string label = name + "=\"" + values.substr(from, bar - from) + "\"";
        EXPECT_TRUE(known.contains(label)) << metric << " has no " << label;
      }
    }
  }
}

void CollectExpressions(const nlohmann::json& value, std::set<std::string>& expressions) {
  if (value.is_object() && value.contains("expr")) expressions.insert(value["expr"]);
  if (value.is_structured()) {
    for (const auto& inner : value) CollectExpressions(inner, expressions);
  }
}

TEST(Monitoring, TheDashboardNamesMetricsThatThereAre) {
  const auto dashboard =
      nlohmann::json::parse(support::ReadFile("packaging/grafana/gatebook.json"), nullptr, false);
  ASSERT_TRUE(dashboard.is_object());
  std::set<std::string> expressions;
  CollectExpressions(dashboard, expressions);
  EXPECT_GT(expressions.size(), 30u);
  for (const std::string& expression : expressions) ExpectKnown(expression);
  std::set<int> ids;
  for (const auto& panel : dashboard["panels"]) {
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second);
    const auto& place = panel["gridPos"];
    EXPECT_LE(place["x"].get<int>() + place["w"].get<int>(), 24);
  }
}

TEST(Monitoring, TheAlertsNameMetricsThatThereAre) {
  const std::string rules = support::ReadFile("packaging/prometheus/gatebook.rules.yml");
  ASSERT_NE(rules.find("alert: GatebookRedisAway"), std::string::npos);
  ExpectKnown(rules);
}

TEST(Monitoring, AMetricThatIsNoneWouldBeFound) {
  EXPECT_NONFATAL_FAILURE(ExpectKnown("rate(gatebook_no_such_total[5m])"), "gatebook_no_such_total");
  EXPECT_NONFATAL_FAILURE(ExpectKnown("gatebook_visits_dropped_total{reason=~\"expired|whim\"}"), "whim");
}

}  // namespace
}  // namespace gatebook::architecture
