/* What went wrong, where a function says so. */
#ifndef OPML_LIBC_ERRNO_H
#define OPML_LIBC_ERRNO_H

int *__errno_location(void);
#define errno (*__errno_location())

#define EDOM 33
#define EILSEQ 88
#define EINVAL 22
#define ENOMEM 12
#define EOVERFLOW 79
#define ERANGE 34

#endif
