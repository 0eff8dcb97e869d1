/* SPDX-License-Identifier: BSD-3-Clause */
/* Noise: the output of tailscale's control/controlbase with fixed keys, byte for byte, and refused input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "shared/client/ts_noise.h"

static const char server_private[] = "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e6f",
                  server_public[] = "d89e3bad79437dbed9f843418304f460ff05c7fe81fe4a9577a804cb9367ff66",
                  machine_private[] = "404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f",
                  machine_public[] = "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a",
                  client_ephemeral[] = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e5f",
                  server_ephemeral[] = "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdce4f",
                  initiation[] =
                      "0083010060493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531d559c7448b0ef"
                      "16204d9b6c7a18b7795ba4caf56d949f26c7c3d9959178d4556b081750808cde0e963569a0b5dbaf8b97d6"
                      "7d989d95fbfb7674490717aed95a74",
                  response[] = "0200303f3e5f6d86926c9c128cf84581574f96840d98ee5ab53b1ec3b76e2bb25b945e5f390f2e1ad4c110"
                               "c25deeda5c9a717c",
                  handshake_hash[] = "b68af9429955510be027dcf8002dc7eb8444f72778bffb9c91ac0bd20f845dcb",
                  to_server[] = "87182e7e854473ee69ea56a73721f4b546756c77ad786f548e23332001cbbafd",
                  to_client[] = "0048430f372968a9b362b1370211168ad83880c149bcc55907d150f59399495c";

static void unhex(const char *text, uint8_t *out)
{
    assert_true(crypto_unhex(text, strlen(text), out, strlen(text) / 2));
}

static void assert_hex(const uint8_t *bytes, const char *text)
{
    uint8_t *want = mem_alloc(strlen(text) / 2 + 1);

    unhex(text, want);
    assert_memory_equal(bytes, want, strlen(text) / 2);
    free(want);
}

static struct noise_server make_server(void)
{
    uint8_t key[32];
    struct noise_server s;

    unhex(server_private, key);
    noise_server_init(&s, key);
    assert_hex(s.public_key, server_public);
    return s;
}

static void respond(struct noise_handshake *hs, uint8_t message[NOISE_RESPONSE_LEN], struct noise_keys *keys)
{
    uint8_t private_key[32], public_key[32];

    unhex(server_ephemeral, private_key);
    crypto_x25519_public(private_key, public_key);
    struct crypto_dh *dh = crypto_dh_new(private_key);
    assert_int_equal(noise_write_response(hs, dh, public_key, message, keys), 0);
    crypto_dh_free(dh);
}

static void the_server_answers_as_the_reference_does(void **state)
{
    struct noise_server s = make_server();
    uint8_t message[NOISE_INITIATION_LEN], answer[NOISE_RESPONSE_LEN];
    struct noise_handshake hs;
    struct noise_keys keys;

    (void)state;
    unhex(initiation, message);
    assert_int_equal(noise_read_initiation(&s, message, sizeof(message), &hs, NULL), 0);
    assert_int_equal(hs.version, 131);
    assert_hex(hs.machine_key, machine_public);
    assert_hex(hs.state.h, "bcbf96a96238733f7666c8c752e05b48c1c3007d46b7b30609285714a96cb655");
    assert_hex(hs.state.ck, "944ea9231e43298a02819be1bc3336e095d493b72566ad27f4cd75c190dc0138");
    assert_hex(hs.state.k, "caac2e189fb9d644bb589f4ac693add16aa314808c7f9a89bacb272afa33833f");
    respond(&hs, answer, &keys);
    assert_hex(answer, response);
    assert_hex(keys.hash, handshake_hash);
    assert_hex(keys.to_server, to_server);
    assert_hex(keys.to_client, to_client);
    noise_server_release(&s);
}

static void the_tests_client_speaks_as_the_reference_does(void **state)
{
    uint8_t server[32], machine[32], ephemeral[32], message[NOISE_INITIATION_LEN], answer[NOISE_RESPONSE_LEN];
    struct ts_noise client;
    struct noise_keys keys;

    (void)state;
    unhex(server_public, server);
    unhex(machine_private, machine);
    unhex(client_ephemeral, ephemeral);
    ts_noise_begin(&client, 131, machine, server, ephemeral, message);
    assert_hex(message, initiation);
    unhex(response, answer);
    assert_int_equal(ts_noise_finish(&client, answer, &keys), 0);
    assert_hex(keys.to_server, to_server);
    assert_hex(keys.to_client, to_client);
}

static void every_changed_bit_of_an_initiation_is_refused(void **state)
{
    struct noise_server s = make_server();
    uint8_t message[NOISE_INITIATION_LEN];
    struct noise_handshake hs;

    (void)state;
    unhex(initiation, message);
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] ^= 1;
        assert_int_equal(noise_read_initiation(&s, message, sizeof(message), &hs, NULL), ERR_INVALID);
        message[i] ^= 1;
    }
    message[36] ^= 0x80; /* the same point, but other bytes in the hash */
    assert_int_equal(noise_read_initiation(&s, message, sizeof(message), &hs, NULL), ERR_INVALID);
    message[36] ^= 0x80;
    assert_int_equal(noise_read_initiation(&s, message, sizeof(message) - 1, &hs, NULL), ERR_INVALID);
    memset(message + 5, 0, 32); /* a point that forces the shared secret to zeros */
    assert_int_equal(noise_read_initiation(&s, message, sizeof(message), &hs, NULL), ERR_INVALID);
    noise_server_release(&s);
}

static void records_are_those_of_the_reference(void **state)
{
    uint8_t key[32], out[8192], *plain;
    struct noise_writer w;
    struct noise_reader r;
    size_t len;

    (void)state;
    unhex(to_client, key);
    noise_writer_init(&w, key);
    noise_writer_begin(&w, out, sizeof(out));
    noise_writer_add(&w, "server-", 7);
    noise_writer_add(&w, "record-0", 8);
    assert_int_equal(noise_writer_end(&w), 34);
    noise_writer_add(&w, "server-record-1", 15);
    assert_int_equal(noise_writer_end(&w), 68);
    assert_hex(out, "04001fccefe9901788c2b98d14cc01d3b12437650b3652c8a2f7876ef65fb1a939f0"
                    "04001f0083311c8155caebdc2a102edf656186514b1e2e6de738fc7ae5c74efba14d");
    noise_writer_release(&w);
    unhex(to_server, key);
    noise_reader_init(&r, key);
    unhex("04001ee7dcd05b279043ff8ec161cc4d36b4dfb4ad459fd13366563956c1bf49ff", out);
    assert_int_equal(noise_reader_open(&r, out, 33, &plain, &len, NULL), 33);
    assert_int_equal(len, 14);
    assert_memory_equal(plain, "PRI * HTTP/2.0", 14);
    noise_reader_release(&r);
}

static void long_texts_are_cut_into_records_that_the_client_takes(void **state)
{
    uint8_t key[32] = {1}, *out = mem_alloc(8192), *plain;
    static const uint8_t zeros[5000];
    struct noise_writer w;
    struct noise_reader r;
    size_t len;

    (void)state;
    noise_writer_init(&w, key);
    noise_reader_init(&r, key);
    noise_writer_begin(&w, out, 8192);
    noise_writer_add(&w, zeros, sizeof(zeros));
    assert_int_equal(noise_writer_end(&w), 4096 + 942);
    assert_memory_equal(out, "\x04\x0f\xfd", 3);
    assert_memory_equal(out + 4096, "\x04\x03\xab", 3);
    for (size_t n = 0; n < 4096; n++)
        assert_int_equal(noise_reader_open(&r, out, n, &plain, &len, NULL), 0);
    assert_int_equal(noise_reader_open(&r, out, 5038, &plain, &len, NULL), 4096);
    assert_int_equal(len, NOISE_PLAIN_MAX);
    assert_int_equal(noise_reader_open(&r, out + 4096, 942, &plain, &len, NULL), 942);
    assert_int_equal(len, 5000 - NOISE_PLAIN_MAX);
    noise_reader_release(&r);
    noise_writer_release(&w);
    free(out);
}

/* Fills buffers of every size to the last byte that the writer promises, in pieces of several sizes. */
static void the_room_that_is_promised_is_there(void **state)
{
    uint8_t key[32] = {2}, *out = mem_alloc(9000);
    static const uint8_t zeros[9000];
    static const size_t pieces[] = {1, 7, 4076, 4077, 4078, 9000};

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(pieces); p++)
        for (size_t cap = 0; cap < 9000; cap += 13) {
            struct noise_writer w;
            size_t room, total = 0;
            noise_writer_init(&w, key);
            noise_writer_begin(&w, out, cap);
            while ((room = noise_writer_room(&w))) {
                size_t n = room < pieces[p] ? room : pieces[p];
                noise_writer_add(&w, zeros, n);
                total += n;
                if (pieces[p] == 1 && total > 50)
                    break;
            }
            assert_true(noise_writer_end(&w) <= cap);
            if (pieces[p] > 1 && cap > NOISE_OVERHEAD)
                assert_int_equal(noise_writer_end(&w), total + (total + NOISE_PLAIN_MAX - 1) / NOISE_PLAIN_MAX * 19);
            noise_writer_release(&w);
        }
    free(out);
}

static void broken_records_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x03", 1},         /* another type */
        {"\x04\x00\x0f", 3}, /* shorter than a tag */
        {"\x04\x0f\xfe", 3}, /* longer than a record may be */
        {"\x04\xff\xff", 3}, /* much longer */
        {"\x04\x00\x10"
         "0123456789abcdef",
         19}, /* does not open */
    };
    uint8_t key[32] = {3}, bytes[32], *plain;
    size_t len;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct noise_reader r;
        struct err e;
        noise_reader_init(&r, key);
        memcpy(bytes, cases[i].bytes, cases[i].len);
        assert_int_equal(noise_reader_open(&r, bytes, cases[i].len, &plain, &len, &e), ERR_INVALID);
        noise_reader_release(&r);
    }
    struct noise_writer w;
    struct noise_reader r;
    noise_writer_init(&w, key);
    noise_reader_init(&r, key);
    noise_writer_begin(&w, bytes, sizeof(bytes));
    noise_writer_add(&w, "x", 1);
    noise_writer_end(&w);
    uint8_t again[32];
    memcpy(again, bytes, sizeof(again));
    assert_int_equal(noise_reader_open(&r, bytes, 20, &plain, &len, NULL), 20);
    assert_int_equal(noise_reader_open(&r, again, 20, &plain, &len, NULL), ERR_INVALID); /* a replay */
    noise_writer_release(&w);
    noise_reader_release(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_answers_as_the_reference_does),
        cmocka_unit_test(the_tests_client_speaks_as_the_reference_does),
        cmocka_unit_test(every_changed_bit_of_an_initiation_is_refused),
        cmocka_unit_test(records_are_those_of_the_reference),
        cmocka_unit_test(long_texts_are_cut_into_records_that_the_client_takes),
        cmocka_unit_test(the_room_that_is_promised_is_there),
        cmocka_unit_test(broken_records_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
