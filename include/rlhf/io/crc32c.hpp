/// CRC-32C (Castagnoli), the checksum of iSCSI, ext4 and TensorBoard's event files (RFC 3720, B.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace rlhf::io {

/// The checksum of `bytes`, or of what gave `before` and then `bytes`.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace rlhf::io
