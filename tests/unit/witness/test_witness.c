/* SPDX-License-Identifier: Apache-2.0
 *
 * Both halves of the witness's protocol against each other, over a wire that drops, changes,
 * repeats and delays; and mounts that have a witness, with a wire that breaks at each of its bytes.
 */
#include "../seal/seal_disk.h"
#include "witness/protocol.h"

/* What the server keeps: a few counters. */
struct memory {
    struct {
        uint8_t counter[ALC_WITNESS_KEY_SIZE];
        struct alc_seal_mark mark;
    } rows[8];
    size_t count;
    bool fails;
};

static size_t find(const struct memory *memory, const uint8_t *counter)
{
    size_t i = 0;
    while (i < memory->count &&
           memcmp(memory->rows[i].counter, counter, ALC_WITNESS_KEY_SIZE) != 0) {
        i++;
    }
    return i;
}

static alc_status memory_read(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                              struct alc_seal_mark *out)
{
    const struct memory *memory = context;
    size_t at = find(memory, counter);
    *out = at < memory->count ? memory->rows[at].mark : (struct alc_seal_mark){0};
    return memory->fails ? ALC_E_IO_FAILED : ALC_OK;
}

static alc_status memory_advance(void *context, const uint8_t counter[ALC_WITNESS_KEY_SIZE],
                                 const struct alc_seal_mark *from, const struct alc_seal_mark *to)
{
    struct memory *memory = context;
    size_t at = find(memory, counter);
    (void)from;
    if (at == memory->count) {
        memcpy(memory->rows[memory->count++].counter, counter, ALC_WITNESS_KEY_SIZE);
    }
    memory->rows[at].mark = *to;
    return ALC_OK;
}

/* The wire: an os table of which the handle WIRE leads to the server, and the rest to a disk. */
enum { WIRE = 20 };
struct fixture {
    struct alc_os os;
    struct alc_os_operations operations;
    struct disk disk;
    struct memory memory;
    struct alc_witness_store store;
    struct alc_ec_private_key key;
    struct alc_random random;
    struct alc_witness_link link;
    struct alc_witness_client client;
    uint8_t request[ALC_WITNESS_REQUEST_SIZE];
    uint8_t answer[ALC_WITNESS_ANSWER_SIZE];
    uint8_t last_answer[ALC_WITNESS_ANSWER_SIZE];
    size_t received, sent;
    uint64_t bytes_count;
    uint64_t break_at; /* that many bytes go through */
    size_t piece;      /* bytes of one call */
    void (*tamper)(struct fixture *fixture);
    unsigned flip; /* bit of the answer, with tamper_flip */
    struct mount mount;
};

static size_t pass(struct fixture *fixture, size_t wanted)
{
    size_t count = wanted < fixture->piece ? wanted : fixture->piece;
    if (fixture->break_at != 0) {
        uint64_t left = fixture->break_at - fixture->bytes_count;
        count = count < left ? count : (size_t)left;
    }
    fixture->bytes_count += count;
    return count;
}

static int64_t wire_write(void *context, int32_t handle, const struct alc_span *spans,
                          size_t spans_count)
{
    struct fixture *fixture = context;
    assert_int_equal(handle, WIRE);
    assert_int_equal(spans_count, 1);
    size_t count = pass(fixture, spans[0].size);
    if (count == 0) {
        return -ALC_OS_IO;
    }
    assert_true(fixture->received + count <= sizeof fixture->request);
    memcpy(fixture->request + fixture->received, spans[0].bytes, count);
    fixture->received += count;
    if (fixture->received == sizeof fixture->request) {
        memcpy(fixture->last_answer, fixture->answer, sizeof fixture->answer);
        assert_int_equal(alc_witness_answer(&fixture->store, &fixture->key, &fixture->random,
                                            fixture->request, fixture->answer),
                         ALC_OK);
        if (fixture->tamper != NULL) {
            fixture->tamper(fixture);
        }
        fixture->received = 0;
        fixture->sent = 0;
    }
    return (int64_t)count;
}

static int64_t wire_read(void *context, int32_t handle, const struct alc_span *spans,
                         size_t spans_count)
{
    struct fixture *fixture = context;
    assert_int_equal(handle, WIRE);
    assert_int_equal(spans_count, 1);
    size_t count = pass(fixture, spans[0].size);
    if (count == 0) {
        return 0; /* the end */
    }
    memcpy(spans[0].bytes, fixture->answer + fixture->sent, count);
    fixture->sent += count;
    return (int64_t)count;
}

static int64_t wire_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return disk_fill_random(NULL, buf, buf_size);
}

static int64_t wire_yield(void *context)
{
    (void)context;
    return 0;
}

static alc_status fill_random(void *context, uint8_t *buf, size_t buf_size)
{
    (void)context;
    return disk_fill_random(NULL, buf, buf_size) == 0 ? ALC_OK : ALC_E_IO_FAILED;
}

static void connect_again(struct fixture *fixture)
{
    fixture->link.is_broken = false;
    fixture->received = 0;
    fixture->bytes_count = 0;
    fixture->break_at = 0;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    memset(secret, 7, sizeof secret);
    disk_init(&fixture->disk);
    fixture->operations = (struct alc_os_operations){
        .read = wire_read, .write = wire_write, .random = wire_random, .yield = wire_yield};
    fixture->os = (struct alc_os){.operations = &fixture->operations, .context = fixture};
    fixture->store = (struct alc_witness_store){
        .read = memory_read, .advance = memory_advance, .context = &fixture->memory};
    fixture->random = (struct alc_random){.fill = fill_random};
    fixture->piece = 1000;
    fixture->link = (struct alc_witness_link){.os = &fixture->os, .handle = WIRE};
    assert_int_equal(
        alc_ec_generate(ALC_CURVE_P256, &fixture->random, &fixture->key, &fixture->link.key),
        ALC_OK);
    assert_int_equal(alc_witness_client_init(&fixture->client, &fixture->link, secret), ALC_OK);
    mount_init(&fixture->mount, &fixture->disk);
    fixture->mount.options.witness = &fixture->client.witness;
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    alc_witness_client_fini(&fixture->client);
    mount_fini(&fixture->mount);
    disk_fini(&fixture->disk);
    free(fixture);
    return 0;
}

static struct alc_seal_mark mark_of(uint64_t generation)
{
    struct alc_seal_mark mark = {.generation = generation};
    memset(mark.digest, (int)generation, generation == 0 ? 0 : sizeof mark.digest);
    return mark;
}

static alc_status advance(struct fixture *fixture, uint64_t from, uint64_t to)
{
    const struct alc_seal_witness *witness = &fixture->client.witness;
    const struct alc_seal_mark marks[2] = {mark_of(from), mark_of(to)};
    return witness->advance(witness->context, &marks[0], &marks[1]);
}

static uint64_t read_generation(struct fixture *fixture)
{
    const struct alc_seal_witness *witness = &fixture->client.witness;
    struct alc_seal_mark mark;
    assert_int_equal(witness->read(witness->context, &mark), ALC_OK);
    return mark.generation;
}

static void test_counter(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_generation(fixture), 0);
    assert_int_equal(advance(fixture, 0, 5), ALC_OK);
    assert_int_equal(read_generation(fixture), 5);
    fixture->piece = 7; /* in small pieces */
    assert_int_equal(advance(fixture, 5, 9), ALC_OK);
    assert_int_equal(advance(fixture, 5, 9), ALC_OK); /* the answer was lost: the same again */
    assert_int_equal(advance(fixture, 5, 10), ALC_E_POLICY_REFUSED);
    assert_int_equal(advance(fixture, 9, 8), ALC_E_POLICY_REFUSED); /* backwards */
    assert_int_equal(advance(fixture, 0, 10), ALC_E_POLICY_REFUSED);
    assert_int_equal(read_generation(fixture), 9);
    /* As far, but another state. */
    struct alc_seal_mark other = mark_of(9);
    const struct alc_seal_mark next = mark_of(11);
    other.digest[3] ^= 1;
    const struct alc_seal_witness *witness = &fixture->client.witness;
    assert_int_equal(witness->advance(witness->context, &other, &next), ALC_E_POLICY_REFUSED);
    fixture->memory.fails = true;
    assert_int_equal(advance(fixture, 9, 12), ALC_E_POLICY_REFUSED);
}

/* Somebody else's counter. */
static void test_owner(void **state)
{
    struct fixture *fixture = *state;
    struct alc_witness_client other;
    uint8_t secret[ALC_SEAL_KEY_SIZE];
    memset(secret, 8, sizeof secret);
    assert_int_equal(alc_witness_client_init(&other, &fixture->link, secret), ALC_OK);
    assert_int_equal(advance(fixture, 0, 5), ALC_OK);
    assert_int_equal(fixture->memory.count, 1);
    const struct alc_seal_mark marks[2] = {mark_of(0), mark_of(3)};
    assert_int_equal(other.witness.advance(other.witness.context, &marks[0], &marks[1]), ALC_OK);
    assert_int_equal(fixture->memory.count, 2); /* a counter of its own */
    assert_int_equal(read_generation(fixture), 5);
    /* His signature for a counter that is not his. */
    const struct alc_seal_mark more[2] = {mark_of(5), mark_of(50)};
    other.counter = fixture->client.counter;
    assert_int_equal(other.witness.advance(other.witness.context, &more[0], &more[1]),
                     ALC_E_POLICY_REFUSED);
    assert_int_equal(fixture->answer[8], ALC_WITNESS_NOT_OWNER);
    assert_int_equal(read_generation(fixture), 5);
    alc_witness_client_fini(&other);
}

/* A line is the secret of another counter, and from then on the client is about that one. */
static void test_follow(void **state)
{
    struct fixture *fixture = *state;
    struct alc_witness_client other;
    const struct alc_seal_witness *witness = &fixture->client.witness;
    uint8_t line[ALC_SEAL_LINE_SIZE];
    memset(line, 8, sizeof line);
    assert_int_equal(alc_witness_client_init(&other, &fixture->link, line), ALC_OK);
    const struct alc_seal_mark marks[2] = {mark_of(0), mark_of(3)};
    assert_int_equal(other.witness.advance(&other, &marks[0], &marks[1]), ALC_OK);
    assert_int_equal(advance(fixture, 0, 5), ALC_OK);
    assert_int_equal(witness->follow(witness->context, line), ALC_OK);
    assert_int_equal(read_generation(fixture), 3);
    assert_int_equal(advance(fixture, 3, 6), ALC_OK);
    assert_int_equal(fixture->memory.rows[0].mark.generation, 6);
    assert_int_equal(fixture->memory.rows[1].mark.generation, 5); /* the first one's stays */
    alc_witness_client_fini(&other);
}

/* Every bit of a request: refused or about something else, and the counter stays. */
static void test_changed_request(void **state)
{
    struct fixture *fixture = *state;
    uint8_t good[ALC_WITNESS_REQUEST_SIZE];
    assert_int_equal(advance(fixture, 0, 5), ALC_OK);
    struct alc_seal_mark before = fixture->memory.rows[0].mark;
    assert_int_equal(advance(fixture, 5, 6), ALC_OK);
    memcpy(good, fixture->request, sizeof good);
    for (size_t bit = 0; bit < 8 * sizeof good; bit += 3) {
        uint8_t request[ALC_WITNESS_REQUEST_SIZE];
        fixture->memory.rows[0].mark = before;
        memcpy(request, good, sizeof good);
        request[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(alc_witness_answer(&fixture->store, &fixture->key, &fixture->random,
                                            request, fixture->answer),
                         ALC_OK);
        assert_int_equal(fixture->memory.rows[0].mark.generation, 5);
        assert_int_equal(fixture->memory.count, 1);
    }
}

static void tamper_flip(struct fixture *fixture)
{
    fixture->answer[fixture->flip / 8] ^= (uint8_t)(1u << (fixture->flip % 8));
}

static void tamper_replay(struct fixture *fixture)
{
    memcpy(fixture->answer, fixture->last_answer, sizeof fixture->answer);
}

static void tamper_other_key(struct fixture *fixture)
{
    struct alc_ec_private_key key;
    struct alc_ec_public_key public_key;
    assert_int_equal(alc_ec_generate(ALC_CURVE_P256, &fixture->random, &key, &public_key), ALC_OK);
    assert_int_equal(alc_witness_answer(&fixture->store, &key, &fixture->random, fixture->request,
                                        fixture->answer),
                     ALC_OK);
}

/* No answer but the true one to this question counts. */
static void test_changed_answer(void **state)
{
    struct fixture *fixture = *state;
    const struct alc_seal_witness *witness = &fixture->client.witness;
    struct alc_seal_mark mark;
    assert_int_equal(advance(fixture, 0, 5), ALC_OK);
    fixture->tamper = tamper_flip;
    for (fixture->flip = 0; fixture->flip < 8 * ALC_WITNESS_ANSWER_SIZE; fixture->flip += 5) {
        assert_int_not_equal(witness->read(witness->context, &mark), ALC_OK);
    }
    fixture->tamper = NULL;
    assert_int_equal(witness->read(witness->context, &mark), ALC_OK);
    fixture->tamper = tamper_replay;
    assert_int_not_equal(witness->read(witness->context, &mark), ALC_OK);
    assert_int_not_equal(advance(fixture, 5, 6), ALC_OK);
    fixture->tamper = tamper_other_key;
    assert_int_not_equal(witness->read(witness->context, &mark), ALC_OK);
}

/* -- mounts -- */

/* An old disk is refused, an emptied one, and one whose newer state the witness never heard of. */
static void test_mount(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    struct disk old;
    disk_init(&old);
    assert_int_equal(mount_open(mount), ALC_OK);
    put_file(mount, "f", "old", 3);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_set(&old, fixture->disk.bytes, fixture->disk.size);
    assert_int_equal(mount_open(mount), ALC_OK);
    put_file(mount, "f", "new", 3);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    disk_set(&fixture->disk, old.bytes, old.size);
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_int_equal(mount->damage.reason, ALC_SEAL_ROLLED_BACK);
    assert_string_equal(mount->error.detail, "the sealed mount is older than its witness says");
    fixture->disk.size = 0;
    fixture->disk.exists = false;
    assert_int_equal(mount_open(mount), ALC_E_POLICY_REFUSED);
    assert_string_equal(mount->error.detail,
                        "the witness of the sealed mount refuses an empty one");
    disk_fini(&old);
}

/* The wire breaks after each number of bytes. Whatever the program was told is durable is there
 * when the mount is opened again, and it can be opened again. */
static void test_broken_wire(void **state)
{
    struct fixture *fixture = *state;
    struct mount *mount = &fixture->mount;
    assert_int_equal(mount_open(mount), ALC_OK);
    put_file(mount, "number", "\0", 1);
    assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    enum { EXCHANGE = ALC_WITNESS_REQUEST_SIZE + ALC_WITNESS_ANSWER_SIZE };
    uint8_t durable = 0;
    unsigned failures_count = 0;
    for (uint64_t at = 1; at < 4 * EXCHANGE; at += 29) {
        connect_again(fixture);
        fixture->break_at = at;
        if (mount_open(mount) == ALC_OK) {
            uint8_t next = (uint8_t)(durable + 1);
            int64_t handle = open_file(mount, "number", ALC_OS_OPEN_WRITE);
            bool is_good =
                write_at(mount, handle, &next, 1, 0) == 1 && alc_seal_sync(mount->seal) == 0;
            durable = is_good ? next : durable;
            failures_count += !is_good;
            (void)alc_seal_close(mount->seal);
        }
        connect_again(fixture);
        uint8_t found = 0;
        assert_int_equal(mount_open(mount), ALC_OK);
        int64_t handle = open_file(mount, "number", ALC_OS_OPEN_READ);
        assert_int_equal(read_at(mount, handle, &found, 1, 0), 1);
        assert_true(found == durable || found == (uint8_t)(durable + 1));
        durable = found; /* this state was told to the witness */
        assert_int_equal(alc_seal_close(mount->seal), ALC_OK);
    }
    assert_true(failures_count > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_follow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mount, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_wire, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
