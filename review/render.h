// Visits as text: a table for people, plain lines for tools, JSON and other forms for programs.
//
// What comes from Redis is not believed to be clean: whatever could move a
// terminal's cursor or hide text is made visible (logger/text.h) in every form.
//
// Thread: one a renderer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "logger/visit_record.h"

namespace gatebook::review {

enum class Form {
  kTable,     // columns of fixed width; long cells end in "…", but for the last
  kPlain,     // the same columns whole, with tabs between, no heading
  kJson,      // one object a line, with the names of review/visit_fields.h; what is empty is left out
  kEcs,       // review/visit_ecs.h
  kOtel,      // review/visit_otel.h
  kCsv,       // review/visit_csv.h
  kCombined,  // review/visit_combined.h
};
// "table", "plain", "json", …; nothing if it is none.
std::optional<Form> ParseForm(std::string_view name);

// The line above a table, or of CSV; empty for the others.
std::string RenderHeading(Form form);
// One line, with its end.
std::string RenderVisit(const logger::StoredVisit& visit, Form form);

// "direct", "search https://www.example.com", "campaign letter/mail/spring": where a visit came from.
std::string SourceText(const logger::StoredVisit& visit);

// Makes any text fit to be shown: valid UTF-8, nothing that acts on a terminal.
std::string Harmless(std::string_view text);

}  // namespace gatebook::review
