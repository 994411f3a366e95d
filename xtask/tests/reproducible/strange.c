/* Another machine, for every process that is started with this library preloaded, and for those that they start: another
   clock, host name, user and number of cores, and folders that are listed backwards. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* In which the name of each process is written; the build gives it. */
#ifndef LOG
#error "LOG is the path of a file"
#endif

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Eleven years. */
#define LATER 347155200L

__attribute__((constructor)) static void write_name(void) {
  int log = open(LOG, O_WRONLY | O_CREAT | O_APPEND, 0666);
  char line[256];
  ssize_t length = readlink("/proc/self/exe", line, sizeof line - 1);
  if (log >= 0 && length > 0) {
    line[length] = '\n';
    if (write(log, line, (size_t)length + 1) < 0) abort();
  }
  if (log >= 0) close(log);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int result = REAL(clock_gettime)(clock, at);
  if (result == 0 && clock == CLOCK_REALTIME) at->tv_sec += LATER;
  return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  int result = REAL(gettimeofday)(at, zone);
  if (result == 0) at->tv_sec += LATER;
  return result;
}

time_t time(time_t *at) {
  time_t now = REAL(time)(NULL) + LATER;
  if (at) *at = now;
  return now;
}

int gethostname(char *name, size_t length) {
  strncpy(name, "strange-host", length);
  return 0;
}

int uname(struct utsname *names) {
  int result = REAL(uname)(names);
  strcpy(names->nodename, "strange-host");
  return result;
}

uid_t getuid(void) { return 4242; }
uid_t geteuid(void) { return 4242; }

/* One core. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set) {
  int result = REAL(sched_getaffinity)(pid, size, set);
  if (result == 0) {
    memset(set, 0, size);
    CPU_SET(0, set);
  }
  return result;
}

/* Folders backwards: all entries are read at the first call and given out from the last. */
struct listing {
  DIR *dir;
  struct dirent64 **entries;
  size_t left;
  struct listing *next;
};

static struct listing *listings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct listing *listing_of(DIR *dir) {
  struct listing *one = listings;
  while (one && one->dir != dir) one = one->next;
  if (one) return one;
  one = calloc(1, sizeof *one);
  one->dir = dir;
  struct dirent64 *entry;
  while ((entry = REAL(readdir64)(dir))) {
    one->entries = realloc(one->entries, (one->left + 1) * sizeof *one->entries);
    one->entries[one->left] = malloc(sizeof *entry);
    memcpy(one->entries[one->left++], entry, entry->d_reclen);
  }
  one->next = listings;
  return listings = one;
}

struct dirent64 *readdir64(DIR *dir) {
  pthread_mutex_lock(&lock);
  struct listing *one = listing_of(dir);
  /* Not freed: the caller may hold on to them until the folder is closed, and these are short-lived processes. */
  struct dirent64 *entry = one->left ? one->entries[--one->left] : NULL;
  pthread_mutex_unlock(&lock);
  return entry;
}

/* The two structures are one on 64-bit systems. */
struct dirent *readdir(DIR *dir) { return (struct dirent *)readdir64(dir); }

int closedir(DIR *dir) {
  pthread_mutex_lock(&lock);
  for (struct listing **place = &listings; *place; place = &(*place)->next) {
    if ((*place)->dir == dir) {
      *place = (*place)->next;
      break;
    }
  }
  pthread_mutex_unlock(&lock);
  return REAL(closedir)(dir);
}

/* Processes that are started with a cleaned environment get this library back. */
static char **with_this(char *const *environment) {
  Dl_info self;
  dladdr((void *)with_this, &self);
  size_t count = 0;
  while (environment[count]) count++;
  char **all = calloc(count + 2, sizeof *all);
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (strncmp(environment[i], "LD_PRELOAD=", 11) != 0) all[kept++] = environment[i];
  char *preload = malloc(strlen(self.dli_fname) + 12);
  strcat(strcpy(preload, "LD_PRELOAD="), self.dli_fname);
  all[kept] = preload;
  return all;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const arguments[], char *const environment[]) {
  return REAL(posix_spawn)(pid, path, actions, attributes, arguments, with_this(environment));
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                 char *const arguments[], char *const environment[]) {
  return REAL(posix_spawnp)(pid, file, actions, attributes, arguments, with_this(environment));
}

int execve(const char *path, char *const arguments[], char *const environment[]) {
  return REAL(execve)(path, arguments, with_this(environment));
}

int execv(const char *path, char *const arguments[]) { return REAL(execve)(path, arguments, with_this(environ)); }

int execvp(const char *file, char *const arguments[]) { return REAL(execvpe)(file, arguments, with_this(environ)); }
