// Templates that would take without end, or end the stack.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/text/chat_template.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::HasSubstr;

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void expect_error(const std::string& source, const std::string& message,
                  RenderLimits limits = {.steps = 1'000'000, .output_bytes = 1 << 20}) {
  EXPECT_THAT(error_of([&] { ChatTemplate(source, {}, limits).render({}); }), HasSubstr(message))
      << source.substr(0, 100);
}

TEST(HostileTemplate, TakesAsManyStepsAsItMay) {
  const std::string nested = "{% for a in range(100000) %}{% for b in range(100000) %}{{ a }}";
  expect_error(nested + "{% endfor %}{% endfor %}",
               "line 1: it does more than RenderLimits::steps");
  expect_error(
      "{% set ns = namespace(x='aa') %}{% for i in range(99999) %}{% set ns.x = ns.x + ns.x %}"
      "{% endfor %}",
      "chat template, line 1: it");
  expect_error(
      "{% set ns = namespace(x=[1]) %}{% for i in range(99999) %}{% set ns.x = ns.x + ns.x %}"
      "{% endfor %}",
      "it does more than RenderLimits::steps");
  expect_error("{% for i in range(99999) %}{% set x = 'abc' in 'x' * 1000000 %}{% endfor %}",
               "it does more than RenderLimits::steps");
  EXPECT_EQ(ChatTemplate("{{ 1 + 1 }}", {}, {.steps = 100}).render({}), "2");
}

TEST(HostileTemplate, PrintsAsMuchAsItMay) {
  expect_error("{% for i in range(99999) %}{{ 'abcdefghijklmnopqrst' * 100 }}{% endfor %}",
               "line 1: its output is longer than the 1048576 bytes of RenderLimits::output_bytes");
  expect_error("{{ 'ab' * 1000000 }}", "its output is longer");
  expect_error("{{ 'ab' * 9000000000000000000 }}", "too long");
  expect_error("{{ [1] * 100000000 }}", "it does more than RenderLimits::steps");
  expect_error("{% set x = 'a' * 100000 %}{{ x.replace('a', x) }}", "its output is longer");
  expect_error("{{ (['a' * 100000] * 100) | join }}", "chat template, line 1: it");
  expect_error("{{ range(100000) | list | tojson(indent=1000) }}", "chat template, line 1: it");
  expect_error("{{ ('a\\n' * 100000) | indent(1000) }}", "chat template, line 1: it");
}

TEST(HostileTemplate, CallsItselfAsDeepAsItMay) {
  expect_error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
               "line 1: calls and expressions nested too deep");
  expect_error("{% macro f(a=f()) %}{% endmacro %}{{ f() }}", "nested too deep");
  expect_error(
      "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
      "nested too deep");
}

TEST(HostileTemplate, NestsAsDeepAsItMay) {
  constexpr int deep = 100'000;
  for (const auto& [open, inner, close] :
       std::vector<std::array<std::string, 3>>{{"(", "1", ")"},
                                               {"[", "1", "]"},
                                               {"{'a': ", "1", "}"},
                                               {"not ", "1", ""},
                                               {"-", "1", ""},
                                               {"", "1", "[0]"},
                                               {"", "a", ".a"},
                                               {"", "a", "()"},
                                               {"", "a", "|trim"},
                                               {"a if ", "1", " else b"},
                                               {"1 + ", "1", ""},
                                               {"'a' ~ (", "1", ")"},
                                               {"f(", "1", ")"},
                                               {"a is in (", "1", ")"},
                                               {"1 and ", "1", ""},
                                               {"1 ** ", "1", ""}}) {
    const std::string source =
        "{{ " + repeated(open, deep / 10) + inner + repeated(close, deep / 10) + " }}";
    expect_error(source, "nested too deep", {.steps = 100'000'000});
  }
  for (const std::string block :
       {"{% if 1 %}", "{% for a in b %}", "{% set a %}", "{% generation %}", "{% macro f() %}"}) {
    expect_error(repeated(block, deep / 10), "nested too deep", {.steps = 100'000'000});
  }
}

TEST(HostileTemplate, MakesNoValueThatIsTooDeepOrHoldsItself) {
  expect_error(
      "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}"
      "{% endfor %}{{ ns.x }}",
      "lists and mappings nested too deep");
  expect_error(
      "{% set ns = namespace(x={}) %}{% for i in range(1000) %}{% set ns.x = {'a': ns.x} %}"
      "{% endfor %}",
      "lists and mappings nested too deep");
  for (const std::string value : {"ns", "[ns]", "{'a': ns}", "(1, [ns])"}) {
    expect_error("{% set ns = namespace() %}{% set ns.x = " + value + " %}",
                 "a namespace or loop can be in no list, mapping or namespace");
  }
  expect_error("{% set ns = namespace() %}{% set m = namespace(x=ns) %}", "can be in no list");
  expect_error("{% for i in [1] %}{% set l = [loop] %}{% endfor %}", "can be in no list");
}

TEST(HostileTemplate, HasBoundedSourceAndNumbers) {
  expect_error(std::string((size_t{1} << 20) + 1, 'a'), "it has 1048577 bytes, more than 1048576");
  expect_error("{{ 99999999999999999999 }}", "the number 99999999999999999999 is too large");
  for (const std::string sum : {"9223372036854775807 + 1", "-9223372036854775807 - 2",
                                "9223372036854775807 * 2", "2 ** 63", "10 ** 100000000000"}) {
    expect_error("{{ " + sum + " }}", "a number too large");
  }
  expect_error("{{ (-9223372036854775807 - 1) // -1 }}", "a number too large");
  expect_error("{{ range(100001) }}", "range: more than 100000 numbers");
  EXPECT_EQ(ChatTemplate("{{ (-1) ** 9223372036854775807 }} {{ 1 ** 9223372036854775807 }} "
                         "{{ 0 ** 9223372036854775807 }} {{ [1, 2][::9223372036854775807] }}")
                .render({}),
            "-1 1 0 [1]");
}

TEST(HostileTemplate, CannotReachBeyondItsValues) {
  for (const std::string name : {"__class__", "__init__", "mro", "__globals__"}) {
    EXPECT_EQ(ChatTemplate("{{ ''." + name + " }}{{ messages." + name + " }}").render({}), "");
  }
}

TEST(HostileTemplate, LimitsAreChecked) {
  EXPECT_THAT(error_of([] { ChatTemplate("", {}, {.steps = 0}); }),
              HasSubstr("RenderLimits::steps: expected >= 1, got 0"));
  EXPECT_THAT(error_of([] { ChatTemplate("", {}, {.output_bytes = -1}); }),
              HasSubstr("RenderLimits::output_bytes: expected >= 0, got -1"));
}

}  // namespace
}  // namespace rlhf
