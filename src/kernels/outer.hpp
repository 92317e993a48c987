/// Sums of outer products, a^T b over rows that were packed a block at a time: weights' gradients,
/// whose operands are converted while who made them still has them at hand.
#pragma once

#include "product.hpp"

namespace rlhf::kernels {
namespace {

template <class Kind>
int64_t outer_elements(OuterSide side, int64_t capacity, int64_t width) {
  const int64_t groups = groups_of<Kind>(capacity);
  return side == OuterSide::outputs ? strips_size<Kind>(width, groups)
                                    : (width + panel - 1) / panel * panel * groups;
}

template <class Kind>
void pack_outer(OuterSide side, const float* rows, int64_t begin, int64_t count, int64_t width,
                int64_t capacity, void* packed) {
  static_assert(outer_rows % (Kind::group * 16) == 0, "blocks are of whole groups of any tile");
  auto* to = static_cast<typename Kind::Element*>(packed);
  const int64_t groups = groups_of<Kind>(capacity), first = begin / Kind::group;
  if (side == OuterSide::outputs) {
    const Strips<Kind> strips(groups);
    pack_neighbours<Kind>({rows, 1, width}, width, count, strips, to + first * strips.column);
    return;
  }
  for_each_panel(width, [&](int64_t j, int64_t columns, int64_t panel_width) {
    pack_panel<Kind>({rows + j, width, 1}, count, columns, panel_width,
                     to + j * groups + first * panel_width);
  });
}

template <class Kind>
void multiply_outer(const OuterProduct& p) {
  using Element = typename Kind::Element;
  const int64_t groups = groups_of<Kind>(p.capacity);
  const int64_t part = inner_part<Kind>(std::max<int64_t>(1, p.rows));
  const Strips<Kind> strips(groups);
  const auto* const left = static_cast<const Element*>(p.output_side);
  const auto* const right = static_cast<const Element*>(p.input_side);
  [[maybe_unused]] const TileUnit tiles;
  for (int64_t k = 0; k == 0 || k < p.rows; k += part) {  // once of no rows: zeros
    const int64_t some_groups = groups_of<Kind>(std::min(part, p.rows - k));
    const int64_t first = k / Kind::group;
    const bool add = p.add || k > 0;
    for (int64_t m = p.first_output; m < p.last_output; m += Blocks<Kind>::rows) {
      const int64_t some = std::min(Blocks<Kind>::rows, p.last_output - m);
      const Element* const a = left + m / strips.height * strips.strip + first * strips.column;
      for_each_panel(p.last_input - p.first_input, [&](int64_t from, int64_t count, int64_t width) {
        const int64_t j = p.first_input + from;
        float* const c = p.c + m * p.inputs + j;
        panel_product<Kind>(some, some_groups, a, strips, right + j * groups + first * width, count,
                            width, add ? c : nullptr, p.inputs, c, p.inputs);
      });
    }
  }
}

int64_t outer_size(Number number, OuterSide side, int64_t capacity, int64_t width) {
  return 4 * (number == Number::bfloat16 ? outer_elements<BFloat16>(side, capacity, width)
                                         : outer_elements<Float32>(side, capacity, width));
}

void outer_pack(Number number, OuterSide side, const float* rows, int64_t begin, int64_t count,
                int64_t width, int64_t capacity, void* packed) {
  (number == Number::bfloat16 ? pack_outer<BFloat16> : pack_outer<Float32>)(side, rows, begin,
                                                                            count, width, capacity,
                                                                            packed);
}

OuterTile outer_tile(Number number) {
  return {number == Number::bfloat16 ? Strips<BFloat16>::height : Strips<Float32>::height, panel};
}

void outer_product(Number number, const OuterProduct& p) {
  (number == Number::bfloat16 ? multiply_outer<BFloat16> : multiply_outer<Float32>)(p);
}

}  // namespace
}  // namespace rlhf::kernels
