/// What the Google Benchmark programs of the jobs share: all of it but main().
#pragma once

#include <string_view>

namespace bench {

/// Runs the cases of those jobs that belong to bench_<program>. @return what main() returns
int run_program(std::string_view program, int argc, char** argv);

}  // namespace bench
