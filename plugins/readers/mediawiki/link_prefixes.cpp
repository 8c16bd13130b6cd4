#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "readers/common/utf8.hpp"
#include "wikitext.hpp"

namespace flowrun::readers {
namespace {

/// Files and categories in English, which every wiki knows, and names of files that wikis knew before they had the present one.
constexpr const char* kNames[] = {"File", "Image", "Media", "Category", "Bild", "Datei", "Fichier", "Imagen", "Archivo", "Immagine", "Imagem", "Ficheiro", "Grafika", "Plik",
                                  "Afbeelding", "Bestand", "Fil", "Billede", "Tiedosto", "Kuva", "Soubor", "Obrázek", "Kép", "Fájl", "Изображение", "Файл", "Зображення",
                                  "画像", "ファイル", "图像", "圖像", "文件", "档案", "檔案", "그림", "파일"};

/// Codes of Wikipedias, by which a page names the same page in another language.
constexpr std::string_view kLanguages =
    " aa ab ace ady af ak als alt am ami an ang anp ar arc ary arz as ast atj av avk awa ay az azb ba ban bar bat-smg bbc bcl be be-tarask be-x-old bg bh bi bjn blk bm "
    "bn bo bpy br bs bug bxr ca cbk-zam cdo ce ceb ch cho chr chy ckb co cr crh cs csb cu cv cy da dag de dga din diq dsb dty dv dz ee el eml en eo es et eu ext fa fat "
    "ff fi fiu-vro fj fo fon fr frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gpe gu guc gur guw gv ha hak haw he hi hif ho hr hsb ht hu hy hyw hz ia iban id "
    "ie ig igl ii ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd kbp kcg kg ki kj kk kl km kn ko koi kr krc ks ksh ku kus kv kw ky la lad lb lbe lez lfn lg li lij "
    "lld lmo ln lo lrc lt ltg lv lzh mad mai map-bms mdf mg mh mhr mi min mk ml mn mni mnw mr mrj ms mt mus mwl my myv mzn na nah nan nap nb nds nds-nl ne new ng nia "
    "nl nn no nov nqo nrm nso nv ny oc olo om or os pa pag pam pap pcd pcm pdc pfl pi pih pl pms pnb pnt ps pt pwn qu rm rmy rn ro roa-rup roa-tara ru rue rw sa sah "
    "sat sc scn sco sd se sg sgs sh shi shn shy si simple sk skr sl sm smn sn so sq sr srn ss st stq su sv sw szl szy ta tay tcy te tet tg th ti tk tl tly tn to tpi "
    "tr trv ts tt tum tw ty tyv udm ug uk ur uz ve vec vep vi vls vo vro wa war wo wuu xal xh xmf yi yo yue za zea zgh zh zh-classical zh-cn zh-min-nan zh-tw zh-yue zu ";

/// Returns the name in lower case with spaces for underscores, as MediaWiki compares it.
std::string folded(std::string_view name) {
  std::string out;
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(name.data());
  for (auto left = static_cast<utf8proc_ssize_t>(name.size()); left > 0;) {
    utf8proc_int32_t code = 0;
    const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code);
    if (size <= 0) return {};
    append_utf8(code == '_' ? U' ' : static_cast<char32_t>(utf8proc_tolower(code)), out);
    at += size;
    left -= size;
  }
  return out;
}

}  // namespace

bool has_variants(std::string_view language) noexcept {
  static constexpr std::string_view kConverted[] = {"zh", "sr", "kk", "ku", "iu", "shi", "tg", "uz", "crh", "gan", "sh", "tly", "wuu", "zgh"};
  const std::string_view base = language.substr(0, language.find('-'));
  return std::find(std::begin(kConverted), std::end(kConverted), base) != std::end(kConverted);
}

LinkPrefixes::LinkPrefixes() {
  for (const char* name : kNames) add(name);
  for (std::size_t begin = 1, end = kLanguages.find(' ', 1); end != std::string_view::npos; begin = end + 1, end = kLanguages.find(' ', begin))
    names_.emplace(kLanguages.substr(begin, end - begin));
}

void LinkPrefixes::add(std::string_view name) { names_.insert(folded(name)); }

bool LinkPrefixes::hides(std::string_view prefix) const { return prefix.size() <= 100 && names_.contains(folded(prefix)); }

}  // namespace flowrun::readers
