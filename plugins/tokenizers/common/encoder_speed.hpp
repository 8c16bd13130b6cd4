#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace flowrun::tokenizers {

/// Encodes slices of documents on request, as the nodes of this family do it: an encoder for each thread, kept from slice to slice, batches of half a
/// megabyte of text, each batch an Arrow list<uint32>.
///
/// `slices_path` names a file of one JSON list of documents a line. A line of `requests` is the number of a slice, from 0, and perhaps the name of a
/// file for its ids: as native uint32, first the number of each document's ids, then all ids. Each is answered by a JSON object on a line of
/// `answers`: `seconds` and `cpu_seconds` (of all threads; encoding alone), `bytes` of text and `tokens`.
void measure_encoder(const std::string& tokenizer_path, const std::string& slices_path, std::size_t threads, std::istream& requests, std::ostream& answers);

}  // namespace flowrun::tokenizers
