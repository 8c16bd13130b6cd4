#include "plugin/elf_file.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include <flowrun/error.hpp>
#include <fmt/format.h>

namespace flowrun::plugin {
namespace {

#if defined(__x86_64__)
constexpr int kHostMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kHostMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr int kHostMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr int kHostMachine = EM_PPC64;
#else
#error "name this machine's ELF number here"
#endif
constexpr int kHostClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

std::string machine_name(int machine) {
  switch (machine) {
    case EM_386: return "x86 (32 bit)";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "ARM (32 bit)";
    case EM_AARCH64: return "AArch64";
    case EM_PPC64: return "PowerPC64";
    case EM_RISCV: return "RISC-V";
    default: return fmt::format("ELF machine {}", machine);
  }
}

std::vector<std::string> split_at_colons(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto colon = text.find(':');
    if (colon != 0) parts.emplace_back(text.substr(0, colon));
    text = colon == text.npos ? std::string_view() : text.substr(colon + 1);
  }
  return parts;
}

}  // namespace

struct ElfFile::Impl {
  std::string path;
  int descriptor = -1;
  Elf* elf = nullptr;
  std::uint64_t file_bytes = 0;
  GElf_Ehdr header{};
  std::size_t names_section = 0;

  ~Impl() {
    if (elf) elf_end(elf);
    if (descriptor >= 0) ::close(descriptor);
  }

  [[noreturn]] void fail(const std::string& text) const { throw Error(Code::kUnavailable, text); }
  [[noreturn]] void damaged(const std::string& what) const { fail(fmt::format("it is damaged: {}; expected a whole ELF shared library", what)); }

  void open();
  void check_header();
  void check_extent();
  /// Calls `body` for every section until it returns true.
  void find_section(const std::function<bool(Elf_Scn*, const GElf_Shdr&)>& body) const;
  std::string string_at(const GElf_Shdr& section, std::size_t offset) const;
  Elf_Data* data(Elf_Scn* section) const;
};

void ElfFile::Impl::open() {
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // O_NONBLOCK: a FIFO must not hold us up
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw Error(Code::kNotFound, fmt::format("'{}' does not exist", path));
    fail(fmt::format("it cannot be read: {}", std::strerror(errno)));
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail(fmt::format("it cannot be read: {}", std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) fail("it is not a file, expected an ELF shared library");
  file_bytes = static_cast<std::uint64_t>(status.st_size);
}

void ElfFile::Impl::check_header() {
  elf_version(EV_CURRENT);
  // ELF_C_READ and not ELF_C_READ_MMAP: a file that is cut while it is read gives an error then, not SIGBUS.
  elf = elf_begin(descriptor, ELF_C_READ, nullptr);
  if (elf == nullptr || elf_kind(elf) != ELF_K_ELF) fail(fmt::format("it is not a library: found a file of {} bytes without an ELF header, expected an ELF shared library", file_bytes));
  if (gelf_getehdr(elf, &header) == nullptr) damaged("its ELF header cannot be read");
  if (header.e_machine != kHostMachine || header.e_ident[EI_CLASS] != kHostClass)
    fail(fmt::format("it is built for {}, expected {}; rebuild it on this kind of machine", machine_name(header.e_machine), machine_name(kHostMachine)));
  if (header.e_type != ET_DYN) fail("it is not a shared library: found another kind of ELF file, expected one linked with -shared");
}

void ElfFile::Impl::check_extent() {
  const auto inside = [&](std::uint64_t offset, std::uint64_t bytes) { return offset <= file_bytes && bytes <= file_bytes - offset; };
  std::size_t segment_count = 0;
  if (elf_getphdrnum(elf, &segment_count) != 0 || segment_count == 0) damaged("it has no program headers");
  for (std::size_t i = 0; i < segment_count; ++i) {
    GElf_Phdr segment{};
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) damaged("its program headers cannot be read");
    if (segment.p_type == PT_LOAD && !inside(segment.p_offset, segment.p_filesz))
      damaged(fmt::format("segment {} ends at byte {}, the file at byte {}", i, segment.p_offset + segment.p_filesz, file_bytes));
  }
  if (header.e_shoff == 0) return;  // stripped of sections: then it has no descriptor either
  // libelf takes section headers outside the file for none at all, so the header itself is asked.
  if (!inside(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize) || elf_getshdrstrndx(elf, &names_section) != 0)
    damaged(fmt::format("its section headers lie outside the file of {} bytes", file_bytes));
}

void ElfFile::Impl::find_section(const std::function<bool(Elf_Scn*, const GElf_Shdr&)>& body) const {
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr; section = elf_nextscn(elf, section)) {
    GElf_Shdr section_header{};
    if (gelf_getshdr(section, &section_header) == nullptr) damaged("a section header cannot be read");
    if (body(section, section_header)) return;
  }
}

Elf_Data* ElfFile::Impl::data(Elf_Scn* section) const {
  Elf_Data* const data = elf_getdata(section, nullptr);
  if (data == nullptr) damaged(fmt::format("a section cannot be read ({})", elf_errmsg(-1)));
  return data;
}

std::string ElfFile::Impl::string_at(const GElf_Shdr& section, std::size_t offset) const {
  const char* const text = elf_strptr(elf, section.sh_link, offset);
  if (text == nullptr) damaged("a name lies outside its string table");
  return text;
}

ElfFile::ElfFile(const std::string& path) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  impl_->open();
  impl_->check_header();
  impl_->check_extent();
}

ElfFile::~ElfFile() = default;

std::optional<std::string> ElfFile::section(std::string_view name) const {
  std::optional<std::string> content;
  impl_->find_section([&](Elf_Scn* section, const GElf_Shdr& header) {
    const char* const found = elf_strptr(impl_->elf, impl_->names_section, header.sh_name);
    if (found == nullptr || name != found) return false;
    if (header.sh_type == SHT_NOBITS) impl_->damaged(fmt::format("section '{}' has no content", name));
    const Elf_Data* const data = elf_rawdata(section, nullptr);
    if (data == nullptr) impl_->damaged(fmt::format("section '{}' cannot be read ({})", name, elf_errmsg(-1)));
    content.emplace(static_cast<const char*>(data->d_buf), data->d_buf ? data->d_size : 0);
    return true;
  });
  return content;
}

ElfDynamic ElfFile::dynamic() const {
  ElfDynamic dynamic;
  impl_->find_section([&](Elf_Scn* section, const GElf_Shdr& header) {
    if (header.sh_type != SHT_DYNAMIC) return false;
    Elf_Data* const data = impl_->data(section);
    GElf_Dyn entry{};
    for (int i = 0; gelf_getdyn(data, i, &entry) != nullptr && entry.d_tag != DT_NULL; ++i) {
      if (entry.d_tag == DT_NEEDED) dynamic.needed.push_back(impl_->string_at(header, entry.d_un.d_val));
      if (entry.d_tag == DT_SONAME) dynamic.soname = impl_->string_at(header, entry.d_un.d_val);
      if (entry.d_tag == DT_RPATH) dynamic.rpath = split_at_colons(impl_->string_at(header, entry.d_un.d_val));
      if (entry.d_tag == DT_RUNPATH) dynamic.runpath = split_at_colons(impl_->string_at(header, entry.d_un.d_val));
    }
    return true;
  });
  return dynamic;
}

bool ElfFile::exports(std::string_view symbol) const {
  bool found = false;
  impl_->find_section([&](Elf_Scn* section, const GElf_Shdr& header) {
    if (header.sh_type != SHT_DYNSYM) return false;
    Elf_Data* const data = impl_->data(section);
    GElf_Sym entry{};
    for (int i = 0; !found && gelf_getsym(data, i, &entry) != nullptr; ++i)
      found = entry.st_shndx != SHN_UNDEF && GELF_ST_BIND(entry.st_info) != STB_LOCAL && GELF_ST_VISIBILITY(entry.st_other) == STV_DEFAULT &&
              impl_->string_at(header, entry.st_name) == symbol;
    return true;
  });
  return found;
}

}  // namespace flowrun::plugin
