/* Compiles the boundary as C11 and fixes the layout that other compilers must agree on. */

#include <flowrun/abi.h>

_Static_assert(sizeof(flowrun_status) == 4, "a status has 32 bits");
_Static_assert(offsetof(flowrun_call, size) == 0, "structs start with their size");
_Static_assert(offsetof(flowrun_plugin, size) == 0, "structs start with their size");
_Static_assert(offsetof(flowrun_plugin, abi_major) == 4 && offsetof(flowrun_plugin, abi_minor) == 6, "versions are read before anything else");
_Static_assert(sizeof(struct ArrowArray) == 80 || sizeof(void*) != 8, "the Arrow C Data Interface's layout");
_Static_assert(sizeof(struct ArrowSchema) == 72 || sizeof(void*) != 8, "the Arrow C Data Interface's layout");

/* A plugin's table can be a constant in C. */
static const char* descriptor(void) { return "{}"; }
extern const flowrun_plugin flowrun_abi_c11_example;
const flowrun_plugin flowrun_abi_c11_example = {.size = sizeof(flowrun_plugin), .abi_major = FLOWRUN_ABI_MAJOR, .abi_minor = FLOWRUN_ABI_MINOR, .descriptor = descriptor};
