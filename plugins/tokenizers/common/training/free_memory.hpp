#pragma once

namespace flowrun::tokenizers {

/// Gives memory that is free to this process back to the system, so that it does not stand beside what comes next. Nothing where that cannot be told.
void give_back_memory() noexcept;

}  // namespace flowrun::tokenizers
