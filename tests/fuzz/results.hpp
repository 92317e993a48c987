/// The figures that are committed: tests/fuzz/results.json and RESULTS.md.
#pragma once

#include <string_view>

#include "fuzz/driver.hpp"

namespace rlhf::fuzz {

/// Writes the target's figures into the folder's results.json, leaves the others as they are there,
/// and makes RESULTS.md of all.
void keep_result(const std::string& folder, std::string_view target, const Tally& tally);

}  // namespace rlhf::fuzz
