#pragma once

// E-mail addresses by hand-written scanners, each equal to a regular expression (bench/peers/compare_pii.py compares them). The anchor is
// the '@'; from there the local part is read to the left and the domain to the right, so the time is linear.

#include <string_view>

#include "match.hpp"

namespace flowrun::filters::pii {

/// Appends addresses as they are written in practice: the expression below, in ASCII, with a local part of up to 64 characters, labels of up to 63, a domain of up to 253.
///
///     (?<![A-Za-z0-9_])[A-Za-z0-9_](?:[A-Za-z0-9_.%+'-]*[A-Za-z0-9_+-])?
///     @(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:[Xx][Nn]--[A-Za-z0-9-]*[A-Za-z0-9]|[A-Za-z]{2,})(?![A-Za-z0-9]|-[A-Za-z0-9])
///
/// Left out are domains that nobody has (RFC 2606: example.com, .test, ...) and names of pictures, styles and scripts ("logo@2x.png").
void find_emails(std::string_view text, Matches& out);

/// Appends what datatrove 0.10.1 takes for an address (pipeline/formatters/pii.py, emails_replacer).
void find_datatrove_emails(std::string_view text, Matches& out);

}  // namespace flowrun::filters::pii
