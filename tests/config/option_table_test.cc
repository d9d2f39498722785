#include "config/option_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "config/loader.h"
#include "config/option_value.h"

namespace gatebook::config {
namespace {

std::string NameOf(const Option& option) { return SectionOf(option).Heading() + " " + option.key; }

// Keys that are taken only together with another of their section.
const std::map<std::string, std::string> kBeside = {{"[redis] sentinels", "sentinel_master"},
                                                    {"[redis] sentinel_master", "sentinels"},
                                                    {"[redis] nodes", "cluster"}};
// Numbers of one section that depend on each other are tried where the other leaves room.
const std::map<std::string, std::string> kRoomFor = {{"[statistics] k", "round = 100000\n"},
                                                     {"[statistics] round", "k = 5\n"}};
// Lines of its section without which an example means nothing.
const std::map<std::string, std::string> kWith = {
    {"[[sink]] server", "kind = \"syslog\"\ntransport = \"tls\"\n"}};

// A whole config in which `option` has the value `toml`.
std::string TextWith(const Option& option, const std::string& toml) {
  std::string text;
  for (const Section& section : Sections()) {
    if (!section.IsRepeated() && section.id != option.section) continue;
    text += section.Heading() + "\n";
    for (const Option& other : Options()) {
      if (other.section != section.id) continue;
      if (&other == &option) {
        text += std::string(other.key) + " = " + toml + "\n";
        const auto with = kWith.find(toml == option.example ? NameOf(option) : "");
        if (with != kWith.end()) text += with->second;
      } else if (const auto beside = kBeside.find(toml == option.example ? NameOf(option) : "");
                 beside != kBeside.end() && other.key == beside->second) {
        text += std::string(other.key) + " = " + (*other.example != '\0' ? other.example : "true") + "\n";
      } else if (other.required) {
        text += std::string(other.key) + " = " + other.example + "\n";
      }
    }
  }
  // Names that routes refer to stay those of the examples.
  return text;
}

TEST(OptionTable, SectionsStandInTheOrderOfTheirIds) {
  for (size_t i = 0; i < Sections().size(); ++i) EXPECT_EQ(static_cast<size_t>(Sections()[i].id), i);
}

TEST(OptionTable, EveryKeyStandsOnceAndBesideItsSection) {
  std::set<std::string> names;
  SectionId last = SectionId::kEdge;
  for (const Option& option : Options()) {
    EXPECT_TRUE(names.insert(NameOf(option)).second) << NameOf(option);
    EXPECT_GE(option.section, last) << NameOf(option);
    last = option.section;
  }
}

TEST(OptionTable, EveryRowSaysWhatItMeansInOneSentence) {
  for (const Option& option : Options()) {
    const std::string help = option.help;
    ASSERT_FALSE(help.empty()) << NameOf(option);
    EXPECT_NE(help.back(), '.') << NameOf(option);
    EXPECT_EQ(help.find('|'), std::string::npos)
        << "breaks the table of docs/configuration.md: " << NameOf(option);
    EXPECT_TRUE(!option.required || *option.example != '\0') << NameOf(option);
  }
}

TEST(OptionTable, EveryDefaultAndEveryExampleLoads) {
  for (const Option& option : Options()) {
    for (const std::string& value : {PrintDefault(option), std::string(option.example)}) {
      if (value.empty()) continue;
      const auto outcome = LoadText(TextWith(option, value), "gatebook.toml", FileChecks::kOff);
      EXPECT_TRUE(outcome.ok()) << NameOf(option) << " = " << value << "\n"
                                << RenderProblems(outcome.problems, false);
    }
  }
}

TEST(OptionTable, WhatIsStoredPrintsTheSame) {
  for (const Option& option : Options()) {
    if (*option.example == '\0') continue;
    const auto outcome = LoadText(TextWith(option, option.example), "gatebook.toml", FileChecks::kOff);
    if (!outcome.ok()) continue;  // told by the test above
    EXPECT_EQ(PrintValue(option, *outcome.config, 0), option.example) << NameOf(option);
  }
}

TEST(OptionTable, EveryOptionRefusesAValueOfTheWrongType) {
  for (const Option& option : Options()) {
    const bool is_text = option.type != OptionType::kBool && option.type != OptionType::kInteger;
    for (const char* wrong : {is_text ? "7" : "\"seven\"", "1979-05-27", "1.5", "{ a = 1 }", "[[[1]]]"}) {
      const auto outcome = LoadText(TextWith(option, wrong), "gatebook.toml", FileChecks::kOff);
      EXPECT_FALSE(outcome.ok()) << NameOf(option) << " = " << wrong;
    }
  }
}

TEST(OptionTable, NumbersDurationsAndSizesKeepToTheirBounds) {
  for (const Option& option : Options()) {
    const auto load = [&](const std::string& value) {
      std::string text = TextWith(option, value);
      if (const auto room = kRoomFor.find(NameOf(option)); room != kRoomFor.end()) {
        text.insert(text.find(std::string(option.key) + " = "), room->second);
      }
      return LoadText(text, "gatebook.toml", FileChecks::kOff).ok();
    };
    const bool is_number = option.type == OptionType::kInteger;
    const bool is_duration = option.type == OptionType::kDuration;
    if (!is_number && !is_duration && option.type != OptionType::kSize) continue;
    const auto print = [&](uint64_t number) {
      return is_number ? fmt::format("{}", number)
                       : fmt::format("\"{}{}\"", number, is_duration ? "ms" : "B");
    };
    EXPECT_FALSE(load(print(option.most + 1))) << NameOf(option);
    EXPECT_TRUE(option.least == 0 || !load(print(option.least - 1))) << NameOf(option);
    EXPECT_TRUE(!is_number || !load("-1")) << NameOf(option);
    // The bounds themselves are inside; journal sizes depend on each other, and so do k and round.
    if (option.section == SectionId::kJournal) continue;
    if (option.section == SectionId::kStatistics && is_number) continue;
    EXPECT_TRUE(load(print(option.least))) << NameOf(option);
    EXPECT_TRUE(load(print(option.most))) << NameOf(option);
  }
}

TEST(OptionTable, KAndRoundOfStatisticsReachTheirBoundsTogether) {
  const Option& k = *FindOption(SectionId::kStatistics, "k");
  for (const char* both : {"5\nround = 10", "1000\nround = 100000"}) {
    EXPECT_TRUE(LoadText(TextWith(k, both), "gatebook.toml", FileChecks::kOff).ok()) << both;
  }
}

}  // namespace
}  // namespace gatebook::config
