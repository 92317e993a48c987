#include "fuzz/results.hpp"

#include <cmath>

#include "support/figures.hpp"

namespace rlhf::fuzz {

void keep_result(const std::string& folder, std::string_view target, const Tally& tally) {
  static const test::Figures figures{
      .introduction =
          "# Hostile files: the latest figures\n"
          "\n"
          "`build/tests/fuzz/fuzz all --executions 1000000 --seed 2 --results tests/fuzz` writes "
          "this page and\n"
          "`results.json` anew, a parser at a time, under AddressSanitizer and UBSan; what it does "
          "is told in\n"
          "[tests/README.md](../README.md). Read and refused: without and with an Error that names "
          "the file.\n"
          "Places: in the library's source that refused at least one. Bad: anything else that came "
          "of an input,\n"
          "which ends the run.\n",
      .rows_are = "parser",
      .columns = {"executions", "read", "refused", "places", "bad", "seconds"}};
  test::keep_figures(folder, figures, std::string(target),
                     {{"executions", tally.executions},
                      {"read", tally.read},
                      {"refused", tally.refused},
                      {"places", tally.places},
                      {"bad", tally.bad.empty() ? 0 : 1},
                      {"seconds", std::llround(tally.seconds)}});
}

}  // namespace rlhf::fuzz
