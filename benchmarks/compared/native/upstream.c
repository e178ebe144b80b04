/* The fast upstream: `upstream PORT`. Answers every POST with 1.5 KB of JSON, or, where the prompt says
 * "frames=N every_us=M", with N server-sent events, M microseconds apart (0: at once, each in a write of its own).
 * A frame carries its time of leaving as @nanoseconds@ (CLOCK_MONOTONIC), so that whoever reads it knows its delay.
 * A caller who leaves in mid-stream is reported on standard output: "left NANOSECONDS".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 65536, PROMPT = 1024, OUT = 262144, MAX_FD = 16384 };

struct connection {
    int fd, used;              /* bytes of `head` in use */
    long body_left;            /* -1: still in the headers */
    int prompt_used;
    int frames_left, every_us, out_used, out_sent;
    long due;
    struct connection *next;   /* the queue of paced streams, by due time: all have the same interval */
    char head[HEAD], prompt[PROMPT], *out;
};

static int poller;
static struct connection *connections[MAX_FD], *first, *last;
static char json[4096];

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void unqueue(struct connection *c) {
    struct connection **at = &first, *before = NULL;
    for (; *at && *at != c; at = &(*at)->next) before = *at;
    if (!*at) return;
    *at = c->next;
    if (last == c) last = before;
}

static void drop(struct connection *c) {
    if (c->frames_left) printf("left %ld\n", now()), fflush(stdout);
    unqueue(c);
    connections[c->fd] = NULL;
    close(c->fd);
    free(c->out);
    free(c);
}

static void watch(struct connection *c, int events) {
    struct epoll_event e = {.events = events, .data.fd = c->fd};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

/* 0 when the connection is gone. What the socket does not take now waits for EPOLLOUT. */
static int flush_out(struct connection *c) {
    while (c->out_sent < c->out_used) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_used - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLLIN | EPOLLOUT);
            return 1;
        }
        if (n < 0) return drop(c), 0;
        c->out_sent += n;
    }
    c->out_used = c->out_sent = 0;
    return 1;
}

static int put(struct connection *c, const char *data, int size) {
    if (c->out_used + size > OUT) fprintf(stderr, "the reader is %d bytes behind\n", c->out_used), exit(1);
    memcpy(c->out + c->out_used, data, size);
    c->out_used += size;
    return flush_out(c);
}

static int put_frame(struct connection *c) {
    char data[512], chunk[600];
    int end = --c->frames_left == 0;
    int size = end ? sprintf(data, "data: [DONE]\n\n")
                   : sprintf(data, "data: {\"id\":\"chatcmpl-benchmark\",\"object\":\"chat.completion.chunk\","
                                   "\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,"
                                   "\"delta\":{\"content\":\"@%ld@\"},\"finish_reason\":%s}]}\n\n",
                             now(), c->frames_left == 1 ? "\"stop\"" : "null");
    size = sprintf(chunk, "%x\r\n%s\r\n%s", size, data, end ? "0\r\n\r\n" : "");
    return put(c, chunk, size);
}

static void burst(struct connection *c) {
    while (c->frames_left && c->out_used == 0)
        if (!put_frame(c)) return;
}

static void answer(struct connection *c) {
    const char *asked = memmem(c->prompt, c->prompt_used, "frames=", 7);
    if (!asked || sscanf(asked, "frames=%d every_us=%d", &c->frames_left, &c->every_us) != 2) {
        put(c, json, strlen(json));
        return;
    }
    c->frames_left += 1; /* [DONE] */
    const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                       "x-request-id: benchmark\r\napim-request-id: benchmark\r\ntransfer-encoding: chunked\r\n\r\n";
    if (!put(c, head, strlen(head))) return;
    if (!c->every_us) {
        burst(c);
        return;
    }
    c->due = now() + c->every_us * 1000L;
    c->next = NULL;
    if (last) last->next = c; else first = c;
    last = c;
}

static void pace(void) {
    for (struct connection *c = first; c && c->due <= now(); c = first) {
        unqueue(c);
        if (!put_frame(c) || !c->frames_left) continue;
        c->due += c->every_us * 1000L;
        c->next = NULL;
        if (last) last->next = c; else first = c;
        last = c;
    }
}

static void take_body(struct connection *c, const char *data, int size) {
    int kept = size < PROMPT - 1 - c->prompt_used ? size : PROMPT - 1 - c->prompt_used;
    memcpy(c->prompt + c->prompt_used, data, kept);
    c->prompt_used += kept;
    c->prompt[c->prompt_used] = 0;
    c->body_left -= size;
    if (c->body_left <= 0) {
        c->body_left = -1;
        answer(c);
    }
}

static void readable(struct connection *c) {
    if (c->body_left >= 0) {
        static char body[262144];
        ssize_t n = recv(c->fd, body, sizeof body, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) drop(c);
        else if (n > 0) take_body(c, body, n);
        return;
    }
    ssize_t n = recv(c->fd, c->head + c->used, HEAD - 1 - c->used, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) { drop(c); return; }
    if (n < 0) return;
    c->used += n;
    c->head[c->used] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    int had = c->used - (end + 4 - c->head);
    c->body_left = length && length < end ? atol(length + 17) : 0;
    c->used = c->prompt_used = 0;
    take_body(c, end + 4, had);
}

static void take_connections(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD) { close(fd); continue; }
        struct connection *c = connections[fd] = calloc(1, sizeof *c);
        c->fd = fd, c->body_left = -1, c->out = malloc(OUT);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: upstream PORT\n"), 2;
    char text[1201];
    memset(text, 'x', 1200), text[1200] = 0;
    char body[2048];
    int size = sprintf(body, "{\"id\":\"chatcmpl-benchmark\",\"object\":\"chat.completion\",\"created\":1700000000,"
        "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":300,"
        "\"total_tokens\":500}}", text);
    sprintf(json, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: benchmark\r\n"
        "apim-request-id: benchmark\r\ncontent-length: %d\r\n\r\n%s", size, body);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) return perror("upstream"), 1;
    poller = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        long wait = first ? first->due - now() : 1000000000L;
        struct timespec timeout = {.tv_sec = wait > 0 ? wait / 1000000000L : 0, .tv_nsec = wait > 0 ? wait % 1000000000L : 0};
        int n = epoll_pwait2(poller, events, 256, &timeout, NULL);
        for (int i = 0; i < n; i++) {
            struct connection *c = connections[events[i].data.fd];
            if (events[i].data.fd == listener) { take_connections(listener); continue; }
            if (c && events[i].events & EPOLLOUT) {
                watch(c, EPOLLIN);
                if (!flush_out(c)) continue;
                if (!c->every_us) burst(c);
            }
            c = connections[events[i].data.fd];
            if (c && events[i].events & ~EPOLLOUT) readable(c);
        }
        pace();
    }
}
