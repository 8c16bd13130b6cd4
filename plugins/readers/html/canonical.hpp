#pragma once

#include <string>
#include <string_view>

namespace flowrun::readers {

/// Returns where a page says that it stands: the `href` of its first <link rel="canonical"> that begins with http:// or https://, with character references decoded; ""
/// for none. Looks at the first 64 KiB, up to <body>, and past comments, scripts and styles.
std::string canonical_url(std::string_view page);

}  // namespace flowrun::readers
