#include "review/query_lexer.h"

#include <algorithm>
#include <utility>

namespace gatebook::review {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kEndsWord = " \t\r\n(),'\"=!<>~";
constexpr std::string_view kOperators[] = {"==", "!=", "<=", ">=", "!~", "=", "<", ">", "~"};

}  // namespace

Token QueryLexer::Next() {
  place_ = std::min(text_.find_first_not_of(kSpace, place_), text_.size());
  if (place_ == text_.size()) return Token{Token::Kind::kEnd, {}, place_};
  const char c = text_[place_];
  if (c == '\'' || c == '"') return Quoted();
  if (c == '(') return Take(Token::Kind::kOpen, 1);
  if (c == ')') return Take(Token::Kind::kClose, 1);
  if (c == ',') return Take(Token::Kind::kComma, 1);
  for (const std::string_view op : kOperators) {
    if (text_.substr(place_).starts_with(op)) return Take(Token::Kind::kOperator, op.size());
  }
  const size_t end = std::min(text_.find_first_of(kEndsWord, place_), text_.size());
  if (end == place_) return Token{Token::Kind::kBad, "unexpected character", place_};
  return Take(Token::Kind::kWord, end - place_);
}

Token QueryLexer::Take(Token::Kind kind, size_t length) {
  const size_t place = std::exchange(place_, place_ + length);
  return Token{kind, std::string(text_.substr(place, length)), place};
}

Token QueryLexer::Quoted() {
  Token token;
  token.kind = Token::Kind::kQuoted;
  token.place = place_;
  const char quote = text_[place_];
  for (size_t i = place_ + 1; i < text_.size(); ++i) {
    if (text_[i] == quote) {
      place_ = i + 1;
      return token;
    }
    // A backslash makes the quote and itself literal; before anything else it stays, for regular expressions.
    if (text_[i] == '\\' && i + 1 < text_.size() && (text_[i + 1] == quote || text_[i + 1] == '\\')) ++i;
    token.text.push_back(text_[i]);
  }
  return Token{Token::Kind::kBad, "this quote is not closed", place_};
}

}  // namespace gatebook::review
