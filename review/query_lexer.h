// The words of the --where language, with their places.
//
// Thread: one. Borrows the text.
#pragma once

#include <string>
#include <string_view>

namespace gatebook::review {

struct Token {
  enum class Kind { kEnd, kWord, kQuoted, kOperator, kOpen, kClose, kComma, kBad };
  Kind kind = Kind::kEnd;
  std::string text;  // of a word, what stands in quotes, an operator; of kBad: what is wrong
  size_t place = 0;  // in bytes

  bool IsWord(std::string_view word) const { return kind == Kind::kWord && text == word; }
};

class QueryLexer {
 public:
  explicit QueryLexer(std::string_view text) : text_(text) {}
  // kEnd for ever once the text is at its end.
  Token Next();

 private:
  Token Quoted();
  Token Take(Token::Kind kind, size_t length);

  std::string_view text_;
  size_t place_ = 0;
};

}  // namespace gatebook::review
