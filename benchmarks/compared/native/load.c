/* The load: `load PORT REQUEST_FILE CONNECTIONS MILLISECONDS [RAMP_MILLISECONDS [LEAVE_AFTER]]`
 *
 * Every connection sends the request in REQUEST_FILE and reads the answer, again and again until MILLISECONDS have
 * passed; 0: once. The connections start evenly over RAMP_MILLISECONDS. With LEAVE_AFTER they close after that many
 * frames. Prints one JSON object; times are in microseconds:
 *     requests, seconds, errors, first_error   complete answers with status 200, and the others
 *     latency, first_byte                      of each answer: from its sending to its end, to its body's first byte
 *     frames, delay                            their number; for each the time from its stamp to here: @nanoseconds@ of
 *                                              CLOCK_MONOTONIC (upstream.c), or @+nanoseconds@ since the answer's headers
 *     left                                     CLOCK_MONOTONIC in nanoseconds of each closing
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 32768, READ = 262144, ANSWER_SECONDS = 30 };
enum state { HEADERS, LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END };

struct connection {
    int fd, open, head_used, status, chunked, frames;
    enum state state;
    long left;                 /* of the body, or of the chunk */
    long sent, began, headed, first_byte, stamp;
    int digits, relative, blank;
    char head[HEAD];
};

struct series { long *at, used, room; };

static struct sockaddr_in server = {.sin_family = AF_INET};
static char *request, first_error[300];
static long request_size, started, deadline, requests, errors, frames;
static int poller, leave_after, once, alive;
static struct series latency, first_byte, delay, left_at;

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void append(struct series *s, long value) {
    if (s->used == s->room) s->at = realloc(s->at, (s->room = s->room ? 2 * s->room : 4096) * sizeof *s->at);
    s->at[s->used++] = value;
}

static void send_more(struct connection *c) {
    while (c->sent < request_size) {
        ssize_t n = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        c->sent += n;
    }
    struct epoll_event e = {.events = EPOLLIN | (c->sent < request_size ? EPOLLOUT : 0), .data.ptr = c};
    static char waiting[1 << 16];
    if ((c->sent < request_size) != waiting[c->fd]) {
        waiting[c->fd] = c->sent < request_size;
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
    }
}

static void begin(struct connection *c) {
    c->state = HEADERS;
    c->head_used = c->chunked = c->frames = c->digits = c->status = 0;
    c->sent = c->first_byte = c->stamp = 0;
    c->began = now();
    send_more(c);
}

static void hang_up(struct connection *c) {
    close(c->fd);
    c->open = 0;
    alive--;
}

static void dial(struct connection *c) {
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server)) perror("load: connect"), exit(1);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
    c->open = 1;
    alive++;
    begin(c);
}

static void fail(struct connection *c, const char *why, const char *detail) {
    if (!errors++) snprintf(first_error, sizeof first_error, "%s: %.200s", why, detail);
    hang_up(c);
    if (!once && now() < deadline) dial(c);
}

static void finish(struct connection *c) {
    long end = now();
    if (c->status != 200) { fail(c, "status", c->head); return; }
    requests++;
    append(&latency, (end - c->began) / 1000);
    append(&first_byte, (c->first_byte - c->began) / 1000);
    if (once || end >= deadline) hang_up(c);
    else begin(c);
}

/* Finds the stamps @digits@ in the body, wherever the network cut it. */
static void take_body(struct connection *c, const char *data, long size) {
    if (size && !c->first_byte) c->first_byte = now();
    for (const char *at = data; at < data + size; at++) {
        if (!c->digits && !(at = memchr(at, '@', data + size - at))) return;
        if (*at == '@') {
            if (c->digits > 1) {
                append(&delay, (now() - c->stamp - (c->relative ? c->headed : 0)) / 1000), frames++, c->frames++;
                c->digits = 0;
            } else c->digits = 1, c->stamp = c->relative = 0;
        } else if (*at >= '0' && *at <= '9') c->digits++, c->stamp = 10 * c->stamp + *at - '0';
        else if (*at == '+' && c->digits == 1) c->relative = 1;
        else c->digits = 0;
    }
}

static long head_end(struct connection *c, const char *data, long size) {
    long n = size < HEAD - 1 - c->head_used ? size : HEAD - 1 - c->head_used, before = c->head_used;
    memcpy(c->head + before, data, n);
    c->head[c->head_used = before + n] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return -1;
    *end = 0;
    c->status = atoi(c->head + 9);
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    c->chunked = strcasestr(c->head, "\r\ntransfer-encoding:") != NULL;
    c->left = length ? atol(length + 17) : 0;
    c->state = c->chunked ? CHUNK_SIZE : LENGTH;
    if (c->chunked) c->left = 0;
    c->blank = 1;
    c->headed = now();
    return end + 4 - c->head - before;
}

/* Reads what has arrived; 1 at the end of the answer. */
static int take(struct connection *c, const char *data, long size) {
    const char *end = data + size;
    while (data < end || (c->state == LENGTH && !c->left)) {
        long n = end - data;
        switch (c->state) {
        case HEADERS:
            if ((n = head_end(c, data, n)) < 0) return 0;
            break;
        case LENGTH:
            if (!c->left) return 1;
            if (n > c->left) n = c->left;
            take_body(c, data, n);
            c->left -= n;
            break;
        case CHUNK_SIZE:
            n = 1;
            if (*data == '\n') {
                if (!c->blank) c->state = c->left ? CHUNK_DATA : CHUNK_END;
            } else if (*data != '\r') {
                int digit = *data <= '9' ? *data - '0' : (*data | 32) - 'a' + 10;
                c->left = c->blank ? digit : 16 * c->left + digit;
                c->blank = 0;
            }
            break;
        case CHUNK_DATA:
            if (n > c->left) n = c->left;
            take_body(c, data, n);
            if (!(c->left -= n)) c->state = CHUNK_SIZE, c->blank = 1;
            break;
        case CHUNK_END: /* the empty line after the last chunk */
            if (*data == '\n') return 1;
            n = 1;
            break;
        }
        data += n;
    }
    return 0;
}

static void readable(struct connection *c) {
    static char data[READ];
    ssize_t n = recv(c->fd, data, sizeof data, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) { fail(c, "the connection ended", c->head); return; }
    if (take(c, data, n)) { finish(c); return; }
    if (leave_after && c->frames >= leave_after) {
        append(&left_at, now());
        hang_up(c);
        if (now() < deadline) usleep(20000), dial(c);
    }
}

static void print_series(const char *name, struct series *s) {
    printf(", \"%s\": [", name);
    for (long i = 0; i < s->used; i++) printf(i ? ",%ld" : "%ld", s->at[i]);
    printf("]");
}

int main(int argc, char **argv) {
    if (argc < 5) return fprintf(stderr, "usage: load PORT REQUEST_FILE CONNECTIONS MILLISECONDS [RAMP [LEAVE_AFTER]]\n"), 2;
    server.sin_port = htons(atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FILE *file = fopen(argv[2], "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info)) return perror(argv[2]), 1;
    request = malloc(request_size = info.st_size);
    if (fread(request, 1, request_size, file) != (size_t)request_size) return perror(argv[2]), 1;
    int count = atoi(argv[3]), dialled = 0;
    long duration = atol(argv[4]) * 1000000L, ramp = argc > 5 ? atol(argv[5]) * 1000000L : 0;
    leave_after = argc > 6 ? atoi(argv[6]) : 0;
    once = duration == 0;
    struct connection *all = calloc(count, sizeof *all);
    struct epoll_event events[512];
    poller = epoll_create1(0);
    started = now();
    deadline = started + duration;
    long give_up = deadline + ramp + ANSWER_SECONDS * 1000000000L;
    while ((dialled < count || alive) && now() < give_up) {
        while (dialled < count && now() >= started + ramp / count * dialled) dial(&all[dialled++]);
        int n = epoll_wait(poller, events, 512, dialled < count ? 1 : 100);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->open && events[i].events & EPOLLOUT) send_more(c);
            if (c->open && events[i].events & ~EPOLLOUT) readable(c);
        }
    }
    double seconds = (now() - started) / 1e9;
    if (alive && !errors) snprintf(first_error, sizeof first_error, "no answer in %d s", ANSWER_SECONDS);
    errors += alive;
    for (char *at = first_error; *at; at++) if (*at == '"' || *at == '\\' || *at < ' ') *at = ' ';
    printf("{\"requests\": %ld, \"seconds\": %.6f, \"errors\": %ld, \"first_error\": \"%s\", \"frames\": %ld",
           requests, seconds, errors, first_error, frames);
    print_series("latency", &latency);
    print_series("first_byte", &first_byte);
    print_series("delay", &delay);
    print_series("left", &left_at);
    printf("}\n");
}
