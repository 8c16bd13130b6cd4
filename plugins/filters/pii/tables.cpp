#include "tables.hpp"

namespace flowrun::filters::pii {
namespace {

#include "tables.inc"

}  // namespace

std::span<const IbanLength> iban_lengths() noexcept { return kIbanLengths; }
std::span<const CallingCode> calling_codes() noexcept { return kCallingCodes; }

}  // namespace flowrun::filters::pii
