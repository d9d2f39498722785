// Reader: a reader's end of a question to the desk, as the listener has it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "review/desk_http.h"

namespace gatebook::review {

class Reader final : public DeskAsker {
 public:
  explicit Reader(net::Loop& loop) {
    auto [made, its_ticket] = DeskReply::Make(loop, *this);
    reply.emplace(std::move(made));
    ticket = std::move(its_ticket);
  }
  void OnAnswer(DeskAnswer answer) override { answers.push_back(std::move(answer)); }
  void OnMore(std::string piece) override {
    text += piece;
    if (takes) ticket->Taken(piece.size());
  }
  void OnEnd() override { has_ended = true; }
  size_t Count(std::string_view what) const {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
  }

  std::optional<DeskReply> reply;
  std::unique_ptr<DeskTicket> ticket;
  std::vector<DeskAnswer> answers;
  std::string text;
  bool takes = true;
  bool has_ended = false;
};

}  // namespace gatebook::review
