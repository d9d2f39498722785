#include "proxy/markdown.h"

#include <cmark.h>

#include <cstdlib>
#include <memory>

#include "base/check.h"

namespace gatebook::proxy {
namespace {

// Without CMARK_OPT_UNSAFE neither raw HTML nor javascript: and the like come through.
constexpr int kOptions = CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8;

struct NodeFree {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};
struct IteratorFree {
  void operator()(cmark_iter* iterator) const { cmark_iter_free(iterator); }
};
struct Free {
  void operator()(char* text) const { std::free(text); }
};

std::string FirstHeading(cmark_node* document) {
  const std::unique_ptr<cmark_iter, IteratorFree> iterator(cmark_iter_new(document));
  std::string title;
  bool inside = false;
  for (cmark_event_type event; (event = cmark_iter_next(iterator.get())) != CMARK_EVENT_DONE;) {
    cmark_node* node = cmark_iter_get_node(iterator.get());
    const cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING) {
      if (event == CMARK_EVENT_EXIT) return title;
      inside = true;
    } else if (inside && (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE)) {
      title += cmark_node_get_literal(node);
    } else if (inside && (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)) {
      title += ' ';
    }
  }
  return title;
}

}  // namespace

Markdown RenderMarkdown(std::string_view text) {
  const std::unique_ptr<cmark_node, NodeFree> document(
      cmark_parse_document(text.data(), text.size(), kOptions));
  CHECK(document != nullptr);
  const std::unique_ptr<char, Free> html(cmark_render_html(document.get(), kOptions));
  CHECK(html != nullptr);
  return {html.get(), FirstHeading(document.get())};
}

}  // namespace gatebook::proxy
