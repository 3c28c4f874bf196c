/*
 * The ceiling of the machine: as little work as a SPOP agent in C can decide by address with. One thread, level-triggered
 * epoll; all frames of one read are decoded where they lie, and all their ACKs leave with one write. Every argument is walked
 * and its bounds are checked. The listed addresses stand in one flat table of a family, four or sixteen bytes each; an ACK is
 * three copies of a fixed length.
 *
 *   cc -O3 -march=native -o agent agent.c && ./agent PORT|unix:PATH FILE     FILE has "ADDRESS deny|allow" lines
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
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
#define MAX_FRAME 16380
/* What a copy of a fixed length may read or write behind the end. */
#define SPARE 128
/* The longest ACK there is: head, two ids, the actions of a deny. */
#define ACK_BYTES 128
/* A NOTIFY has at least this: length, type, flags, two ids. */
#define NOTIFY_BYTES 11

typedef struct { uint64_t high, low; } Ipv6;
/* Open addressing; the unspecified address stands for an empty slot, and is never listed. */
static uint32_t *ipv4s, ipv4_mask;
static Ipv6 *ipv6s;
static uint32_t ipv6_mask;
static struct { uint8_t *held; uint32_t length; } connections[MAX_FDS];
static uint8_t in[MAX_FRAME + READ_BYTES + SPARE], out[(MAX_FRAME + READ_BYTES) / NOTIFY_BYTES * ACK_BYTES + SPARE];

#define ACTION "\x01\x03\x02\x06" "action" "\x08"
#define SOURCE "\x01\x03\x02\x06" "source" "\x08\x05" "cache"
static const uint8_t ALLOW[64] = ACTION "\x05" "allow" SOURCE;
static const uint8_t DENY[96] = ACTION "\x04" "deny" SOURCE "\x01\x03\x02\x06" "reason" "\x08\x05" "bench"
                                "\x01\x03\x02\x04" "list" "\x08\x06" "manual";
enum { ALLOW_BYTES = 17 + 17, DENY_BYTES = 16 + 17 + 17 + 16 };

static uint32_t place4(uint32_t address) { return (address * 0x9e3779b1u) >> 7 & ipv4_mask; }

static uint32_t place6(Ipv6 address) {
  return ((address.high ^ address.low * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u) >> 24 & ipv6_mask;
}

static int is_listed4(uint32_t address) {
  for (uint32_t at = place4(address);; at = (at + 1) & ipv4_mask) {
    if (ipv4s[at] == address) return 1;
    if (!ipv4s[at]) return 0;
  }
}

static int is_listed6(Ipv6 address) {
  for (uint32_t at = place6(address);; at = (at + 1) & ipv6_mask) {
    if (ipv6s[at].low == address.low && ipv6s[at].high == address.high) return 1;
    if (!(ipv6s[at].low | ipv6s[at].high)) return 0;
  }
}

static void load(const char *path) {
  FILE *file = fopen(path, "r");
  char address[64], verdict[16];
  uint32_t count = 0, size = 1024;
  if (!file) { perror(path); exit(2); }
  while (fscanf(file, "%63s %15s", address, verdict) == 2) count += verdict[0] == 'd';
  while (size < count * 2) size *= 2;
  ipv4_mask = ipv6_mask = size - 1;
  ipv4s = calloc(size, sizeof *ipv4s);
  ipv6s = calloc(size, sizeof *ipv6s);
  rewind(file);
  while (fscanf(file, "%63s %15s", address, verdict) == 2) {
    uint32_t ipv4;
    Ipv6 ipv6;
    if (verdict[0] != 'd') continue;
    if (inet_pton(AF_INET, address, &ipv4) == 1) {
      uint32_t at = place4(ipv4);
      while (ipv4s[at]) at = (at + 1) & ipv4_mask;
      ipv4s[at] = ipv4;
    } else if (inet_pton(AF_INET6, address, &ipv6) == 1) {
      uint32_t at = place6(ipv6);
      while (ipv6s[at].low | ipv6s[at].high) at = (at + 1) & ipv6_mask;
      ipv6s[at] = ipv6;
    }
  }
  fclose(file);
}

/* Returns where the number ends; NULL if that is not before `end`. */
static inline const uint8_t *varint(const uint8_t *p, const uint8_t *end, uint64_t *value) {
  if (p >= end) return NULL;
  uint64_t v = *p++;
  if (__builtin_expect(v >= 240, 0))
    for (int shift = 4;; shift += 7) {
      if (p >= end || shift > 60) return NULL;
      v += (uint64_t)*p << shift;
      if (*p++ < 128) break;
    }
  *value = v;
  return p;
}

static inline const uint8_t *skip_text(const uint8_t *p, const uint8_t *end) {
  uint64_t length;
  p = varint(p, end, &length);
  return p && length <= (uint64_t)(end - p) ? p + length : NULL;
}

static int is_listed(const uint8_t *p, int bytes) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (bytes == 16 && memcmp(p, mapped, 12)) {
    Ipv6 ipv6;
    memcpy(&ipv6, p, 16);
    return is_listed6(ipv6);
  }
  uint32_t ipv4;
  memcpy(&ipv4, p + bytes - 4, 4);
  return is_listed4(ipv4);
}

/* Walks all messages of a NOTIFY; the last address argument named "ip" decides. -1: not sound. */
static inline int decide(const uint8_t *p, const uint8_t *end) {
  int denied = 0;
  while (p < end) {
    if (!(p = skip_text(p, end)) || p >= end) return -1;
    for (int args = *p++; args > 0; args--) {
      uint64_t length;
      if (!(p = varint(p, end, &length)) || length >= (uint64_t)(end - p)) return -1;
      int is_ip = length == 2 && p[0] == 'i' && p[1] == 'p';
      p += length;
      int type = *p++ & 15;
      if (type >= 8) {
        if (type >= 10 || !(p = skip_text(p, end))) return -1;
      } else if (type >= 6) {
        int bytes = type == 6 ? 4 : 16;
        if (end - p < bytes) return -1;
        if (is_ip) denied = is_listed(p, bytes);
        p += bytes;
      } else if (type >= 2 && !(p = varint(p, end, &length))) return -1;
    }
  }
  return denied;
}

static inline uint8_t *frame(uint8_t *to, uint8_t type, const uint8_t *ids, size_t ids_length, const uint8_t *payload, size_t length) {
  uint32_t total = htonl(5 + ids_length + length);
  memcpy(to, &total, 4);
  to[4] = type;
  memcpy(to + 5, "\0\0\0\1", 4);
  memcpy(to + 9, ids, 16);
  memcpy(to + 9 + ids_length, payload, length);
  return to + 9 + ids_length + length;
}

static inline uint8_t *answer(uint8_t *to, const uint8_t *p, const uint8_t *end) {
  static const uint8_t hello[] = "\x07" "version" "\x08\x03" "2.0" "\x0e" "max-frame-size" "\x03\xfc\xf0\x06" "\x0c" "capabilities" "\x08\x0a" "pipelining";
  static const uint8_t none[16];
  const uint8_t *ids = p + 5, *payload;
  uint64_t id;
  if (__builtin_expect(*p == 1, 0)) return frame(to, 101, none, 2, hello, sizeof hello - 1);
  if (*p != 3 || !(payload = varint(ids, end, &id)) || !(payload = varint(payload, end, &id)) || payload - ids > 16) return NULL;
  int denied = decide(payload, end);
  if (denied < 0) return NULL;
  return denied ? frame(to, 103, ids, payload - ids, DENY, DENY_BYTES) : frame(to, 103, ids, payload - ids, ALLOW, ALLOW_BYTES);
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
    if (length < NOTIFY_BYTES - 4 || length > MAX_FRAME) return 0;
    if ((uint32_t)(end - p) < 4 + length) break;
    if (!(to = answer(to, p + 4, p + 4 + length))) return 0;
    p += 4 + length;
  }
  uint32_t left = connections[fd].length = end - p;
  if (left && !connections[fd].held) connections[fd].held = malloc(MAX_FRAME + 4);
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
  signal(SIGPIPE, SIG_IGN); /* a generator that ends while it is answered */
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
