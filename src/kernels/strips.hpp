/// Left operands in the order in which tiles read them: rows, or, where neighbours are the rows,
/// strips of as many of them as a tile has.
#pragma once

#include <memory>
#include <new>

#include "amx.hpp"
#include "panels.hpp"

namespace rlhf::kernels {
namespace {

constexpr int64_t panel = 2 * lanes;  ///< columns
constexpr int64_t tile_height = tile_rows<2>;

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

/// Where the elements of such an operand lie, of `groups` along the inner dimension.
template <class Kind>
struct Strips {
  static constexpr int64_t height = tile_height;           ///< rows of a strip
  static constexpr int64_t row = 1, column = tile_height;  ///< strides: to the next row, group
  int64_t strip;                                           ///< and strip

  explicit Strips(int64_t groups) : strip((groups + 2) * tile_height) {}  // no power of two
};
#ifdef __AMX_BF16__
/// Rows of their own.
template <>
struct Strips<BFloat16> {
  static constexpr int64_t height = 2 * amx_rows, column = 1;
  int64_t row, strip;

  explicit Strips(int64_t groups) : row(groups + 16), strip(height * row) {}
};
#endif

/// Elements of so many rows.
template <class Kind>
int64_t strips_size(int64_t rows, int64_t groups) {
  constexpr int64_t height = Strips<Kind>::height;
  return (rows + height - 1) / height * Strips<Kind>(groups).strip;
}

/// `rows` whose inner dimension, all of `inner`, is a.column apart: neighbours. With zeros behind
/// an odd number's end, and nothing behind the last of the groups.
template <class Kind>
inline void pack_neighbours(const Matrix& a, int64_t rows, int64_t inner,
                            const Strips<Kind>& strips, typename Kind::Element* to) {
#ifdef __AMX_BF16__
  if constexpr (std::is_same_v<Kind, BFloat16>) {
    amx_transposed_rows(a.at, a.column, inner, rows, groups_of<Kind>(inner), strips.row, to);
    return;
  }
#endif
  constexpr int64_t some = 16 * Kind::group;  // all strips, while their lines are at hand
  for (int64_t k = 0; k < inner; k += some) {
    const float* first = a.at + k * a.column;
    auto* group = to + k / Kind::group * tile_height;
    const int64_t part = std::min(some, inner - k);
    int64_t i = 0;
#ifdef __AVX512F__
    for (; i + 4 * tile_height <= rows; i += 4 * tile_height) {
      copy_four_strips<Kind>(first + i, a.column, part, strips.strip,
                             group + i / tile_height * strips.strip);
    }
#endif
    for (; i < rows; i += tile_height) {
      copy_groups<Kind, tile_height>(first + i, a.column, part, std::min(tile_height, rows - i),
                                     group + i / tile_height * strips.strip);
    }
  }
}

/// Calls work(a, strides) with rows as tiles read them: where they are, row after row converted, or
/// in strips.
/// @param memory  of this thread
template <class Kind, class Work>
inline void with_rows(const Matrix& a, int64_t rows, int64_t inner, Scratch& memory, Work&& work) {
  using Element = typename Kind::Element;
  const int64_t groups = groups_of<Kind>(inner);
  const auto take = [&](int64_t elements) {
    return static_cast<Element*>(memory.take(static_cast<size_t>(elements) * sizeof(Element)));
  };
  if (a.column != 1) {
    const Strips<Kind> strips(groups);
    Element* const to = take(strips_size<Kind>(rows, groups));
    pack_neighbours<Kind>(a, rows, inner, strips, to);
    work(static_cast<const Element*>(to), strips);
    return;
  }
  constexpr int64_t height = Strips<Kind>::height;
  if constexpr (std::is_same_v<Kind, Float32>) {
    // Rows a power of two apart would fight for the same lines of the cache.
    constexpr int64_t page = 1024;
    if (a.row % page != 0) {
      work(a.at, RowStrides{a.row, height * a.row});
      return;
    }
  }
  const int64_t row = groups % 16 == 0 ? groups + 16 : groups;
  Element* const to = take((rows + height) * row);
  for (int64_t i = 0; i < rows; ++i) {
    if constexpr (std::is_same_v<Kind, Float32>) {
      std::copy_n(a.at + i * a.row, inner, to + i * row);
    } else {
      to_bfloat16(a.at + i * a.row, inner, to + i * row);
      std::fill(to + i * row + filled_groups<Kind>(inner), to + i * row + groups, 0U);
    }
  }
  work(static_cast<const Element*>(to), RowStrides{row, height * row});
}

}  // namespace
}  // namespace rlhf::kernels
