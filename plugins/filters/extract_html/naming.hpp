#pragma once

#include <string_view>

#include "page.hpp"

namespace flowrun::filters::html {

/// Says what the words of a `class` and an `id` tell of an element. Words are runs of letters and digits, cut where lower case meets upper case ("siteNav"); boilerplate is
/// told before content, and an element that only says that it is next to something ("has-sidebar", "no-nav") tells nothing.
Naming read_names(std::string_view class_names, std::string_view id) noexcept;

/// Says what an ARIA role tells.
Naming read_role(std::string_view role) noexcept;

}  // namespace flowrun::filters::html
