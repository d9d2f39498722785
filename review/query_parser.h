// QueryParser: a text of the --where language into conditions.
//
// Thread: one. Borrows: the text and the reading. Limits: those of review/query.h, but for the text's length.
#pragma once

#include <optional>
#include <string_view>

#include "review/query_condition.h"
#include "review/query_lexer.h"

namespace gatebook::review {

class QueryParser {
 public:
  QueryParser(std::string_view text, const QueryReading& reading)
      : text_(text), reading_(reading), lexer_(text) {
    Step();
  }

  // Null: problem() says what is wrong first.
  ConditionPtr Parse();
  const QueryProblem& problem() const { return problem_; }

 private:
  void Step() { token_ = lexer_.Next(); }
  bool Accept(std::string_view word);
  std::nullptr_t Fail(size_t place, std::string what);
  std::nullptr_t Fail(const Token& at, std::string what);

  ConditionPtr Either(int level);
  ConditionPtr Both(int level);
  ConditionPtr One(int level);
  ConditionPtr Comparison();
  ConditionPtr AnyOfList(const FieldInfo& field);
  // Stands at the value.
  ConditionPtr Compare(const FieldInfo& field, const Token& op);
  ConditionPtr CompareFlag(const FieldInfo& field, const Token& op, const Token& value);
  ConditionPtr CompareAddress(const FieldInfo& field, const Token& op, const Token& value);
  ConditionPtr Matching(const FieldInfo& field, const Token& op, const Token& value);
  std::optional<base::WallTime> ReadTime(std::string_view text) const;

  std::string_view text_;
  const QueryReading& reading_;
  QueryLexer lexer_;
  Token token_;
  QueryProblem problem_;
  int patterns_ = 0;
};

}  // namespace gatebook::review
