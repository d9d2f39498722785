#include "config/manual.h"

#include <fmt/format.h>

#include <array>

#include "base/check.h"
#include "config/option_table.h"
#include "config/option_value.h"
#include "config/units.h"

namespace gatebook::config {
namespace {

struct Topic {
  const char* title;
  const char* text;  // paragraphs parted by an empty line; `code` in backquotes
};

// What holds for all options, in the words of every form of the manual.
constexpr const char* kSummary =
    "`gatebook.toml` is strict TOML, with every string on one line. Every key has a safe default but the "
    "listeners, certificates and "
    "upstreams.";

constexpr std::array<Topic, 7> kTopics = {{
    {"Errors",
     "An unknown section or key, a value of the wrong type or out of bounds, a missing unit, a file that "
     "can't be "
     "read and a reference that leads nowhere are errors, and all of them are told at once: with file, line "
     "and "
     "column, the line itself, and the nearest known name. `gatebook check -c FILE` says so without "
     "starting. The "
     "exit code is 78. A reload with an error keeps the old configuration whole."},
    {"Units",
     "A duration is a whole number with its unit, in quotes: `\"1500ms\"`, `\"90s\"`, `\"30min\"` (or "
     "`\"30m\"`), "
     "`\"8h\"`, `\"30d\"`. A size likewise: `\"512B\"`, `\"64KiB\"`, `\"16MiB\"`, `\"4GiB\"`, in powers of "
     "1,024. "
     "A number without its unit is an error."},
    {"Endpoints",
     "`\"192.0.2.1:443\"`, `\"[2001:db8::1]:443\"`, `\"app.internal:8080\"` where names are allowed, or "
     "`\"unix:/run/app.sock\"`; for an upstream that speaks TLS `\"https://10.0.0.5:8443\"`. The port is "
     "always written. A name that does not resolve yet is no error."},
    {"Networks",
     "`\"10.0.0.0/8\"`, `\"2001:db8::/32\"`, a single address, or `\"unix\"` for every peer on a Unix "
     "socket, which has no address. A wide network is of its own family only: `\"::/0\"` holds no IPv4 "
     "address. Bits behind the prefix are an error."},
    {"Header rules",
     "`\"set NAME: VALUE\"` replaces the field, `\"add NAME: VALUE\"` puts one more, `\"remove NAME\"` takes "
     "all of that name away; they are applied in their order, and to fields that were received as well as to "
     "those of earlier rules. A value stands for itself. Refused are fields that frame or route a message, "
     "that "
     "concern one connection only, or that Gatebook writes itself (Host, Via, Forwarded, `X-Forwarded-*`, "
     "X-Request-ID, X-Session-ID, `X-Gatebook-*`, traceparent and the like); Authorization, Cookie and "
     "Set-Cookie can be "
     "removed but not set."},
    {"Files",
     "Paths are absolute. Certificates, keys, password files and place databases must be there and readable "
     "when the "
     "configuration is checked, and are tried: a key that is not its certificate's is an error as well. The "
     "session key and the journal directory are made at the first start."},
    {"Secrets",
     "No secret stands in the configuration: it names the file that holds it. Where a password was written "
     "by "
     "mistake, the error shows the line with the password covered."},
}};

std::string TypeOf(const Option& option) {
  const auto duration = [](uint64_t bound) {
    return FormatDuration(milliseconds(static_cast<int64_t>(bound)));
  };
  switch (option.type) {
    case OptionType::kBool:
      return "true or false";
    case OptionType::kInteger:
      return fmt::format("number, {} to {}", option.least, option.most);
    case OptionType::kIntegers:
      return fmt::format("list of numbers, {} to {} each", option.least, option.most);
    case OptionType::kDuration:
      return fmt::format("duration, {} to {}", duration(option.least), duration(option.most));
    case OptionType::kSize:
      return fmt::format("size, {} to {}", FormatSize(option.least), FormatSize(option.most));
    case OptionType::kWord: {
      std::string words;
      for (std::string_view word : option.words)
        words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", word);
      return words;
    }
    case OptionType::kString:
      return "string";
    case OptionType::kStrings:
      return fmt::format("list of strings, at most {}", option.most);
    case OptionType::kPath:
      return "path";
    case OptionType::kFile:
      return "file";
    case OptionType::kFiles:
      return fmt::format("list of files, at most {}", option.most);
    case OptionType::kEndpoint:
      return "endpoint";
    case OptionType::kEndpoints:
      return fmt::format("list of endpoints, {} to {}", option.least, option.most);
    case OptionType::kRedisUrl:
      return "url";
    case OptionType::kNetworks:
      return fmt::format("list of networks, at most {}", option.most);
    case OptionType::kHeaderRules:
      return fmt::format("list of header rules, at most {}", option.most);
    case OptionType::kUpstreamName:
      return "name of an upstream";
  }
  CHECK(false);
  return "";
}

// Roff: a backslash and a hyphen-minus are escaped, a control character at the
// start of a line is shielded, and `code` is bold.
std::string Roff(std::string_view text) {
  std::string roff;
  bool bold = false;
  if (text.starts_with('.') || text.starts_with('\'')) roff += "\\&";
  for (char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else if (c == '"') {
      roff += "\\(dq";
    } else if (c == '`') {
      bold = !bold;
      roff += bold ? "\\fB" : "\\fR";
    } else {
      roff += c;
    }
  }
  return roff;
}

std::string MinimalExample() {
  std::string text;
  for (const Section& section : Sections()) {
    if (!section.IsRepeated()) continue;
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", section.Heading());
    for (const Option& option : Options()) {
      if (option.section == section.id && option.required)
        text += fmt::format("{} = {}\n", option.key, option.example);
    }
    text += section.more;
  }
  return text;
}

}  // namespace

std::string ManualMarkdown() {
  std::string text = fmt::format(
      "<!-- Made from config/option_table.cc; `GATEBOOK_REGENERATE=1` makes the config tests write it anew. "
      "-->\n"
      "# Configuration\n\n{} It is read from `/etc/gatebook/gatebook.toml`, or from where `-c FILE` says.\n\n"
      "The least that runs, and a redirect from plain HTTP:\n\n```toml\n{}```\n\n"
      "`gatebook config show -c FILE` prints what holds, with all defaults; `gatebook config schema` a JSON "
      "Schema "
      "for editors.\n",
      kSummary, MinimalExample());
  for (const Topic& topic : kTopics) text += fmt::format("\n## {}\n\n{}\n", topic.title, topic.text);
  for (const Section& section : Sections()) {
    text += fmt::format("\n## `{}`\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
                        section.Heading(), section.help);
    for (const Option& option : Options()) {
      if (option.section != section.id) continue;
      const std::string standard = option.required ? "required" : fmt::format("`{}`", PrintDefault(option));
      const std::string example =
          *option.example != '\0' ? fmt::format(" (for instance `{}`)", option.example) : "";
      text += fmt::format("| `{}` | {} | {} | {}{}. |\n", option.key, TypeOf(option), standard, option.help,
                          example);
    }
  }
  return text;
}

std::string ManualPage() {
  std::string text = fmt::format(
      ".\\\" Made from config/option_table.cc; GATEBOOK_REGENERATE=1 makes the config tests write it anew.\n"
      ".TH GATEBOOK.TOML 5 \"\" \"gatebook {}\" \"File formats\"\n"
      ".SH NAME\ngatebook.toml \\- configuration of gatebook(8)\n"
      ".SH SYNOPSIS\n.I /etc/gatebook/gatebook.toml\n"
      ".SH DESCRIPTION\n{}\n",
      GATEBOOK_VERSION, Roff(kSummary));
  for (const Topic& topic : kTopics) text += fmt::format(".SS {}\n{}\n", topic.title, Roff(topic.text));
  text += ".SH OPTIONS\n";
  for (const Section& section : Sections()) {
    text += fmt::format(".SS {}\n{}\n", Roff(section.Heading()), Roff(section.help));
    for (const Option& option : Options()) {
      if (option.section != section.id) continue;
      text += fmt::format(".TP\n.B {}\n{}.\n.br\n", Roff(option.key), Roff(option.help));
      text += fmt::format("Value: {}. ", Roff(TypeOf(option)));
      text += option.required ? "Required.\n" : fmt::format("Default: {}\n", Roff(PrintDefault(option)));
      if (*option.example != '\0') text += fmt::format(".br\nExample: {}\n", Roff(option.example));
    }
  }
  text += ".SH EXAMPLES\n.nf\n";
  const std::string example = MinimalExample();
  for (size_t begin = 0; begin < example.size();) {
    const size_t end = example.find('\n', begin);
    text += Roff(example.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  text +=
      ".fi\n.SH FILES\n.I /etc/gatebook/gatebook.toml\n.SH SEE ALSO\n.BR gatebook (1),\n.BR gatebook (8)\n";
  return text;
}

std::string ExampleFile() {
  std::string text =
      "# /etc/gatebook/gatebook.toml: configuration of gatebook; see gatebook.toml(5).\n"
      "# What is commented out shows the default. Check it with: gatebook check -c FILE\n";
  for (const Section& section : Sections()) {
    text += fmt::format("\n# {}\n{}\n", section.help, section.Heading());
    for (const Option& option : Options()) {
      if (option.section != section.id) continue;
      const std::string pair = option.required ? fmt::format("{} = {}", option.key, option.example)
                                               : fmt::format("#{} = {}", option.key, PrintDefault(option));
      text += fmt::format("{:<44} # {}\n", pair, option.help);
    }
    text += section.more;
  }
  return text;
}

}  // namespace gatebook::config
