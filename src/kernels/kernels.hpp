/// The inner loops of the decoder on float32 rows in memory, without LibTorch: compiled once per
/// instruction set, chosen when the program runs. All matrices are row-major; counts, not bytes.
#pragma once

#include <cstdint>
#include <vector>

namespace rlhf::kernels {

/// One sequence's attention by one group of heads that share keys and values.
struct AttentionHeads {
  const float* queries;  ///< first query head of the group, at the sequence's first token
  const float* keys;
  const float* values;
  int64_t row_stride;  ///< from one token to the next in queries, keys and values
  int64_t tokens;
  int64_t heads;  ///< query heads of the group, side by side
  int64_t head_size;
  int64_t next;  ///< groups from here to the one that is read after this; 0: nothing is known
};

/// The numbers that products multiply; matrices in memory are float32, as are the results.
///   bfloat16  both operands rounded, sums in float32
///   int8      packed products alone: the matrix by a scale a row, the other operand by a scale a
///             row at every product, sums in int32
enum class Number : uint8_t { float32, bfloat16, int8 };

/// A matrix whose element (r, c) is at[r * row + c * column]; one of the strides is 1.
struct Matrix {
  const float* at;
  int64_t row, column;
};

/// c [rows, columns] = from + a [rows, inner] b [inner, columns]. Each sum runs along `inner` in
/// order, so that an element does not depend on the rows and columns beside it.
struct Product {
  int64_t rows, columns, inner;
  Matrix a, b;
  const float* from;  ///< rows from_row apart, 0 for one that all share; null: zeros; may be c
  int64_t from_row;
  float* c;
  int64_t c_row;
};

/// What a weight's gradient is a product of: rows of the gradient of its outputs, rows of its
/// inputs. Packed a block of rows at a time, by who makes them.
enum class OuterSide : uint8_t { outputs, inputs };

/// Packed blocks begin at multiples of so many rows.
constexpr int64_t outer_rows = 32;

/// Outputs and inputs that are multiplied together.
struct OuterTile {
  int64_t outputs, inputs;
};

/// c [outputs, inputs] (+)= the sum of the outer products of `rows` rows, or a part of it: from one
/// output and input, at multiples of an OuterTile, to another. Sums run in the order of the rows.
struct OuterProduct {
  int64_t rows, outputs, inputs;
  int64_t capacity;  ///< rows that the operands have room for
  const void* output_side;
  const void* input_side;
  int64_t first_output, last_output, first_input, last_input;  ///< last: one behind
  bool add;
  float* c;
};

/// AdamW's step for one parameter (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2): with
/// g = gradient_scale * gradient,
///   first = beta1 first + (1 - beta1) g,  second = beta2 second + (1 - beta2) g^2,
///   parameter = decay parameter - size first / (second_scale sqrt(second) + epsilon)
struct AdamWStep {
  float gradient_scale, beta1, beta2, decay, size, second_scale, epsilon;
};

/// Positions of a block of cached keys.
constexpr int64_t key_block = 16;

/// A token, and its log-probability under the distribution it was drawn from.
struct Drawn {
  int64_t token;
  float log_prob;
};

/// A norm of rows [rows, width]; `scale` [rows] is what the passes after it need to know.
struct NormKernels {
  /// @param scale  one over the root of the mean square, or of the variance; may be null
  void (*forward)(const float* x, const float* weight, const float* bias, float epsilon,
                  int64_t rows, int64_t width, float* y, float* scale);
  /// The same y once more.
  void (*again)(const float* x, const float* weight, const float* bias, const float* scale,
                int64_t rows, int64_t width, float* y);
  /// x_gradient [rows, width] = added + gradient of x, `added` like it, or null for zeros; adds to
  /// weight_gradient and bias_gradient [width] unless null. x_gradient may be `gradient` itself.
  void (*backward)(const float* x, const float* weight, const float* scale, const float* gradient,
                   int64_t rows, int64_t width, const float* added, float* x_gradient,
                   float* weight_gradient, float* bias_gradient);
};

/// What makes the inside of the MLP of its first product.
struct ActivationKernels {
  void (*forward)(const float* x, int64_t rows, int64_t width, float* y);
  /// In: y holds the gradient of y. Out: y itself once more, and the gradient of x.
  void (*backward)(const float* x, int64_t rows, int64_t width, float* y, float* x_gradient);
};

struct Kernels {
  const char* name;    ///< of the instruction set
  bool fast_bfloat16;  ///< products of bfloat16 have instructions of their own, of int8 too

  NormKernels rms_norm;      ///< y = x / rms(x) * weight; has no bias
  NormKernels layer_norm;    ///< y = (x - mean(x)) / deviation(x) * weight + bias
  ActivationKernels swiglu;  ///< y [rows, width] = silu(gate) * up of x [rows, 2 width]: gate, up
  ActivationKernels gelu;    ///< y [rows, width] of x alike, by the tanh
  /// to [width] += each row of `from` [rows, width].
  void (*add_rows)(const float* from, int64_t rows, int64_t width, float* to);
  /// Each row of `to` [rows, width] += from [width].
  void (*add_to_rows)(const float* from, int64_t rows, int64_t width, float* to);
  /// Rotary positions in place on the first `heads` heads of each row, pairs (i, i + size / 2);
  /// tables [context, size / 2]; sign -1 turns back.
  void (*rotate)(float* x, int64_t rows, int64_t row_stride, int64_t heads, int64_t head_size,
                 const int64_t* positions, const float* cosines, const float* sines, float sign);

  /// Floats of scratch that attention and its backward pass need for a sequence.
  int64_t (*attention_scratch)(int64_t tokens, int64_t head_size);
  /// Causal softmax(q k^T / sqrt(head_size)) v.
  /// @param out      the group's first head at the first token, rows out_stride apart
  /// @param log_sum  log of the softmax's denominator, [tokens, heads], rows sum_stride apart;
  ///                 may be null
  void (*attention)(const AttentionHeads& in, float* out, int64_t out_stride, float* log_sum,
                    int64_t sum_stride, float* scratch);
  /// Gradients of queries, keys and values, overwritten; rows in.row_stride apart.
  void (*attention_backward)(const AttentionHeads& in, const float* out, const float* out_gradient,
                             int64_t out_stride, const float* log_sum, int64_t sum_stride,
                             float* queries_gradient, float* keys_gradient, float* values_gradient,
                             float* scratch);

  /// Attention of one token to `length` cached ones, for a group of query heads side by side.
  /// @param keys     [blocks, head_size, key_block]: positions side by side, read as a stream
  /// @param values   [length, head_size]; up to 15 floats behind the last row are read, not used
  /// @param out      [heads, head_size]
  /// @param scratch  length + 15 floats
  void (*attend)(const float* queries, int64_t heads, int64_t head_size, const float* keys,
                 const float* values, int64_t length, float* out, float* scratch);

  /// Turns logits [rows, width] into exp((logit - greatest) * sharpness), in place.
  /// @param log_probs  [rows], of the targets under softmax(logits * sharpness)
  /// @param sums       [rows], of the exponentials
  /// @param entropy    [rows], may be null
  void (*softmax)(float* logits, int64_t rows, int64_t width, float sharpness,
                  const int64_t* targets, float* log_probs, float* sums, float* entropy);
  /// Gradient of the logits from that of the log-probabilities.
  void (*softmax_backward)(const float* exponentials, const float* sums, const float* gradient,
                           int64_t rows, int64_t width, float sharpness, const int64_t* targets,
                           float* logits_gradient);

  /// exp((logit - greatest) * sharpness) of a row; returns their sum.
  float (*exponentials)(const float* logits, int64_t width, float sharpness, float* to);
  /// The token at which the running sum of softmax(logits * sharpness) passes `uniform`, in [0, 1).
  /// A row that holds NaN or no finite number has a log-probability that is NaN.
  /// @param scratch  2 * width + 1 floats
  Drawn (*draw)(const float* logits, int64_t width, float sharpness, double uniform,
                float* scratch);
  /// The first of the most likely tokens, and its log-probability under softmax(logits).
  /// @param scratch  width floats
  Drawn (*most_likely)(const float* logits, int64_t width, float* scratch);

  void (*adamw)(const AdamWStep& step, int64_t count, const float* gradient, float* parameter,
                float* first, float* second);
  /// In float32 a few thousand at a time: infinite where so many of them overflow it.
  double (*sum_of_squares)(const float* x, int64_t count);

  void (*product)(Number number, const Product& product);

  /// Bytes of `capacity` rows, packed for `outer_product`; not of int8.
  int64_t (*outer_size)(Number number, OuterSide side, int64_t capacity, int64_t width);
  /// Packs rows [count, width] as those from `begin` on, a multiple of outer_rows; so is `count`,
  /// but for the last.
  void (*outer_pack)(Number number, OuterSide side, const float* rows, int64_t begin, int64_t count,
                     int64_t width, int64_t capacity, void* packed);
  OuterTile (*outer_tile)(Number number);
  void (*outer_product)(Number number, const OuterProduct& product);

  /// Bytes of a matrix [outputs, inputs] packed for `packed_product`.
  int64_t (*packed_size)(Number number, int64_t outputs, int64_t inputs);
  /// @param b  [inputs, outputs]: the matrix's transpose, as products take it; of int8, rows of the
  ///           matrix lie side by side
  void (*pack)(Number number, const Matrix& b, int64_t outputs, int64_t inputs, void* packed);
  /// y [rows, outputs] = from + x [rows, inputs] matrix^T, with `from` as in Product; may be y.
  void (*packed_product)(Number number, const float* x, int64_t rows, const void* packed,
                         int64_t outputs, int64_t inputs, const float* from, int64_t from_row,
                         float* y);
};

/// Those of the widest instruction set that this processor and this build have.
const Kernels& kernels();

/// All that this processor can run, the narrowest first.
std::vector<const Kernels*> all_kernels();

}  // namespace rlhf::kernels
