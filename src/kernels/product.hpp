/// Matrix products: blocks of the operands are copied, once, into the order in which the tiles read
/// them (Goto and van de Geijn 2008, doi 10.1145/1356052.1356053), or come packed already.
#pragma once

#include <memory>
#include <new>

#include "amx.hpp"
#include "panels.hpp"

namespace rlhf::kernels {
namespace {

constexpr int64_t panel = 2 * lanes;  ///< columns
constexpr int64_t tile_height = tile_rows<2>;

/// Rows that are packed together, and those that one call of panel_product() takes if all are as
/// far apart.
template <class Kind>
constexpr int64_t strip_height = tile_height;
template <class Kind>
constexpr int64_t most_rows = std::numeric_limits<int32_t>::max();
#ifdef __AMX_BF16__
template <>
constexpr int64_t strip_height<BFloat16> = 2 * amx_rows;
template <>
constexpr int64_t most_rows<BFloat16> = strip_height<BFloat16>;
#endif
template <class Kind>
constexpr int64_t whole_strips(int64_t rows) {
  return (rows + strip_height<Kind> - 1) / strip_height<Kind> * strip_height<Kind>;
}

/// Memory of this thread that every product uses again.
class Scratch {
 public:
  void* take(size_t bytes) {
    if (bytes > size_) {
      memory_.reset(::operator new(bytes, alignment));
      size_ = bytes;
    }
    return memory_.get();
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, alignment); }
  };
  std::unique_ptr<void, Free> memory_;
  size_t size_ = 0;
};

/// How much of each operand is at hand at a time, in numbers of the inner dimension, rows and
/// columns: a panel and the rows beside it stay in the second-level cache, all panels in the third.
template <class Kind>
struct Blocks {
  static constexpr int64_t inner = 640 * Kind::group;
  static constexpr int64_t rows = 240 / strip_height<Kind> * strip_height<Kind>;
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

/// Rows times one packed panel, into `count` of its `width` columns.
template <class Kind>
inline void panel_product(int64_t rows, int64_t groups, const typename Kind::Element* a,
                          int64_t a_row, int64_t a_column, const typename Kind::Element* b,
                          int64_t count, int64_t width, const float* from, int64_t from_row,
                          float* c, int64_t c_row) {
#ifdef __AMX_BF16__
  if constexpr (std::is_same_v<Kind, BFloat16>) {
    amx_panel(rows, groups, a, a_row, b, count, width, from, from_row, c, c_row);
    return;
  }
#endif
  const auto columns = [&](int64_t some, const typename Kind::Element* a_rows, const float* start,
                           int64_t start_row, float* to, int64_t to_row) {
    if (width == panel) {
      tile_column<Kind, 2>(some, groups, a_rows, a_row, a_column, b, width, start, start_row, to,
                           to_row);
    } else {
      tile_column<Kind, 1>(some, groups, a_rows, a_row, a_column, b, width, start, start_row, to,
                           to_row);
    }
  };
  if (count == width) {
    columns(rows, a, from, from_row, c, c_row);
    return;
  }
  // The panel's last columns are not there: through memory that has them.
  float whole[tile_height * panel];
  for (int64_t i = 0; i < rows; i += tile_height) {
    const int64_t some = std::min(tile_height, rows - i);
    if (from != nullptr) {
      for (int64_t r = 0; r < some; ++r) {
        std::copy_n(from + (i + r) * from_row, count, whole + r * width);
      }
    }
    columns(some, a + i * a_row, from != nullptr ? whole : nullptr, width, whole, width);
    for (int64_t r = 0; r < some; ++r) {
      std::copy_n(whole + r * width, count, c + (i + r) * c_row);
    }
  }
}

/// Rows of a as tiles read them: where they are, row after row converted, or strip after strip.
template <class Kind>
struct Rows {
  const typename Kind::Element* at;
  int64_t row, column, strip;  ///< strides: to the next row, the next group, the next strip

  /// @param memory  room for `rows` (rounded up to whole strips) times groups + 16 elements
  Rows(const Matrix& a, int64_t rows, int64_t inner, typename Kind::Element* memory) {
    const int64_t groups = groups_of<Kind>(inner);
    at = memory;
#ifdef __AMX_BF16__
    if constexpr (std::is_same_v<Kind, BFloat16>) {
      row = groups + 16;  // not a power of two apart
      column = 1;
      strip = strip_height<Kind> * row;
      if (a.column != 1) {
        amx_transposed_rows(a.at, a.column, inner, rows, groups, row, memory);
        return;
      }
      for (int64_t i = 0; i < rows; ++i) {
        uint32_t* to = memory + i * row;
        to_bfloat16(a.at + i * a.row, inner, to);
        std::fill(to + filled_groups<Kind>(inner), to + groups, 0U);
      }
      return;
    }
#endif
    if (a.column != 1) {  // neighbours are rows
      row = 1;
      column = tile_height;
      strip = (groups + 2) * tile_height;         // not a power of two apart
      constexpr int64_t some = 16 * Kind::group;  // all tiles, while their lines are at hand
      for (int64_t k = 0; k < inner; k += some) {
        int64_t i = 0;
#ifdef __AVX512BF16__
        if constexpr (std::is_same_v<Kind, BFloat16>) {
          for (; i + 4 * tile_height <= rows; i += 4 * tile_height) {
            copy_four_strips(a.at + i + k * a.column, a.column, std::min(some, inner - k), strip,
                             memory + i / tile_height * strip + k / Kind::group * tile_height);
          }
        }
#endif
        for (; i < rows; i += tile_height) {
          copy_groups<Kind, tile_height>(
              a.at + i + k * a.column, a.column, std::min(some, inner - k),
              std::min(tile_height, rows - i),
              memory + i / tile_height * strip + k / Kind::group * tile_height);
        }
      }
      return;
    }
    // Rows a power of two apart would fight for the same lines of the cache.
    constexpr int64_t page = 1024;
    if constexpr (std::is_same_v<Kind, Float32>) {
      if (a.row % page != 0) {
        at = a.at;
        row = a.row;
        column = 1;
        strip = tile_height * row;
        return;
      }
    }
    row = groups % 16 == 0 ? groups + 16 : groups;
    column = 1;
    strip = tile_height * row;
    for (int64_t i = 0; i < rows; ++i) {
      if constexpr (std::is_same_v<Kind, Float32>) {
        std::copy_n(a.at + i * a.row, inner, memory + i * row);
      } else {
        to_bfloat16(a.at + i * a.row, inner, memory + i * row);
      }
    }
  }
};

template <class Kind>
void blocked_product(const Product& p) {
  using Element = typename Kind::Element;
  using Block = Blocks<Kind>;
  static thread_local Scratch panels_memory, rows_memory;
  // In parts of one size: a short last one would pay for reading and writing c all the same.
  const int64_t parts = (p.inner + Block::inner - 1) / Block::inner;
  constexpr int64_t whole = 16 * Kind::group;
  const int64_t part = ((p.inner + parts - 1) / parts + whole - 1) / whole * whole;
  const int64_t most_groups = groups_of<Kind>(std::min(p.inner, part));
  const int64_t most_rows = whole_strips<Kind>(std::min(p.rows, Block::rows) + 1);
  const int64_t most_columns = (std::min(p.columns, Block::columns) + panel - 1) / panel * panel;
  const auto bytes = [](int64_t elements) {
    return static_cast<size_t>(elements) * sizeof(Element);
  };
  auto* panels = static_cast<Element*>(panels_memory.take(bytes(most_groups * most_columns)));
  auto* rows = static_cast<Element*>(rows_memory.take(bytes(most_rows * (most_groups + 16))));
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
        const Rows<Kind> a({p.a.at + m * p.a.row + k * p.a.column, p.a.row, p.a.column}, some,
                           inner, rows);
        for_each_panel(columns, [&](int64_t j, int64_t count, int64_t width) {
          for (int64_t i = 0; i < some; i += strip_height<Kind>) {
            const int64_t offset = n + j;
            panel_product<Kind>(std::min(strip_height<Kind>, some - i), groups,
                                a.at + i / strip_height<Kind> * a.strip, a.row, a.column,
                                panels + j * groups, count, width,
                                from == nullptr ? nullptr : from + (m + i) * from_row + offset,
                                from_row, p.c + (m + i) * p.c_row + offset, p.c_row);
          }
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
