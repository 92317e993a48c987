/// Matrix products: blocks of the operands are copied, once, into the order in which the tiles read
/// them (Goto and van de Geijn 2008, doi 10.1145/1356052.1356053), or come packed already.
#pragma once

#include "strips.hpp"

namespace rlhf::kernels {
namespace {

/// How much of each operand is at hand at a time, in numbers of the inner dimension, rows and
/// columns: a panel and the rows beside it stay in the second-level cache, all panels in the third.
template <class Kind>
struct Blocks {
  static constexpr int64_t inner = 640 * Kind::group;
  static constexpr int64_t rows = 240 / Strips<Kind>::height * Strips<Kind>::height;
  static constexpr int64_t columns = 2048;
};

/// A panel, the last one as narrow as its columns allow; calls work(first column, columns, width).
template <class Work>
inline void for_each_panel(int64_t columns, Work&& work) {
  for (int64_t j = 0; j < columns; j += panel) {
    const int64_t count = std::min(panel, columns - j);
    work(j, count, count <= lanes ? lanes : panel);
  }
}

/// Rows in strips times one packed panel, into `count` of its `width` columns.
template <class Kind, class LeftStrides>
inline void panel_product(int64_t rows, int64_t groups, const typename Kind::Element* a,
                          const LeftStrides& strips, const typename Kind::Element* b, int64_t count,
                          int64_t width, const float* from, int64_t from_row, float* c,
                          int64_t c_row) {
#ifdef __AMX_BF16__
  if constexpr (std::is_same_v<Kind, BFloat16>) {
    for (int64_t i = 0; i < rows; i += Strips<Kind>::height, a += strips.strip) {
      amx_panel(std::min(Strips<Kind>::height, rows - i), groups, a, strips.row, b, count, width,
                from == nullptr ? nullptr : from + i * from_row, from_row, c + i * c_row, c_row);
    }
    return;
  }
#endif
  const auto columns = [&](int64_t some, const typename Kind::Element* a_rows, const float* start,
                           int64_t start_row, float* to, int64_t to_row) {
    if (width == panel) {
      tile_column<Kind, 2, tile_height>(some, groups, a_rows, strips, b, width, start, start_row,
                                        to, to_row);
    } else {
      tile_column<Kind, 1, tile_height>(some, groups, a_rows, strips, b, width, start, start_row,
                                        to, to_row);
    }
  };
  if (count == width) {
    columns(rows, a, from, from_row, c, c_row);
    return;
  }
  // The panel's last columns are not there: through memory that has them.
  float whole[tile_height * panel];
  for (int64_t i = 0; i < rows; i += tile_height, a += strips.strip) {
    const int64_t some = std::min(tile_height, rows - i);
    if (from != nullptr) {
      for (int64_t r = 0; r < some; ++r) {
        std::copy_n(from + (i + r) * from_row, count, whole + r * width);
      }
    }
    columns(some, a, from != nullptr ? whole : nullptr, width, whole, width);
    for (int64_t r = 0; r < some; ++r) {
      std::copy_n(whole + r * width, count, c + (i + r) * c_row);
    }
  }
}

/// Of the inner dimension, what is taken at a time, in parts of one size: a short last one would
/// pay for reading and writing c all the same.
template <class Kind>
int64_t inner_part(int64_t inner) {
  const int64_t parts = (inner + Blocks<Kind>::inner - 1) / Blocks<Kind>::inner;
  constexpr int64_t whole = 16 * Kind::group;
  return ((inner + parts - 1) / parts + whole - 1) / whole * whole;
}

template <class Kind>
void blocked_product(const Product& p) {
  using Element = typename Kind::Element;
  using Block = Blocks<Kind>;
  static thread_local Scratch panels_memory, rows_memory;
  const int64_t part = inner_part<Kind>(p.inner);
  const int64_t most_groups = groups_of<Kind>(std::min(p.inner, part));
  const int64_t most_columns = (std::min(p.columns, Block::columns) + panel - 1) / panel * panel;
  const auto bytes = [](int64_t elements) {
    return static_cast<size_t>(elements) * sizeof(Element);
  };
  auto* panels = static_cast<Element*>(panels_memory.take(bytes(most_groups * most_columns)));
  [[maybe_unused]] const TileUnit tiles;
  for (int64_t k = 0; k < p.inner; k += part) {
    const int64_t inner = std::min(part, p.inner - k), groups = groups_of<Kind>(inner);
    // The first block of the inner dimension starts from `from`, the others go on from c.
    const float* from = k == 0 ? p.from : p.c;
    const int64_t from_row = k == 0 ? p.from_row : p.c_row;
    for (int64_t n = 0; n < p.columns; n += Block::columns) {
      const int64_t columns = std::min(Block::columns, p.columns - n);
      for_each_panel(columns, [&](int64_t j, int64_t count, int64_t width) {
        const Matrix b{p.b.at + k * p.b.row + (n + j) * p.b.column, p.b.row, p.b.column};
        pack_panel<Kind>(b, inner, count, width, panels + j * groups);
      });
      for (int64_t m = 0; m < p.rows; m += Block::rows) {
        const int64_t some = std::min(Block::rows, p.rows - m);
        const Matrix a{p.a.at + m * p.a.row + k * p.a.column, p.a.row, p.a.column};
        with_rows<Kind>(a, some, inner, rows_memory, [&](auto* rows, auto strides) {
          for_each_panel(columns, [&](int64_t j, int64_t count, int64_t width) {
            const int64_t offset = n + j;
            panel_product<Kind>(some, groups, rows, strides, panels + j * groups, count, width,
                                from == nullptr ? nullptr : from + m * from_row + offset, from_row,
                                p.c + m * p.c_row + offset, p.c_row);
          });
        });
      }
    }
  }
}

void product(Number number, const Product& p) {
  if (p.inner == 0) {
    for (int64_t i = 0; i < p.rows; ++i) {
      for (int64_t j = 0; j < p.columns; ++j) {
        p.c[i * p.c_row + j] = p.from == nullptr ? 0.0F : p.from[i * p.from_row + j];
      }
    }
  } else if (number == Number::bfloat16) {
    blocked_product<BFloat16>(p);
  } else {
    blocked_product<Float32>(p);
  }
}

}  // namespace
}  // namespace rlhf::kernels
