// The golden conversations of tests/golden: each is held whole, split at every byte, and
// byte by byte, and every time the transcript has to be the one in the file.
//
// The form of the files stands at the top of tests/golden/requests.txt.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/http/conversation.h"

namespace gatebook::http {
namespace {

struct Golden {
  std::string title;
  int line = 0;
  ConversationOptions options = {};
  std::string input = {};
  std::string expected = {};
};

// \r \n \t \\ \xHH, and \{text*count} for text repeated.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    switch (text.at(++i)) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '\\':
        out += '\\';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      case '{': {
        const size_t end = text.find('}', i);
        const size_t star = text.rfind('*', end);
        const std::string part = Unescaped(text.substr(i + 1, star - i - 1));
        for (int n = std::stoi(std::string(text.substr(star + 1, end - star - 1))); n > 0; --n) out += part;
        i = end;
        break;
      }
      default:
        ADD_FAILURE() << "unknown escape in " << text;
    }
  }
  return out;
}

void TakeOptions(const std::string& text, ConversationOptions& options) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (key == "answers") {
      options.response = true;
      options.request_method = MethodOf(value);
    } else if (key == "websocket") {
      options.asked_websocket = true;
    } else if (key == "target_size") {
      options.limits.target_size = std::stoul(value);
    } else if (key == "header_size") {
      options.limits.header_size = std::stoul(value);
    } else if (key == "header_count") {
      options.limits.header_count = std::stoul(value);
    } else {
      ADD_FAILURE() << "unknown option " << word;
    }
  }
}

std::vector<Golden> Load(const std::string& name) {
  std::ifstream file(std::string(GATEBOOK_SOURCE_DIR) + "/tests/golden/" + name);
  std::vector<Golden> all;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::string rest = line.size() > 2 ? line.substr(2) : "";
    if (line[0] == '=') {
      all.push_back({.title = rest, .line = number});
    } else if (all.empty()) {
      ADD_FAILURE() << name << ":" << number << ": no title yet";
    } else if (line[0] == '?') {
      TakeOptions(rest, all.back().options);
    } else if (line[0] == '<') {
      all.back().input += Unescaped(rest);
    } else if (line[0] == '>') {
      all.back().expected += rest + "\n";
    } else {
      ADD_FAILURE() << name << ":" << number << ": no line of this form";
    }
  }
  return all;
}

std::string Hold(const Golden& golden, size_t cut) {
  Conversation conversation(golden.options);
  conversation.Feed(golden.input.substr(0, cut));
  conversation.Feed(golden.input.substr(cut));
  return conversation.Finish();
}

class GoldenConversations : public testing::TestWithParam<std::string> {};

TEST_P(GoldenConversations, EndAsWrittenHoweverTheyAreSplit) {
  const std::vector<Golden> all = Load(GetParam());
  EXPECT_GE(all.size(), 50U);
  for (const Golden& golden : all) {
    SCOPED_TRACE(GetParam() + ":" + std::to_string(golden.line) + ": " + golden.title);
    ASSERT_EQ(Hold(golden, golden.input.size()), golden.expected);
    for (size_t cut = 1; cut < golden.input.size(); ++cut) {
      ASSERT_EQ(Hold(golden, cut), golden.expected) << "split behind byte " << cut;
    }
    Conversation conversation(golden.options);
    for (const char c : golden.input) conversation.Feed({&c, 1});
    ASSERT_EQ(conversation.Finish(), golden.expected) << "byte by byte";
  }
}

INSTANTIATE_TEST_SUITE_P(Http, GoldenConversations, testing::Values("requests.txt", "responses.txt"),
                         [](const auto& file) { return file.param.substr(0, file.param.find('.')); });

}  // namespace
}  // namespace gatebook::http
