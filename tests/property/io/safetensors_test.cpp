// Files read as hostile: whatever happened to its bytes, a file loads or an Error names it.
#include "rlhf/io/safetensors.hpp"

#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "rlhf/core/random.hpp"
#include "rlhf/io/files.hpp"
#include "support/temporary_folder.hpp"

namespace rlhf::io {
namespace {

class DamagedSafetensors : public testing::Test {
 protected:
  DamagedSafetensors() {
    write_safetensors(path_,
                      {{"embedding", torch::arange(12.0).view({3, 4})},
                       {"counted", torch::tensor({true, false, true})},
                       {"ids", torch::arange(5)},
                       {"none", torch::zeros({2, 0}, torch::kBFloat16)}},
                      {{"step", "7"}});
    whole_ = read_file(path_);
    header_bytes_ = static_cast<size_t>(read_safetensors_header(path_).data_begin);
  }

  /// Reads a file of these bytes; anything but an Error that names the file fails the test.
  bool loads(const std::string& bytes) {
    try {
      for (const auto& [name, tensor] : read_safetensors(MappedFile(path_, bytes)).tensors) {
        EXPECT_TRUE(tensor.is_contiguous());
        sum_ += tensor.to(torch::kDouble).nan_to_num().sum().item<double>();  // every byte is there
      }
      return true;
    } catch (const Error& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with(path_.string())) << error.what();
    } catch (const std::exception& other) {
      ADD_FAILURE() << "not an rlhf::Error: " << other.what();
    }
    return false;
  }
  size_t below(size_t bound) {
    return static_cast<size_t>(generator_.below(static_cast<int64_t>(bound)));
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
  std::string whole_;
  size_t header_bytes_ = 0;
  Generator generator_{1};
  double sum_ = 0;
};

TEST_F(DamagedSafetensors, EveryTruncationIsRefused) {
  for (size_t length = 0; length < whole_.size(); ++length) {
    EXPECT_FALSE(loads(whole_.substr(0, length))) << length << " of " << whole_.size() << " bytes";
  }
  EXPECT_TRUE(loads(whole_));
}

TEST_F(DamagedSafetensors, AnythingBehindTheDataIsRefused) {
  for (size_t more : {1, 7, 8, 1000}) EXPECT_FALSE(loads(whole_ + std::string(more, '\0')));
}

TEST_F(DamagedSafetensors, RandomBytesInTheHeaderLoadOrAreRefused) {
  constexpr int trials = 1000;
  int loaded = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::string bytes = whole_;
    for (size_t edits = 1 + below(3); edits > 0; --edits) {
      // Half of them digits, which make offsets and shapes that parse and do not fit.
      const size_t byte = below(2) == 0 ? '0' + below(10) : below(256);
      bytes[below(header_bytes_)] = static_cast<char>(byte);
    }
    loaded += loads(bytes);
  }
  EXPECT_GT(loaded, 0) << "a letter of a name may change";
  EXPECT_LT(loaded, trials / 2) << "most changes break the header";
}

TEST_F(DamagedSafetensors, EveryHeaderLengthLoadsOrIsRefused) {
  for (size_t place = 0; place < 8; ++place) {
    for (int value = 0; value < 256; value += 5) {
      std::string bytes = whole_;
      bytes[place] = static_cast<char>(value);
      EXPECT_EQ(loads(bytes), bytes == whole_) << "byte " << place << " is " << value;
    }
  }
}

TEST_F(DamagedSafetensors, PiecesCutOutDoubledOrSwappedLoadOrAreRefused) {
  constexpr int trials = 500;
  int loaded = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::string bytes = whole_;
    const size_t at = below(bytes.size()), count = 1 + below(40);
    switch (below(3)) {
      case 0:
        bytes.erase(at, count);
        break;
      case 1:
        bytes.insert(below(bytes.size()), bytes.substr(at, count));
        break;
      default:
        bytes.replace(below(bytes.size()), count, bytes.substr(at, count));
        break;
    }
    loaded += loads(bytes);
  }
  EXPECT_LT(loaded, trials / 2) << "most of them break the file";
}

}  // namespace
}  // namespace rlhf::io
