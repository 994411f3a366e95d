/* Text for standard output and standard error. There are no files, and nothing to read. printf refuses %n. */
#ifndef OPML_LIBC_STDIO_H
#define OPML_LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

typedef struct opml_file FILE;
extern FILE __opml_stdout, __opml_stderr;
#define stdout (&__opml_stdout)
#define stderr (&__opml_stderr)

int asprintf(char **to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int fflush(FILE *file);
int fprintf(FILE *restrict file, const char *restrict format, ...) __attribute__((format(printf, 2, 3)));
int fputc(int byte, FILE *file);
int fputs(const char *restrict text, FILE *restrict file);
size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict file);
void perror(const char *text);
int printf(const char *restrict format, ...) __attribute__((format(printf, 1, 2)));
int putc(int byte, FILE *file);
int putchar(int byte);
int puts(const char *line);
int snprintf(char *restrict to, size_t size, const char *restrict format, ...) __attribute__((format(printf, 3, 4)));
int sprintf(char *restrict to, const char *restrict format, ...) __attribute__((format(printf, 2, 3)));
int vasprintf(char **to, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
int vfprintf(FILE *restrict file, const char *restrict format, va_list arguments) __attribute__((format(printf, 2, 0)));
int vprintf(const char *restrict format, va_list arguments) __attribute__((format(printf, 1, 0)));
int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
int vsprintf(char *restrict to, const char *restrict format, va_list arguments) __attribute__((format(printf, 2, 0)));

#endif
