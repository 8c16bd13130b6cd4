/* Stands for another build of oneTBB or LibTorch: a name that the host's has, another file. */
#include <stdio.h>
#include <stdlib.h>

int foreign_marker(void);
__attribute__((visibility("default"))) int foreign_marker(void) { return 1; }

__attribute__((constructor)) static void leave_mark(void) {
  const char* path = getenv("FLOWRUN_TEST_LOADED_MARK");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (file) fclose(file);
}
