/* Greets whoever the request names: takes one tensor of bytes, prints, and gives one tensor of bytes. */
#include <opml.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  size_t size;
  const uint8_t *name = opml_input_bytes(&size);
  char *greeting;
  int length = asprintf(&greeting, "Hello, %.*s!", (int)size, (const char *)name);
  if (length < 0) opml_fail("no memory");
  puts(greeting);
  opml_output_bytes(greeting, length);
  free(greeting);
  return 0;
}
