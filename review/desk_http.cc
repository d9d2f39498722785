#include "review/desk_http.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/hex.h"
#include "http/refusal.h"

namespace gatebook::review {
namespace {

constexpr size_t kMostParameters = 32;
constexpr std::string_view kFixedFields =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cache-Control: no-store\r\n";

std::string Decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    uint8_t byte = 0;
    if (text[i] == '%' && i + 2 < text.size() && base::FromHex(text.substr(i + 1, 2), {&byte, 1})) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

// The next part up to `border`, taken off.
std::string_view TakePart(std::string_view& rest, char border) {
  const size_t end = std::min(rest.find(border), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return part;
}

}  // namespace

struct DeskTicket::State {
  State(net::Loop& its_loop, DeskAsker& its_asker) : loop(its_loop), asker(&its_asker) {}
  net::Loop& loop;
  DeskAsker* asker;  // the loop's thread; null: cancelled
  std::atomic<bool> is_cancelled{false};
  std::atomic<size_t> backlog{0};
};

std::map<std::string, std::string, std::less<>> ParseParameters(std::string_view query) {
  std::map<std::string, std::string, std::less<>> parameters;
  while (!query.empty() && parameters.size() < kMostParameters) {
    std::string_view value = TakePart(query, '&');
    const std::string_view name = TakePart(value, '=');
    if (!name.empty()) parameters[Decode(name)] = Decode(value);
  }
  return parameters;
}

std::string_view CookieOf(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    std::string_view value = TakePart(field, ';');
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (TakePart(value, '=') == name) return value;
  }
  return {};
}

DeskAnswer DeskError(int status, std::string_view message) {
  const nlohmann::json body = {{"error", message}};
  return {status, "application/json",
          body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

std::string DeskHead(const DeskAnswer& answer, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", answer.status,
                                 http::ReasonPhrase(answer.status), answer.content_type);
  head.append(kFixedFields);
  for (const auto& [name, value] : answer.fields) head.append(name).append(": ").append(value).append("\r\n");
  head.append(answer.has_more ? std::string("Transfer-Encoding: chunked\r\n")
                              : fmt::format("Content-Length: {}\r\n", answer.body.size()));
  head.append(keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
  return head;
}

DeskTicket::~DeskTicket() {
  state_->asker = nullptr;
  state_->is_cancelled.store(true, std::memory_order_relaxed);
}

void DeskTicket::Taken(size_t bytes) { state_->backlog.fetch_sub(bytes, std::memory_order_relaxed); }

std::pair<DeskReply, std::unique_ptr<DeskTicket>> DeskReply::Make(net::Loop& loop, DeskAsker& asker) {
  auto state = std::make_shared<DeskTicket::State>(loop, asker);
  return {DeskReply(state), std::unique_ptr<DeskTicket>(new DeskTicket(state))};
}

void DeskReply::Answer(DeskAnswer answer) const {
  state_->loop.Post([state = state_, answer = std::move(answer)]() mutable {
    if (state->asker != nullptr) state->asker->OnAnswer(std::move(answer));
  });
}

void DeskReply::More(std::string piece) const {
  state_->backlog.fetch_add(piece.size(), std::memory_order_relaxed);
  state_->loop.Post([state = state_, piece = std::move(piece)]() mutable {
    if (state->asker != nullptr) state->asker->OnMore(std::move(piece));
  });
}

void DeskReply::End() const {
  state_->loop.Post([state = state_] {
    if (state->asker != nullptr) state->asker->OnEnd();
  });
}

void DeskReply::Post(std::function<void()> task) const { state_->loop.Post(std::move(task)); }

bool DeskReply::IsCancelled() const { return state_->is_cancelled.load(std::memory_order_relaxed); }

size_t DeskReply::backlog() const { return state_->backlog.load(std::memory_order_relaxed); }

}  // namespace gatebook::review
