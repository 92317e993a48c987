/// What a run must remember to go on exactly where it stood: each of its parts tells an Archive, in
/// one function that serves saving, checking and loading alike. No LibTorch is read.
///
///     struct Baseline {  // a part of your own
///       double decay = 0.9, mean = 0;
///       int64_t count = 0;
///       void archive(rlhf::Archive& archive) {
///         archive.option("decay", decay);
///         archive.value("mean", mean);
///         archive.value("count", count);
///       }
///     };
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace at {
class Tensor;
}

namespace rlhf {

// In core/concepts.hpp, which reads LibTorch.
template <class Model>
std::vector<std::pair<std::string, at::Tensor>> named_parameters_of(Model& model);

/// Whether a run may go on with another value of an option than it began with.
enum class OnResume : uint8_t { same, may_change };

/// Walks over the parts of a run. A part calls the same functions whatever the phase is; the
/// archive reads what is there, compares it with a checkpoint, or puts the checkpoint's in its
/// place. Names may stand once in a part.
class Archive {
 public:
  /// note: values are read, tensors are not. save: all is read. check: nothing changes, and what
  /// does not fit is an Error. load: follows a check that went well.
  enum class Phase : uint8_t { note, save, check, load };

  using Value = std::variant<bool, int64_t, uint64_t, double, std::string, std::vector<int64_t>,
                             std::vector<double>, std::vector<std::string>>;
  using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  virtual ~Archive() = default;

  Phase phase() const { return phase_; }
  /// Whether the values just told are now the checkpoint's.
  bool loading() const { return phase_ == Phase::load; }

  /// A number, text or list that changes as the run goes: one of Value's types.
  template <class T>
  requires std::constructible_from<Value, std::in_place_type_t<T>, T>
  void value(std::string_view name, T& value) {
    Value held(std::in_place_type<T>, value);
    exchange(path_of(name), held);
    if (loading()) value = std::get<T>(std::move(held));
  }

  /// What the run was started with: a number, an enumeration, text or a list of integers. Another
  /// one than the checkpoint's is an Error that names both, unless it may change.
  template <class T>
  void option(std::string_view name, const T& value, OnResume on_resume = OnResume::same) {
    compare(path_of(name), option_value(value), on_resume);
  }

  /// Tensors that are changed in place.
  void tensors(std::string_view name, const Tensors& tensors) {
    exchange_tensors(path_of(name), tensors);
  }

  /// Tensors that come and go.
  /// @param get    what to save; read at once
  /// @param check  throws if it could not be loaded
  template <class Get, class Check, class Load>
  void tensors(std::string_view name, Get&& get, Check&& check, Load&& load) {
    const std::string path = path_of(name);
    switch (phase_) {
      case Phase::note:
        return;
      case Phase::save:
        return save_tensors(path, get());
      case Phase::check:
        return check(stored_tensors(path));
      case Phase::load:
        return load(stored_tensors(path));
    }
  }

  /// A part of a part, under a name of its own: whatever has archive(Archive&), or the parameters
  /// of a model. Those that do not learn are not kept: the program has them, and their fingerprint
  /// must be that of the checkpoint.
  template <class Part>
  void part(std::string_view name, Part& part) {
    const std::string outer = path_;
    path_ = path_of(name);
    if constexpr (requires { part.archive(*this); }) {
      part.archive(*this);
    } else {
      static_assert(
          requires { part.named_parameters(); },
          "rlhf: a part of a run must have archive(rlhf::Archive&) or "
          "named_parameters()");
      exchange_parameters(path_, named_parameters_of(part));
    }
    path_ = outer;
  }

 protected:
  explicit Archive(Phase phase) : phase_(phase) {}

 private:
  // `path` is "part/part/name".
  virtual void exchange(const std::string& path, Value& value) = 0;
  virtual void compare(const std::string& path, const Value& value, OnResume on_resume) = 0;
  virtual void exchange_tensors(const std::string& path, const Tensors& tensors) = 0;
  virtual void exchange_parameters(const std::string& path, const Tensors& parameters) = 0;
  virtual void save_tensors(const std::string& path, const Tensors& tensors) = 0;
  virtual Tensors stored_tensors(const std::string& path) = 0;

  std::string path_of(std::string_view name) const {
    if (name.empty()) return path_;
    return path_.empty() ? std::string(name) : path_ + "/" + std::string(name);
  }

  template <class T>
  static Value option_value(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<int64_t>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_unsigned_v<T>) {
      return static_cast<uint64_t>(value);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<int64_t>(value);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return std::string(std::string_view(value));
    } else {
      return std::vector<int64_t>(value);
    }
  }

  Phase phase_;
  std::string path_;
};

}  // namespace rlhf
