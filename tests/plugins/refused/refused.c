/* One source for all the libraries that must be refused. Each is built with another set of macros (CMakeLists.txt):
 *   REFUSED_DESCRIPTOR  the JSON that `descriptor` returns
 *   REFUSED_ABI_MAJOR   the table's major version
 *   REFUSED_SYMBOL      the exported symbol's name
 *   REFUSED_NEEDS       a function that the library calls and a needed library defines
 *   REFUSED_WITHOUT_INTERFACE  `get_interface` gives nothing
 * Each leaves a mark, the file FLOWRUN_TEST_LOADED_MARK, if any of its code runs: none may, where the refusal comes before. */

#include <flowrun/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "descriptor.h"

#ifndef REFUSED_ABI_MAJOR
#define REFUSED_ABI_MAJOR FLOWRUN_ABI_MAJOR
#endif

/* Runs when the library is loaded. */
__attribute__((constructor)) static void leave_mark(void) {
  const char* path = getenv("FLOWRUN_TEST_LOADED_MARK");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (file) fclose(file);
}

static const char* descriptor(void) { return REFUSED_DESCRIPTOR; }

static flowrun_status create(const flowrun_call* call, const flowrun_params* params, void** self) {
  (void)params;
  *self = NULL;
  call->fail(call, FLOWRUN_INTERNAL, "never made", strlen("never made"));
  return FLOWRUN_INTERNAL;
}
static flowrun_status open_node(void* self, const flowrun_call* call, flowrun_open* open) {
  (void)self, (void)open;
  call->fail(call, FLOWRUN_INTERNAL, "never opened", strlen("never opened"));
  return FLOWRUN_INTERNAL;
}
static void nothing(void* self) { (void)self; }

#ifndef REFUSED_WITHOUT_INTERFACE
static flowrun_status process(void* self, const flowrun_call* call, const struct ArrowArray* in, struct ArrowArray* outputs) {
  (void)self, (void)in, (void)outputs;
  call->fail(call, FLOWRUN_INTERNAL, "never run", strlen("never run"));
  return FLOWRUN_INTERNAL;
}
static const flowrun_map kMap = {sizeof(flowrun_map), process};
#endif

static const void* get_interface(const char* id) {
#ifndef REFUSED_WITHOUT_INTERFACE
  if (strcmp(id, FLOWRUN_MAP_V1) == 0 || strcmp(id, FLOWRUN_NATIVE_V1) == 0) return &kMap;
#endif
  (void)id;
  return NULL;
}

#ifdef REFUSED_NEEDS
int REFUSED_NEEDS(void);
int needs_it(void);
FLOWRUN_EXPORT int needs_it(void) { return REFUSED_NEEDS(); }
#endif

#ifndef REFUSED_SYMBOL
#define REFUSED_SYMBOL flowrun_plugin_v1
#endif
extern FLOWRUN_EXPORT const flowrun_plugin REFUSED_SYMBOL;
const flowrun_plugin REFUSED_SYMBOL = {sizeof(flowrun_plugin), REFUSED_ABI_MAJOR, FLOWRUN_ABI_MINOR, descriptor, create, open_node, nothing, nothing, get_interface};
