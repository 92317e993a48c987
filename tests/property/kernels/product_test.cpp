// Products against plain loops in float64, for every instruction set that this processor has.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "../../../src/kernels/kernels.hpp"

namespace rlhf::kernels {
namespace {

using Floats = std::vector<float>;

struct Draws {
  std::mt19937 engine;
  int64_t below(int64_t limit) {
    return std::uniform_int_distribution<int64_t>(0, limit - 1)(engine);
  }
  Floats floats(int64_t count) {
    std::normal_distribution<float> normal;
    Floats drawn(static_cast<size_t>(count));
    for (float& x : drawn) x = normal(engine);
    return drawn;
  }
};

Floats transposed(const Floats& matrix, int64_t rows, int64_t columns) {
  Floats result(matrix.size());
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      result[static_cast<size_t>(j * rows + i)] = matrix[static_cast<size_t>(i * columns + j)];
    }
  }
  return result;
}

/// The nearest number with 8 bits of mantissa: products of such are exact in float32.
Floats rounded(Floats numbers) {
  for (float& x : numbers) {
    int exponent = 0;
    const float mantissa = std::frexp(x, &exponent);
    x = std::ldexp(std::nearbyint(mantissa * 256.0F) / 256.0F, exponent);
  }
  return numbers;
}

/// a [rows, inner] b^T, b [columns, inner].
std::vector<double> exact_product(const Floats& a, const Floats& b, int64_t rows, int64_t columns,
                                  int64_t inner) {
  std::vector<double> result;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k) {
        sum += static_cast<double>(a[static_cast<size_t>(i * inner + k)]) *
               static_cast<double>(b[static_cast<size_t>(j * inner + k)]);
      }
      result.push_back(sum);
    }
  }
  return result;
}

class Products : public testing::TestWithParam<const Kernels*> {};

TEST_P(Products, OfEveryOrientationAgreeWithPlainLoops) {
  Draws draws{std::mt19937(1)};
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    // Now and then more than a block of each dimension.
    const int64_t rows = 1 + draws.below(round % 10 == 0 ? 300 : 40);
    const int64_t columns = 1 + draws.below(round % 10 == 1 ? 2100 : 80);
    const int64_t inner = 1 + draws.below(round % 10 == 2 ? 1200 : 90);
    const Floats a = rounded(draws.floats(rows * inner)),
                 b = rounded(draws.floats(columns * inner));
    const Floats from = draws.floats(rows * columns);
    const Floats a_across = transposed(a, rows, inner), b_across = transposed(b, columns, inner);
    const std::vector<double> exact = exact_product(a, b, rows, columns, inner);
    for (const Number number : {Number::float32, Number::bfloat16}) {
      for (int orientation = 0; orientation < 8; ++orientation) {
        SCOPED_TRACE(testing::Message()
                     << "number " << static_cast<int>(number) << ", orientation " << orientation
                     << ", " << rows << " x " << columns << " x " << inner);
        const bool adds = (orientation & 4) != 0;
        Floats c(static_cast<size_t>(rows * columns), std::nanf(""));
        GetParam()->product(number, {.rows = rows,
                                     .columns = columns,
                                     .inner = inner,
                                     .a = orientation & 1 ? Matrix{a_across.data(), 1, rows}
                                                          : Matrix{a.data(), inner, 1},
                                     .b = orientation & 2 ? Matrix{b_across.data(), columns, 1}
                                                          : Matrix{b.data(), 1, inner},
                                     .from = adds ? from.data() : nullptr,
                                     .from_row = columns,
                                     .c = c.data(),
                                     .c_row = columns});
        double worst = 0;
        for (size_t i = 0; i < c.size(); ++i) {
          const double expected = exact[i] + (adds ? static_cast<double>(from[i]) : 0);
          worst = std::max(worst, std::abs(static_cast<double>(c[i]) - expected));
        }
        // Rounding of a sum of n products of size 1 grows like its terms' sum, about sqrt(n).
        EXPECT_LT(worst, 6e-7 * static_cast<double>(inner) + 2e-6);
      }
    }
  }
}

TEST_P(Products, AnElementDependsOnItsRowAndColumnAlone) {
  Draws draws{std::mt19937(2)};
  const int64_t rows = 37, columns = 53, inner = 700;
  const Floats a = draws.floats(rows * inner), b = draws.floats(columns * inner);
  for (const Number number : {Number::float32, Number::bfloat16}) {
    const auto product = [&](int64_t i, int64_t j, int64_t height, int64_t width) {
      Floats c(static_cast<size_t>(height * width));
      GetParam()->product(number, {.rows = height,
                                   .columns = width,
                                   .inner = inner,
                                   .a = {a.data() + i * inner, inner, 1},
                                   .b = {b.data() + j * inner, 1, inner},
                                   .from = nullptr,
                                   .from_row = 0,
                                   .c = c.data(),
                                   .c_row = width});
      return c;
    };
    const Floats whole = product(0, 0, rows, columns);
    for (const auto& [i, j] : {std::pair<int64_t, int64_t>{0, 0}, {12, 40}, {36, 52}}) {
      EXPECT_EQ(product(i, j, 1, 1)[0], whole[static_cast<size_t>(i * columns + j)]);
    }
  }
}

TEST_P(Products, WithPackedMatricesAgreeWithPlainLoops) {
  Draws draws{std::mt19937(3)};
  for (int round = 0; round < 40; ++round) {
    const int64_t rows = 1 + draws.below(40), outputs = 1 + draws.below(90),
                  inputs = 1 + draws.below(150);
    SCOPED_TRACE(testing::Message() << rows << " x " << outputs << " x " << inputs);
    const Floats x = rounded(draws.floats(rows * inputs));
    const Floats matrix = rounded(draws.floats(outputs * inputs));
    const std::vector<double> exact = exact_product(x, matrix, rows, outputs, inputs);
    Floats transposed(matrix.size());
    for (int64_t i = 0; i < outputs * inputs; ++i) {
      transposed[static_cast<size_t>(i % inputs * outputs + i / inputs)] =
          matrix[static_cast<size_t>(i)];
    }
    for (const Number number : {Number::float32, Number::bfloat16, Number::int8}) {
      enum class From { nothing, itself, one_row };
      for (const From from : {From::nothing, From::itself, From::one_row}) {
        std::vector<float> packed(
            static_cast<size_t>(GetParam()->packed_size(number, outputs, inputs) / 4)),
            other = packed;
        GetParam()->pack(number, {matrix.data(), 1, inputs}, outputs, inputs, packed.data());
        if (number != Number::int8) {  // the same, from where its columns lie side by side
          GetParam()->pack(number, {transposed.data(), outputs, 1}, outputs, inputs, other.data());
          EXPECT_EQ(std::memcmp(packed.data(), other.data(), packed.size() * 4), 0);
        }
        Floats y(static_cast<size_t>(rows * outputs), 0.5F);
        const Floats row(static_cast<size_t>(outputs), 0.25F);
        const bool in_place = from == From::itself;
        const float* const begin = from == From::nothing ? nullptr : (in_place ? y : row).data();
        const double expected = from == From::nothing ? 0 : (in_place ? 0.5 : 0.25);
        GetParam()->packed_product(number, x.data(), rows, packed.data(), outputs, inputs, begin,
                                   in_place ? outputs : 0, y.data());
        double worst = 0;
        for (size_t i = 0; i < y.size(); ++i) {
          worst = std::max(worst, std::abs(static_cast<double>(y[i]) - exact[i] - expected));
        }
        // A byte errs by half a step of 1/127 of the greatest (about 3), in both factors.
        EXPECT_LT(worst, number == Number::int8 ? 0.1 * std::sqrt(static_cast<double>(inputs))
                                                : 6e-7 * static_cast<double>(inputs) + 2e-6);
      }
    }
  }
}

TEST_P(Products, OfRowsPackedABlockAtATimeAreThoseOfWholeMatrices) {
  Draws draws{std::mt19937(5)};
  for (int round = 0; round < 40; ++round) {
    // Now and then more than a block of each dimension.
    const int64_t rows = draws.below(round % 10 == 0 ? 3000 : 200);
    const int64_t outputs = 1 + draws.below(round % 10 == 1 ? 600 : 120);
    const int64_t inputs = 1 + draws.below(100), capacity = rows + draws.below(70);
    const bool add = draws.below(2) == 1;
    SCOPED_TRACE(testing::Message() << rows << " of " << capacity << " rows, " << outputs << " x "
                                    << inputs << (add ? ", added" : ""));
    const Floats gradient = draws.floats(rows * outputs), x = draws.floats(rows * inputs);
    for (const Number number : {Number::float32, Number::bfloat16}) {
      const Floats before = draws.floats(outputs * inputs);
      Floats expected = before, c = before;
      GetParam()->product(number, {.rows = outputs,
                                   .columns = inputs,
                                   .inner = rows,
                                   .a = {gradient.data(), 1, outputs},
                                   .b = {x.data(), inputs, 1},
                                   .from = add ? expected.data() : nullptr,
                                   .from_row = inputs,
                                   .c = expected.data(),
                                   .c_row = inputs});
      const auto room = [&](OuterSide side, int64_t width) {
        return Floats(
            static_cast<size_t>(GetParam()->outer_size(number, side, capacity, width) / 4),
            std::nanf(""));
      };
      Floats output_side = room(OuterSide::outputs, outputs);
      Floats input_side = room(OuterSide::inputs, inputs);
      // The last block first: none may touch what others packed.
      for (int64_t begin = (rows - 1) / outer_rows * outer_rows, end = rows; end > 0;) {
        begin = std::max<int64_t>(0, begin - draws.below(4) * outer_rows);
        GetParam()->outer_pack(number, OuterSide::outputs, gradient.data() + begin * outputs, begin,
                               end - begin, outputs, capacity, output_side.data());
        GetParam()->outer_pack(number, OuterSide::inputs, x.data() + begin * inputs, begin,
                               end - begin, inputs, capacity, input_side.data());
        end = begin;
        begin -= outer_rows;
      }
      const OuterTile tile = GetParam()->outer_tile(number);
      const int64_t middle_output = draws.below(outputs) / tile.outputs * tile.outputs;
      const int64_t middle_input = draws.below(inputs) / tile.inputs * tile.inputs;
      for (const bool lower : {false, true}) {
        for (const bool right : {false, true}) {
          GetParam()->outer_product(number, {.rows = rows,
                                             .outputs = outputs,
                                             .inputs = inputs,
                                             .capacity = capacity,
                                             .output_side = output_side.data(),
                                             .input_side = input_side.data(),
                                             .first_output = lower ? middle_output : 0,
                                             .last_output = lower ? outputs : middle_output,
                                             .first_input = right ? middle_input : 0,
                                             .last_input = right ? inputs : middle_input,
                                             .add = add,
                                             .c = c.data()});
        }
      }
      EXPECT_EQ(c, expected);
    }
  }
}

TEST_P(Products, OfBytesAreExactWhereBytesSuffice) {
  // Whole numbers up to 127, with a 127 in every row: the scale is 1 and nothing is lost.
  Draws draws{std::mt19937(4)};
  const int64_t rows = 13, outputs = 37, inputs = 50;
  const auto whole_numbers = [&](int64_t count, int64_t width) {
    Floats numbers;
    for (int64_t i = 0; i < count * width; ++i) {
      numbers.push_back(i % width == 0 ? 127.0F : static_cast<float>(draws.below(255) - 127));
    }
    return numbers;
  };
  const Floats x = whole_numbers(rows, inputs), matrix = whole_numbers(outputs, inputs);
  std::vector<float> packed(
      static_cast<size_t>(GetParam()->packed_size(Number::int8, outputs, inputs) / 4));
  GetParam()->pack(Number::int8, {matrix.data(), 1, inputs}, outputs, inputs, packed.data());
  Floats y(static_cast<size_t>(rows * outputs));
  GetParam()->packed_product(Number::int8, x.data(), rows, packed.data(), outputs, inputs, nullptr,
                             0, y.data());
  const std::vector<double> exact = exact_product(x, matrix, rows, outputs, inputs);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(static_cast<double>(y[i]), exact[i]);
}

TEST_P(Products, KeepNumbersThatAreNoNumbers) {
  for (const Number number : {Number::float32, Number::bfloat16}) {
    const Floats a{1.0F, std::nanf(""), 2.0F, 3.0F}, b{1.0F, 1.0F};
    Floats c(2);
    GetParam()->product(number, {.rows = 2,
                                 .columns = 1,
                                 .inner = 2,
                                 .a = {a.data(), 2, 1},
                                 .b = {b.data(), 1, 2},
                                 .from = nullptr,
                                 .from_row = 0,
                                 .c = c.data(),
                                 .c_row = 1});
    EXPECT_TRUE(std::isnan(c[0]));
    EXPECT_EQ(c[1], 5.0F);
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Products, testing::ValuesIn(all_kernels()),
                         [](const auto& set) { return "Set" + std::to_string(set.index); });

}  // namespace
}  // namespace rlhf::kernels
