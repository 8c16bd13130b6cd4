/* A library that itself needs the foreign oneTBB. */
int foreign_marker(void);
int between(void);
__attribute__((visibility("default"))) int between(void) { return foreign_marker(); }
