#pragma once

// Lists of words, domains or addresses, an entry a line.

#include <flowrun/error.hpp>
#include <flowrun/params.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace flowrun::filters {

/// Calls `use` with each line of the files without the ASCII white space around it. Lines that are empty then, or begin with '#', are left out. Throws
/// kNotFound for a file that cannot be read, and kInvalidArgument where all of them have no entry at all.
template <class Use>
void for_each_entry(const std::vector<InputFile>& files, Use use) {
  constexpr const char* kSpaces = " \t\n\v\f\r\x1C\x1D\x1E\x1F";
  bool any = false;
  for (const InputFile& file : files) {
    std::ifstream in(file.path, std::ios::binary);
    if (!in) throw Error(Code::kNotFound, "'" + file.display + "' cannot be read");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with('#')) continue;
      const std::size_t begin = line.find_first_not_of(kSpaces);
      if (begin == std::string::npos) continue;
      use(std::string_view(line).substr(begin, line.find_last_not_of(kSpaces) + 1 - begin));
      any = true;
    }
  }
  if (!files.empty() && !any) throw Error(Code::kInvalidArgument, "'" + files[0].display + "' has no entries");
}

}  // namespace flowrun::filters
