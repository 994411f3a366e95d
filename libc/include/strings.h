/* Memory and text, the older names. */
#ifndef OPML_LIBC_STRINGS_H
#define OPML_LIBC_STRINGS_H

#include <stddef.h>

int bcmp(const void *a, const void *b, size_t count);
void bcopy(const void *from, void *to, size_t count);
void bzero(void *memory, size_t count);
int ffs(int word);
int ffsl(long word);
int ffsll(long long word);
char *index(const char *text, int byte);
char *rindex(const char *text, int byte);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t count);

#endif
