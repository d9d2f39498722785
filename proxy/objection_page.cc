#include "proxy/objection_page.h"

#include <fmt/format.h>

#include "base/html.h"
#include "proxy/html.h"
#include "proxy/own_page.h"
#include "proxy/session.h"

namespace gatebook::proxy {
namespace {

constexpr std::string_view kTitle = "Objection to statistics";

std::string Button(std::string_view choice, std::string_view text) {
  return fmt::format("<form method=\"post\" action=\"{}?choice={}\"><button>{}</button></form>\n",
                     kObjectionPath, choice, text);
}

std::string PageOf(const config::Config& config, std::string_view state, const std::string& more) {
  std::string body = fmt::format("<h1>{}</h1>\n<p><strong>{}</strong></p>\n{}", kTitle, state, more);
  body +=
      "<p>A visit of someone who has objected is still recorded for the safety and upkeep of the service. It "
      "is "
      "left out of every statistic, and neither the site nor the campaign that led here is kept.</p>\n";
  if (!config.policy.file.empty()) {
    body += fmt::format("<p><a href=\"{}\">Privacy policy</a></p>\n", base::EscapeHtml(config.policy.path));
  }
  return WholePage(kTitle, body);
}

}  // namespace

ObjectionPage::ObjectionPage(const config::Config& config)
    : counted_(
          PageOf(config, "Your visits are counted in statistics.", Button("object", "Leave my visits out"))),
      by_cookie_(PageOf(config, "Your visits are left out of statistics.",
                        "<p>This browser remembers that you have chosen so.</p>\n" +
                            Button("withdraw", "Count my visits again"))),
      by_browser_(PageOf(config, "Your visits are left out of statistics.",
                         "<p>Your browser asks for it in each request (Global Privacy Control, or Do Not "
                         "Track). There is nothing else to do.</p>\n")),
      by_register_(PageOf(config, "Your visits are left out of statistics.",
                          "<p>You, or someone of your network, have asked us for it.</p>\n")),
      attributes_(CookieAttributes(config.session)),
      lifetime_(std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(config.objection.remember).count())) {}

OwnReply ObjectionPage::Answer(const OwnRequest& request) const {
  if (request.head.method != http::Method::kPost) return {Show(request.session.objected)};
  if (!IsFromOwnPage(request.head, request.secure)) return {nullptr, http::Refusal::kOtherSite};
  if (request.head.query == "choice=object") return {Change(true, request.secure)};
  if (request.head.query == "choice=withdraw") return {Change(false, request.secure)};
  return {nullptr, http::Refusal::kBadChoice};
}

std::unique_ptr<OwnAnswer> ObjectionPage::Show(Objected objected) const {
  const std::string* page = &counted_;
  if (objected == Objected::kCookie) page = &by_cookie_;
  if (objected == Objected::kGpc || objected == Objected::kDnt) page = &by_browser_;
  if (objected == Objected::kRegister) page = &by_register_;
  auto answer = std::make_unique<OwnAnswer>(200, *page);
  answer->Add("Content-Type", "text/html; charset=utf-8");
  answer->Add("Cache-Control", "no-store");
  AddInertFields(*answer);
  return answer;
}

std::unique_ptr<OwnAnswer> ObjectionPage::Change(bool object, bool secure) const {
  auto answer = std::make_unique<OwnAnswer>(303, std::string_view());
  answer->Add("Location", std::string(kObjectionPath));
  answer->Add("Cache-Control", "no-store");
  const std::string_view value = object ? "1" : "0";
  const std::string_view seconds = object ? std::string_view(lifetime_) : "0";
  // Over TLS both go with a withdrawal: the plain one may have been set before.
  if (secure) {
    answer->Add("Set-Cookie",
                fmt::format("{}={}; Max-Age={}{}", kObjectionCookie, value, seconds, attributes_));
  }
  if (!secure || !object) {
    answer->Add("Set-Cookie", fmt::format("{}={}; Max-Age={}; Path=/; HttpOnly; SameSite=Lax",
                                          kPlainObjectionCookie, value, seconds));
  }
  return answer;
}

}  // namespace gatebook::proxy
