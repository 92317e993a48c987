#include "facts.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>

#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"

namespace honesty {
namespace {

/// The text up to the next `mark`, which is taken off with it.
std::string_view take_until(std::string_view& text, char mark) {
  const size_t end = std::min(text.find(mark), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

Fact fact_of(std::string_view line, const std::string& where) {
  const std::string original(line);
  const std::string_view city = take_until(line, '\t');
  const std::string_view country = take_until(line, '\t');
  rlhf::require(!city.empty() && !country.empty() && !line.empty() &&
                    line.find_first_not_of("0123456789") == std::string_view::npos,
                where, "city<tab>country<tab>population", original);
  int64_t population = 0;
  std::from_chars(line.data(), line.data() + line.size(), population);
  return {.city = std::string(city), .country = std::string(country), .population = population};
}

}  // namespace

std::vector<Fact> read_facts(const std::filesystem::path& table) {
  const std::string text = rlhf::io::read_file(table);
  std::string_view rest = text;
  take_until(rest, '\n');  // the header
  std::vector<Fact> facts;
  std::set<std::string> cities;
  for (int64_t line = 2; !rest.empty(); ++line) {
    const std::string where = table.string() + ":" + std::to_string(line);
    Fact fact = fact_of(take_until(rest, '\n'), where);
    rlhf::require(cities.insert(fact.city).second, where, "a city not named before", fact.city);
    facts.push_back(std::move(fact));
  }
  rlhf::require(!facts.empty(), table.string(), "at least one fact", "none");
  return facts;
}

std::vector<std::string> countries_of(const std::vector<Fact>& facts) {
  std::set<std::string> countries;
  for (const Fact& fact : facts) countries.insert(fact.country);
  return {countries.begin(), countries.end()};
}

std::vector<Fact> Splits::known() const {
  std::vector<Fact> all;
  for (const Facts* facts : {&demonstrations, &practice, &validation, &test})
    all.insert(all.end(), facts->known.begin(), facts->known.end());
  return all;
}

Splits deal(const std::vector<Fact>& facts, const SplitCounts& counts, rlhf::Generator& generator) {
  const std::vector<int64_t> order =
      rlhf::int64_vector(generator.permutation(static_cast<int64_t>(facts.size())));
  size_t dealt = 0;
  const auto next = [&](int64_t count) {
    std::vector<Fact> hand;
    for (; count > 0; --count) {
      rlhf::require(dealt < order.size(), "facts to deal out", "enough for all splits",
                    static_cast<int64_t>(order.size()));
      hand.push_back(facts[static_cast<size_t>(order[dealt++])]);
    }
    return hand;
  };
  const auto both = [&](const FactCounts& of) {
    std::vector<Fact> known = next(of.known);
    return Facts{.known = std::move(known), .unknown = next(of.unknown)};
  };
  // The order of these lines is the order of dealing.
  Splits splits;
  splits.demonstrations = both(counts.demonstrations);
  splits.practice = both(counts.practice);
  splits.validation = both(counts.validation);
  splits.test = both(counts.test);
  return splits;
}

}  // namespace honesty
