#pragma once

// Syllables of English words by the rule of Greg Fast's Lingua::EN::Syllable 0.31 (CPAN): vowel groups, with one more or one less for each of 27 patterns of
// letters. It needs no dictionary, knows every word the same way, and is right for about nine words of ten (its author's figure). Written anew from the
// module's description of its patterns; checked against the module itself by bench/peers/compare_text_scores.py.
//
//   A final e is silent and left out. Then the syllables are the runs of a, e, i, o, u, y,
//     less one for each of these that the word has:   cial tia cius cious giu ion iou  sia$  .ely$  [^td]ed$
//     more by one for each of these:                  ia riet dien iu io ii microor  [aeiouym]bl$  [aeiou]{3}  ^mc  ism$  isms$  ([^aeiouy])\1l$  [^l]lien
//                                                     ^coa[dglx].  [^gq]ua[^auieo]  dnt$
//   and at least one; "w" has two.
//
// Differs: a count below zero is one, too, where the module lets it stand.

#include <cstdint>
#include <string_view>

namespace flowrun::filters {

/// Returns the syllables of a word: code points, a to z in lower case, without apostrophes; other letters count as consonants. At least 1.
std::int64_t count_syllables(std::u32string_view word) noexcept;

}  // namespace flowrun::filters
