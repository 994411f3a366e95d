/* Memory and text. One locale, C's: strcoll is strcmp. */
#ifndef OPML_LIBC_STRING_H
#define OPML_LIBC_STRING_H

#include <stddef.h>
#include <strings.h>

void *memccpy(void *restrict to, const void *restrict from, int byte, size_t count);
void *memchr(const void *memory, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmem(const void *memory, size_t size, const void *part, size_t part_size);
void *memmove(void *to, const void *from, size_t count);
void *mempcpy(void *restrict to, const void *restrict from, size_t count);
void *memrchr(const void *memory, int byte, size_t count);
void *memset(void *memory, int byte, size_t count);
char *stpcpy(char *restrict to, const char *restrict from);
char *stpncpy(char *restrict to, const char *restrict from, size_t count);
char *strcat(char *restrict to, const char *restrict from);
char *strchr(const char *text, int byte);
char *strchrnul(const char *text, int byte);
int strcmp(const char *a, const char *b);
int strcoll(const char *a, const char *b);
char *strcpy(char *restrict to, const char *restrict from);
size_t strcspn(const char *text, const char *set);
char *strdup(const char *text);
char *strerror(int number);
size_t strlen(const char *text);
char *strncat(char *restrict to, const char *restrict from, size_t count);
int strncmp(const char *a, const char *b, size_t count);
char *strncpy(char *restrict to, const char *restrict from, size_t count);
char *strndup(const char *text, size_t most);
size_t strnlen(const char *text, size_t most);
char *strpbrk(const char *text, const char *set);
char *strrchr(const char *text, int byte);
char *strsep(char **restrict state, const char *restrict separators);
size_t strspn(const char *text, const char *set);
char *strstr(const char *text, const char *part);
char *strtok(char *restrict text, const char *restrict separators);
char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state);
size_t strxfrm(char *restrict to, const char *restrict from, size_t count);

#endif
