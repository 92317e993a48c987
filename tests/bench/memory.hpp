/// What this process holds in memory, as Linux counts it.
#pragma once

namespace bench {

/// MB held now.
double held_mb();
/// MB held at most since the start, or since count_peak_anew().
double peak_mb();
void count_peak_anew();

}  // namespace bench
