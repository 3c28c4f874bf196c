/*
 * The ceiling of the machine: the minimum work of a SPOP agent in C that decides by address.
 * One thread, epoll, level triggered; every frame is decoded in full (all arguments are walked and checked), IPv4 and IPv6
 * addresses are looked up in an open-addressing table, and all ACKs of one read leave with one write.
 *
 *   cc -O2 -o agent agent.c && ./agent PORT|unix:PATH FILE     FILE has "ADDRESS deny|allow" lines
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_FDS 65536

typedef struct { uint32_t key[4]; uint32_t used, denied; } Entry;
static Entry *table;
static uint32_t mask;
static struct { uint8_t *held; uint32_t length, size; } connections[MAX_FDS];
static uint8_t in[READ_BYTES * 2], out[READ_BYTES * 8];

static const uint8_t ALLOW[] = "\x01\x03\x02\x06" "action" "\x08\x05" "allow" "\x01\x03\x02\x06" "source" "\x08\x05" "cache";
static const uint8_t DENY[] = "\x01\x03\x02\x06" "action" "\x08\x04" "deny" "\x01\x03\x02\x06" "source" "\x08\x05" "cache"
                              "\x01\x03\x02\x06" "reason" "\x08\x05" "bench" "\x01\x03\x02\x04" "list" "\x08\x06" "manual";

static uint32_t hash(const uint32_t *key) {
  uint32_t h = key[0] * 0x9e3779b1u;
  for (int i = 1; i < 4; i++) h = (h ^ (h >> 15) ^ key[i]) * 0x85ebca6bu;
  return h ^ (h >> 15);
}

static Entry *find(const uint32_t *key) {
  uint32_t at = hash(key) & mask;
  while (table[at].used && memcmp(table[at].key, key, 16)) at = (at + 1) & mask;
  return &table[at];
}

/* IPv4 stands in the first word with a mark in the last, so that both families share the table. */
static void key_of(uint32_t *key, const uint8_t *bytes, int length) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  memset(key, 0, 16);
  if (length == 16 && !memcmp(bytes, mapped, 12)) bytes += 12, length = 4;
  memcpy(key, bytes, length);
  if (length == 4) key[3] = 0xffffffffu;
}

static void load(const char *path) {
  FILE *file = fopen(path, "r");
  char address[64], verdict[16];
  uint32_t count = 0;
  if (!file) { perror(path); exit(2); }
  while (fscanf(file, "%63s %15s", address, verdict) == 2) count++;
  for (mask = 1024; mask < count * 2; mask *= 2) {}
  table = calloc(mask, sizeof *table);
  mask--;
  rewind(file);
  while (fscanf(file, "%63s %15s", address, verdict) == 2) {
    uint8_t bytes[16];
    uint32_t key[4];
    int v6 = strchr(address, ':') != NULL;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) != 1) continue;
    key_of(key, bytes, v6 ? 16 : 4);
    Entry *entry = find(key);
    memcpy(entry->key, key, 16);
    entry->used = 1;
    entry->denied = verdict[0] == 'd';
  }
  fclose(file);
}

static int varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  const uint8_t *p = *at;
  if (p >= end) return -1;
  uint64_t v = *p++;
  if (v >= 240)
    for (int shift = 4;; shift += 7) {
      if (p >= end || shift > 60) return -1;
      v += (uint64_t)*p << shift;
      if (*p++ < 128) break;
    }
  *at = p;
  *value = v;
  return 0;
}

static int skip_text(const uint8_t **at, const uint8_t *end) {
  uint64_t length;
  if (varint(at, end, &length) || length > (uint64_t)(end - *at)) return -1;
  *at += length;
  return 0;
}

/* Walks all messages of a NOTIFY; the first address argument named "ip" decides. -1: not sound. */
static int decide(const uint8_t *p, const uint8_t *end) {
  int denied = 0;
  while (p < end) {
    if (skip_text(&p, end) || p >= end) return -1;
    for (int args = *p++; args > 0; args--) {
      uint64_t length, ignored;
      if (varint(&p, end, &length) || length > (uint64_t)(end - p)) return -1;
      int is_ip = length == 2 && p[0] == 'i' && p[1] == 'p';
      p += length;
      if (p >= end) return -1;
      int type = *p++ & 15;
      if (type <= 1) continue;
      if (type <= 5) { if (varint(&p, end, &ignored)) return -1; continue; }
      if (type >= 10) return -1;
      if (type >= 8) { if (skip_text(&p, end)) return -1; continue; }
      int bytes = type == 6 ? 4 : 16;
      if (end - p < bytes) return -1;
      if (is_ip) {
        uint32_t key[4];
        key_of(key, p, bytes);
        Entry *entry = find(key);
        denied = entry->used && entry->denied;
      }
      p += bytes;
    }
  }
  return denied;
}

static uint8_t *frame(uint8_t *to, uint8_t type, const uint8_t *ids, size_t ids_length, const uint8_t *payload, size_t length) {
  uint32_t total = htonl(5 + ids_length + length);
  memcpy(to, &total, 4);
  to[4] = type;
  memcpy(to + 5, "\0\0\0\1", 4);
  memcpy(to + 9, ids, ids_length);
  memcpy(to + 9 + ids_length, payload, length);
  return to + 9 + ids_length + length;
}

static uint8_t *answer(uint8_t *to, const uint8_t *p, const uint8_t *end) {
  static const uint8_t hello[] = "\x07" "version" "\x08\x03" "2.0" "\x0e" "max-frame-size" "\x03\xfc\xf0\x06" "\x0c" "capabilities" "\x08\x0a" "pipelining";
  uint8_t type = *p;
  const uint8_t *ids = p + 5, *payload = ids;
  uint64_t id;
  if (type == 1) return frame(to, 101, (const uint8_t *)"\0\0", 2, hello, sizeof hello - 1);
  if (type != 3 || varint(&payload, end, &id) || varint(&payload, end, &id)) return NULL;
  int denied = decide(payload, end);
  if (denied < 0) return NULL;
  return frame(to, 103, ids, payload - ids, denied ? DENY : ALLOW, denied ? sizeof DENY - 1 : sizeof ALLOW - 1);
}

/* One read, all frames in it, one write. 0: the connection is over. */
static int serve(int fd) {
  uint32_t held = connections[fd].length;
  if (held) memcpy(in, connections[fd].held, held);
  ssize_t got = read(fd, in + held, READ_BYTES);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  uint8_t *p = in, *end = in + held + got, *to = out;
  while (end - p >= 4) {
    uint32_t length;
    memcpy(&length, p, 4);
    length = ntohl(length);
    if (length < 7 || length > 16380) return 0;
    if ((uint32_t)(end - p) < 4 + length) break;
    if (!(to = answer(to, p + 4, p + 4 + length))) return 0;
    p += 4 + length;
  }
  uint32_t left = connections[fd].length = end - p;
  if (left > connections[fd].size) connections[fd].held = realloc(connections[fd].held, connections[fd].size = 32768);
  if (left) memcpy(connections[fd].held, p, left);
  for (uint8_t *from = out; from < to;) {
    ssize_t sent = write(fd, from, to - from);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent <= 0) return 0;
    from += sent;
  }
  return 1;
}

static int listen_on(const char *where) {
  int fd, one = 1;
  if (!strncmp(where, "unix:", 5)) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, where + 5, sizeof address.sun_path - 1);
    unlink(address.sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) { perror(where); exit(2); }
  } else {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(where)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) { perror(where); exit(2); }
  }
  listen(fd, 4096);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 3) { fprintf(stderr, "usage: agent PORT|unix:PATH FILE\n"); return 2; }
  load(argv[2]);
  int listener = listen_on(argv[1]), poll = epoll_create1(0), one = 1;
  struct epoll_event events[256], event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  puts("listening");
  fflush(stdout);
  for (;;) {
    int count = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < MAX_FDS) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          connections[fd].length = 0;
          event.events = EPOLLIN;
          event.data.fd = fd;
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
        }
      } else if (!serve(fd)) close(fd);
    }
  }
}
