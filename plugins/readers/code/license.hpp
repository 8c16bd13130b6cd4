#pragma once

// The licence of a file by what it says of itself, and of a folder by its licence file, as identifiers of the SPDX License List.
//
// A text is made lower-case words with one blank between, so that line ends, comment signs and quotes do not matter; a licence is then told by sentences or titles that
// it has and its relatives have not. GPL, LGPL and AGPL texts do not say whether later versions may be used: they are named without -only and -or-later, as GitHub does.
// Checked against Debian's common-licenses and the copyright files of its packages.

#include <string>
#include <string_view>

namespace flowrun::readers {

/// Returns whether a file is named as one that holds a licence (LICENSE, COPYING.LIB, LICENCE-MIT.txt, UNLICENSE).
bool is_license_name(std::string_view path);

/// Returns the licences whose texts are in `text`, between " AND ", "" where none is known.
std::string license_of_text(std::string_view text);

/// Returns what the head of a file says: its SPDX-License-Identifier, else the notice that it begins with, else "". The first 8 KiB are looked at.
std::string license_of_header(std::string_view text);

/// Returns the licence of a folder that already has `known` and where `found` stands in a file of that name: those of LICENSE-MIT and LICENSE-APACHE may be chosen (OR),
/// others hold together (AND); the GPL that an LGPL adds to is not named.
std::string join_licenses(const std::string& known, const std::string& found, std::string_view name);

}  // namespace flowrun::readers
