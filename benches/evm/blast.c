/* Sends prepared JSON-RPC bodies over keep-alive HTTP connections, one outstanding on each, from one thread.
 *
 *   blast HOST PORT CONNECTIONS BODIES LATENCIES [repeat]
 *
 * BODIES: records of `connection u32 ‖ length u32 ‖ body`, in the machine's byte order; a connection sends its own in
 * order. LATENCIES: written, one u32 of microseconds for each request. Standard output: one line of JSON.
 * With `repeat` every second body of a connection is sent again until its answer is not null: send, ask for the receipt,
 * ask again; its latency is counted from the first time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 512
#define ANSWER_MAX (64u << 20)

typedef struct {
    const char *body;
    uint32_t length;
} Request;

typedef struct {
    int socket;
    Request *requests;
    uint32_t count, room, next;
    char *out;
    size_t out_length, out_sent;
    char *in;
    size_t in_length, in_room, body_start, body_length;
    double sent_at;
    int waits_to_write;
} Connection;

static struct sockaddr_in address;
static const char *host;
static int poller, repeats;
static uint64_t answers, errors, bytes_read;
static char first_error[300];
static uint32_t *latencies;

static void fail(const char *what) {
    fprintf(stderr, "blast: %s: %s\n", what, errno ? strerror(errno) : "");
    exit(2);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void watch(Connection *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, how, c->socket, &event)) fail("epoll_ctl");
}

static void flush(Connection *c) {
    while (c->out_sent < c->out_length) {
        ssize_t n = send(c->socket, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (!c->waits_to_write) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            c->waits_to_write = 1;
            return;
        }
        if (n < 0) fail("send");
        c->out_sent += (size_t)n;
    }
    if (c->waits_to_write) watch(c, EPOLL_CTL_MOD, EPOLLIN);
    c->waits_to_write = 0;
}

static void ask(Connection *c) {
    if (c->next == c->count) return;
    Request *request = &c->requests[c->next++];
    int head = snprintf(c->out, HEAD_MAX,
                        "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %u\r\n\r\n",
                        host, request->length);
    memcpy(c->out + head, request->body, request->length);
    c->out_length = (size_t)head + request->length;
    c->out_sent = 0;
    c->sent_at = now();
    flush(c);
}

/* Whether the answer that was just taken is no answer yet. */
static int is_null(Connection *c) {
    return repeats && c->next % 2 == 0 && memmem(c->in + c->body_start, c->body_length, "\"result\":null", 13);
}

/* Whether a whole answer is there; counts the errors in it. */
static int take_answer(Connection *c) {
    if (!c->body_start) {
        char *end = memmem(c->in, c->in_length, "\r\n\r\n", 4);
        if (!end) return 0;
        *end = 0;
        char *length = strcasestr(c->in, "content-length:");
        if (!length || strncmp(c->in, "HTTP/1.1 200", 12)) {
            errno = 0;
            fail(c->in);
        }
        c->body_start = (size_t)(end + 4 - c->in);
        c->body_length = strtoull(length + 15, NULL, 10);
        if (c->body_length > ANSWER_MAX) fail("answer too long");
    }
    if (c->in_length < c->body_start + c->body_length) return 0;
    if (is_null(c)) {
        c->in_length = c->body_start = 0;
        c->out_sent = 0;
        flush(c);
        return 0;
    }
    const char *at = c->in + c->body_start, *end = at + c->body_length;
    while ((at = memmem(at, (size_t)(end - at), "\"error\"", 7))) {
        if (!errors++) snprintf(first_error, sizeof first_error, "%.*s", (int)(end - at > 280 ? 280 : end - at), at);
        at += 7;
    }
    latencies[answers++] = (uint32_t)((now() - c->sent_at) * 1e6);
    c->in_length = c->body_start = 0;
    return 1;
}

static void hear(Connection *c) {
    for (;;) {
        size_t need = c->body_start ? c->body_start + c->body_length + 1 : c->in_length + 4096;
        if (c->in_room < need) {
            c->in_room = need * 2;
            if (!(c->in = realloc(c->in, c->in_room))) fail("memory");
        }
        ssize_t n = recv(c->socket, c->in + c->in_length, c->in_room - c->in_length - 1, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) fail("the server closed a connection");
        bytes_read += (uint64_t)n;
        c->in_length += (size_t)n;
        c->in[c->in_length] = 0;
        if (take_answer(c)) {
            ask(c);
            return;
        }
    }
}

static Connection *prepare(const char *file, int connections, uint64_t *total) {
    int descriptor = open(file, O_RDONLY);
    struct stat found;
    if (descriptor < 0 || fstat(descriptor, &found)) fail(file);
    char *start = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (start == MAP_FAILED) fail("mmap");
    Connection *all = calloc((size_t)connections, sizeof *all);
    uint32_t longest = 0;
    for (char *at = start; at < start + found.st_size;) {
        uint32_t head[2];
        memcpy(head, at, sizeof head);
        Connection *c = &all[head[0] % (uint32_t)connections];
        if (c->count == c->room) {
            c->room = c->room ? 2 * c->room : 64;
            c->requests = realloc(c->requests, c->room * sizeof *c->requests);
        }
        c->requests[c->count++] = (Request){at + sizeof head, head[1]};
        if (head[1] > longest) longest = head[1];
        at += sizeof head + head[1];
        ++*total;
    }
    for (int i = 0; i < connections; i++) {
        int one = 1;
        Connection *c = &all[i];
        c->out = malloc(longest + HEAD_MAX);
        c->socket = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c->socket, (void *)&address, sizeof address)) fail("connect");
        setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(c->socket, F_SETFL, O_NONBLOCK);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
    return all;
}

int main(int count, char **words) {
    if (count != 6 && count != 7) return fputs("blast HOST PORT CONNECTIONS BODIES LATENCIES [repeat]\n", stderr), 2;
    repeats = count == 7;
    host = words[1];
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(words[2]));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("address");
    int connections = atoi(words[3]);
    if (connections < 1) fail("connections");
    poller = epoll_create1(0);
    uint64_t total = 0;
    Connection *all = prepare(words[4], connections, &total);
    latencies = malloc(total * sizeof *latencies + 1);
    double start = now();
    for (int i = 0; i < connections; i++) ask(&all[i]);
    while (answers < total) {
        struct epoll_event events[64];
        int n = epoll_wait(poller, events, 64, 60000);
        if (n == 0) fail("no answer in a minute");
        for (int i = 0; i < n; i++) {
            Connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) flush(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(c);
        }
    }
    double wall = now() - start;
    FILE *out = fopen(words[5], "wb");
    if (!out || fwrite(latencies, sizeof *latencies, answers, out) != answers || fclose(out)) fail(words[5]);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    for (char *c = first_error; *c; c++)
        if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
    printf("{\"seconds\": %.6f, \"answers\": %lu, \"errors\": %lu, \"first_error\": \"%s\", \"bytes\": %lu, "
           "\"cpu_seconds\": %.3f}\n",
           wall, answers, errors, first_error, bytes_read,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6);
    return 0;
}
