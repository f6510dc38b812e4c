/* Crypto-PAn (Xu, Fan, Ammar, Moore: "Prefix-Preserving IP Address Anonymization", ICNP 2002): bit
 * n of an address is flipped, or not, by AES of the n bits before it.  There is no lock: each
 * thread has a mapping of its own. */
#include "cryptopan.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "packet/bytes.h"

enum { BLOCK = 16, CACHE4_BITS = 14, CACHE6_BITS = 12 };

/* A cache has one place for each hash, with the latest address and what it becomes.  As a place of
 * zeroes would mean that the address 0 becomes 0, that of the address 0 is filled at the start. */
struct cached4 {
    uint8_t addr[4];
    uint8_t mapped[4];
};

struct cached6 {
    uint8_t addr[16];
    uint8_t mapped[16];
};

struct cryptopan {
    EVP_CIPHER_CTX *context; /* owned: AES-128 in ECB mode, with the key's first half */
    bool failed;
    /* The bytes of these words are in the order of an address, whatever the machine's order. */
    uint64_t pad[2];    /* what fills the bits after a prefix */
    uint64_t masks[64]; /* each with one more of the first bits set, from none on */
    uint64_t plain[128][2];
    uint8_t cipher[128][BLOCK];
    struct cached4 cache4[1 << CACHE4_BITS];
    struct cached6 cache6[1 << CACHE6_BITS];
};

/* --- The cipher ------------------------------------------------------------------------------ */

static void encrypt(struct cryptopan *self, int blocks)
{
    int written = 0;
    if (EVP_EncryptUpdate(self->context, self->cipher[0], &written,
                          (const unsigned char *)self->plain, blocks * BLOCK) != 1 ||
        written != blocks * BLOCK)
        self->failed = true;
}

/* Flip a bit of an address where the first bit of the cipher is set. */
static void flip(uint8_t *addr, int bit, const uint8_t *cipher)
{
    addr[bit / 8] ^= (uint8_t)((cipher[0] & 0x80) >> bit % 8);
}

/* The first bits of a word of an address, as many as the mask has, then those of the pad. */
static uint64_t filled(uint64_t word, uint64_t pad, uint64_t mask)
{
    return (word & mask) | (pad & ~mask);
}

/* --- Addresses ------------------------------------------------------------------------------- */

static void map4(struct cryptopan *self, const uint8_t *addr, uint8_t *mapped)
{
    uint64_t word = 0;
    memcpy(&word, addr, 4);
    for (int i = 0; i < 32; i++) {
        self->plain[i][0] = filled(word, self->pad[0], self->masks[i]);
        self->plain[i][1] = self->pad[1];
    }
    encrypt(self, 32);
    memcpy(mapped, addr, 4);
    for (int i = 0; i < 32; i++)
        flip(mapped, i, self->cipher[i]);
}

/* The same construction over 128 bits. */
static void map6(struct cryptopan *self, const uint8_t *addr, uint8_t *mapped)
{
    uint64_t words[2];
    memcpy(words, addr, sizeof(words));
    for (int i = 0; i < 64; i++) {
        self->plain[i][0] = filled(words[0], self->pad[0], self->masks[i]);
        self->plain[i][1] = self->pad[1];
        self->plain[64 + i][0] = words[0];
        self->plain[64 + i][1] = filled(words[1], self->pad[1], self->masks[i]);
    }
    encrypt(self, 128);
    memcpy(mapped, addr, 16);
    for (int i = 0; i < 128; i++)
        flip(mapped, i, self->cipher[i]);
}

static size_t hash4(const uint8_t *addr)
{
    return load_be32(addr) * 0x9e3779b1U >> (32 - CACHE4_BITS);
}

static size_t hash6(const uint8_t *addr)
{
    uint64_t mixed = load_be64(addr) * 0x9e3779b97f4a7c15U ^ load_be64(addr + 8);
    return (size_t)(mixed * 0xd6e8feb86659fd93U >> (64 - CACHE6_BITS));
}

void cryptopan_anonymise(struct cryptopan *self, int version, uint8_t *addr)
{
    if (version == 4) {
        struct cached4 *cached = &self->cache4[hash4(addr)];
        if (memcmp(cached->addr, addr, 4) != 0) {
            map4(self, addr, cached->mapped);
            memcpy(cached->addr, addr, 4);
        }
        memcpy(addr, cached->mapped, 4);
    } else {
        struct cached6 *cached = &self->cache6[hash6(addr)];
        if (memcmp(cached->addr, addr, 16) != 0) {
            map6(self, addr, cached->mapped);
            memcpy(cached->addr, addr, 16);
        }
        memcpy(addr, cached->mapped, 16);
    }
}

/* A bit needs all bits before it: one block after another. */
void cryptopan_deanonymise(struct cryptopan *self, int version, uint8_t *addr)
{
    size_t size = version == 4 ? 4 : 16;
    uint64_t words[2] = {0, 0};
    for (int i = 0; i < (int)size * 8; i++) {
        memcpy(words, addr, size);
        self->plain[0][0] = i < 64 ? filled(words[0], self->pad[0], self->masks[i]) : words[0];
        self->plain[0][1] =
            i < 64 ? self->pad[1] : filled(words[1], self->pad[1], self->masks[i - 64]);
        encrypt(self, 1);
        flip(addr, i, self->cipher[0]);
    }
}

bool cryptopan_failed(const struct cryptopan *self)
{
    return self->failed;
}

/* --- Making one ------------------------------------------------------------------------------ */

struct cryptopan *cryptopan_new(const uint8_t *key)
{
    static const uint8_t zeroes[16];
    struct cryptopan *self = calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    self->context = EVP_CIPHER_CTX_new();
    if (!self->context ||
        EVP_EncryptInit_ex(self->context, EVP_aes_128_ecb(), NULL, key, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(self->context, 0) != 1)
        goto error;
    memcpy(self->plain, key + BLOCK, BLOCK);
    encrypt(self, 1);
    memcpy(self->pad, self->cipher, BLOCK);
    for (int i = 1; i < 64; i++) {
        self->masks[i] = self->masks[i - 1];
        ((uint8_t *)&self->masks[i])[(i - 1) / 8] |= (uint8_t)(0x80 >> (i - 1) % 8);
    }
    map4(self, zeroes, self->cache4[0].mapped);
    map6(self, zeroes, self->cache6[0].mapped);
    if (!self->failed)
        return self;
error:
    cryptopan_free(self);
    return NULL;
}

struct cryptopan *cryptopan_copy(const struct cryptopan *from)
{
    struct cryptopan *self = malloc(sizeof(*self));
    if (!self)
        return NULL;
    memcpy(self, from, sizeof(*self));
    self->context = EVP_CIPHER_CTX_new();
    if (self->context && EVP_CIPHER_CTX_copy(self->context, from->context) == 1)
        return self;
    cryptopan_free(self);
    return NULL;
}

void cryptopan_free(struct cryptopan *self)
{
    if (!self)
        return;
    EVP_CIPHER_CTX_free(self->context);
    /* the pad is made of half of the key, and the caches hold addresses with what they become */
    OPENSSL_cleanse(self, sizeof(*self));
    free(self);
}
