/* What musl does to memory byte by byte, or with string instructions that take longer to begin than most of what is
   copied here is long. The static binary is linked to these in its place: a render compares and copies some hundred
   thousand times, most often less than 32 bytes. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { uint64_t low, high; } sixteen;

/* A part of known length, at any address; the compiler makes one load or store of each. */
#define LOAD(type, name) static inline type name(const unsigned char *from) { type of; __builtin_memcpy(&of, from, sizeof of); return of; }
#define STORE(type, name) static inline void name(unsigned char *to, type of) { __builtin_memcpy(to, &of, sizeof of); }
LOAD(uint16_t, load2) LOAD(uint32_t, load4) LOAD(uint64_t, load8) LOAD(sixteen, load16)
STORE(uint16_t, store2) STORE(uint32_t, store4) STORE(uint64_t, store8) STORE(sixteen, store16)

/* As numbers, eight bytes compare as texts do only with the first byte highest. */
static inline uint64_t in_order(const unsigned char *from) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return __builtin_bswap64(load8(from));
#else
  return load8(from);
#endif
}

int memcmp(const void *left, const void *right, size_t length) {
  const unsigned char *a = left, *b = right;
  size_t at = 0;
  for (; length - at >= 8; at += 8) {
    uint64_t x = in_order(a + at), y = in_order(b + at);
    if (x != y) return x < y ? -1 : 1;
  }
  if (at < length && length >= 8) {
    /* The last eight, some of which are known to be equal. */
    uint64_t x = in_order(a + length - 8), y = in_order(b + length - 8);
    return x == y ? 0 : x < y ? -1 : 1;
  }
  for (; at < length; at++)
    if (a[at] != b[at]) return a[at] - b[at];
  return 0;
}

/* All is loaded before anything is stored, so that the two may overlap. */
static inline void move_32_at_most(unsigned char *to, const unsigned char *from, size_t length) {
  if (length >= 16) {
    sixteen first = load16(from), last = load16(from + length - 16);
    store16(to, first);
    store16(to + length - 16, last);
  } else if (length >= 8) {
    uint64_t first = load8(from), last = load8(from + length - 8);
    store8(to, first);
    store8(to + length - 8, last);
  } else if (length >= 4) {
    uint32_t first = load4(from), last = load4(from + length - 4);
    store4(to, first);
    store4(to + length - 4, last);
  } else if (length >= 2) {
    uint16_t first = load2(from), last = load2(from + length - 2);
    store2(to, first);
    store2(to + length - 2, last);
  } else if (length) {
    *to = *from;
  }
}

void *memmove(void *target, const void *source, size_t length) {
  unsigned char *to = target;
  const unsigned char *from = source;
  if (length <= 32) {
    move_32_at_most(to, from, length);
    return target;
  }
  sixteen first = load16(from), last = load16(from + length - 16);
  /* Forward unless what is stored first would be loaded later. */
  if ((uintptr_t)to - (uintptr_t)from >= length) {
    for (size_t at = 16; at < length - 16; at += 16) store16(to + at, load16(from + at));
  } else {
    for (size_t at = length - 16; at > 16; at -= 16) store16(to + at - 16, load16(from + at - 16));
  }
  store16(to, first);
  store16(to + length - 16, last);
  return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t length) {
#if defined(__x86_64__)
  if (length >= 1024) {
    void *end = target;
    __asm__ volatile("rep movsb" : "+D"(end), "+S"(source), "+c"(length) : : "memory");
    return target;
  }
#endif
  return memmove(target, source, length);
}
