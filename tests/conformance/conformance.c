/* Conformance with asyncio's behaviour, case by case. The traces in expected.txt are what CPython's asyncio prints on a virtual clock,
   and where asyncx's rule "a completed operation is never undone" gives another outcome, CPython with that rule patched in.

   Without arguments this is a TAP test against expected.txt; --print prints the three-line form (`ID trace: ...`, `ID final: ...`,
   `ID state: ...`). More arguments choose cases by their ID or its beginning.

   Where asyncx differs by one of its own laws, DIFFERENCES.md says why, and expected.txt has a line `ID our trace: ...`. */

#include "conformance.h"
#include "task.c"
#include "cancel.c"
#include "future_loop.c"
#include "combine.c"
#include "limit.c"
#include "group.c"
#include "sync.c"
#include "condbar.c"
#include "queue.c"
#include "thread_run.c"
#include "generator.c"
#include "trio.c"
#include "debug.c"

static const struct scenario { const char *id; void (*play)(void); } scenarios[] = {
#define S(id) {#id, id##_play},
    S(TASK_01) S(TASK_02) S(TASK_03) S(TASK_04) S(TASK_06) S(TASK_07) S(TASK_08) S(TASK_09) S(TASK_10) S(TASK_11) S(TASK_13)
    S(TASK_15) S(TASK_16)
    S(CAN_01) S(CAN_02) S(CAN_03) S(CAN_04) S(CAN_05) S(CAN_06) S(CAN_07) S(CAN_08) S(CAN_09) S(CAN_11) S(CAN_12) S(CAN_14)
    S(CAN_15) S(CAN_16) S(CAN_18) S(CAN_20) S(CAN_21) S(CAN_22) S(CAN_23) S(CAN_24)
    S(FUT_01) S(FUT_02) S(FUT_03) S(FUT_04)
    S(LOOP_01) S(LOOP_02) S(LOOP_03) S(LOOP_04) S(LOOP_06) S(LOOP_07) S(LOOP_09)
    S(GATH_01) S(GATH_02) S(GATH_03) S(GATH_04) S(GATH_05) S(GATH_06) S(GATH_07) S(GATH_09) S(GATH_11) S(GATH_12) S(GATH_14) S(GATH_15)
    S(WAIT_01) S(WAIT_02) S(WAIT_03) S(WAIT_05) S(WAIT_06) S(WAIT_08) S(WAIT_09) S(WAIT_10) S(WAIT_12)
    S(ASC_01) S(ASC_02) S(ASC_03) S(ASC_05) S(ASC_06)
    S(SHLD_01) S(SHLD_02) S(SHLD_03) S(SHLD_05) S(SHLD_07)
    S(WFOR_01) S(WFOR_02) S(WFOR_03) S(WFOR_04) S(WFOR_05) S(WFOR_06) S(WFOR_07) S(WFOR_08) S(WFOR_09) S(WFOR_12) S(WFOR_14)
    S(WFOR_16)
    S(TMO_01) S(TMO_02) S(TMO_03) S(TMO_04) S(TMO_05) S(TMO_06) S(TMO_07) S(TMO_09) S(TMO_10) S(TMO_11) S(TMO_12) S(TMO_14) S(TMO_16)
    S(TMO_17) S(TMO_19) S(TMO_22) S(TMO_24)
    S(GRP_01) S(GRP_02) S(GRP_03) S(GRP_04) S(GRP_05) S(GRP_06) S(GRP_07) S(GRP_09) S(GRP_10) S(GRP_12) S(GRP_13) S(GRP_14) S(GRP_15)
    S(GRP_17) S(GRP_18) S(GRP_19) S(GRP_20) S(GRP_21) S(GRP_22) S(GRP_27) S(GRP_29) S(GRP_32) S(GRP_33)
    S(EVT_01) S(EVT_02) S(EVT_03) S(EVT_04) S(EVT_05)
    S(SEM_01) S(SEM_02) S(SEM_04) S(SEM_05) S(SEM_07) S(SEM_09) S(SEM_15) S(SEM_16)
    S(QUE_01) S(QUE_02) S(QUE_03) S(QUE_04) S(QUE_05) S(QUE_06) S(QUE_07) S(QUE_09) S(QUE_10) S(QUE_11) S(QUE_15) S(QUE_16) S(QUE_18) S(QUE_19)
    S(QUE_20) S(QUE_21) S(QUE_25)
    S(LOCK_01) S(LOCK_02) S(LOCK_03) S(LOCK_04) S(LOCK_06) S(LOCK_09) S(LOCK_10)
    S(COND_01) S(COND_02) S(COND_03) S(COND_04) S(COND_05) S(COND_06) S(COND_08) S(COND_11) S(COND_12)
    S(BAR_01) S(BAR_03) S(BAR_04) S(BAR_06) S(BAR_07) S(BAR_08) S(BAR_09) S(BAR_12)
    S(THR_01) S(THR_02) S(THR_03) S(THR_05) S(THR_07) S(THR_08) S(THR_09)
    S(RUN_01) S(RUN_02) S(RUN_03) S(RUN_04) S(RUN_05) S(RUN_06) S(RUN_07) S(RUN_10)
    S(GEN_01) S(GEN_02) S(GEN_03) S(GEN_04) S(GEN_07) S(GEN_09) S(GEN_10)
    S(LIM_01) S(LIM_02) S(LIM_05) S(LIM_06)
    S(CHAN_01) S(CHAN_03) S(CHAN_09)
    S(SCP_01) S(SCP_04) S(SCP_06)
    S(DBG_01) S(DBG_02)
#if ASYNCX_DEBUG
    S(DBG_03)
#endif
    S(DBG_04)
};

/* Cases of the suite that are not here, each with what they would need. */
static const char *const missing[] = {
    "FUT-08 a callback in C has no error to report",
#if !ASYNCX_DEBUG
    "DBG-03 checked in debug builds only",
#endif
    "CHAN-02 a queue is one object, and closing it is for both sides: what a closed receiving end says does not exist",
    "CHAN-05 the same: who puts is not counted; a group of producers and one ax_queue_close after its join do it",
};

/* Cases that show a bug in asyncx, until it is mended. */
static const char *const open_bugs[] = {
    NULL
};

/* ---- one case ---- */

static char *expected; /* the file */

static void play(const struct scenario *s) {
    ax_loop_desc desc = {0};
    *trace_line = *final_line = *state_line = 0;
    actor_count = end_count = silent = last_ms = text_count = timer_count = callback_count = 0;
    memset(timers, 0, sizeof timers);
    memset(callbacks, 0, sizeof callbacks);
    desc.flags = AX_VIRTUAL_CLOCK;
    open_loop(&desc);
    s->play();
    ax_loop_run(&the_loop); /* until nothing is left to do */
    write_finals();
    silent = 1;
    ax_loop_close(&the_loop);
}

/* ---- the comparison ---- */

/* The rest of the line `ID key: ...` in expected.txt; NULL if there is none. */
static const char *expects(const char *id, const char *key) {
    static char rest[4][8192];
    static int next;
    char head[64], *s = rest[next++ & 3], *line;
    snprintf(head, sizeof head, "\n%s %s:", id, key);
    if (!(line = strstr(expected, head))) return NULL;
    line += strlen(head);
    while (*line == ' ') line++;
    snprintf(s, sizeof rest[0], "%.*s", (int)strcspn(line, "\n"), line);
    return s;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int tokens(char *line, char **list) {
    int n = 0;
    for (line = strtok(line, " "); line; line = strtok(NULL, " ")) list[n++] = line;
    return n;
}

static int same_set(const char *a, const char *b) {
    char copy_a[8192], copy_b[8192], *list_a[512], *list_b[512];
    int n, i;
    strcpy(copy_a, a);
    strcpy(copy_b, b);
    n = tokens(copy_a, list_a);
    if (n != tokens(copy_b, list_b)) return 0;
    qsort(list_a, (size_t)n, sizeof *list_a, by_text);
    qsort(list_b, (size_t)n, sizeof *list_b, by_text);
    for (i = 0; i < n && strcmp(list_a[i], list_b[i]) == 0; i++) {}
    return i == n;
}

/* Mode `instant`: within one millisecond the order between different actors is free. */
static int same_instants(const char *a, const char *b) {
    char copy_a[8192], copy_b[8192], *list_a[512], *list_b[512];
    int n, i, k, time = 0;
    if (!same_set(a, b)) return 0;
    strcpy(copy_a, a);
    strcpy(copy_b, b);
    n = tokens(copy_a, list_a);
    tokens(copy_b, list_b);
    for (i = 0; i < n; i++) { /* each actor's tokens in the same order: take them off one by one */
        size_t who = strcspn(list_b[i], ":") + 1;
        int t = atoi(strrchr(list_b[i], '@') + 1);
        if (t < time) return 0;
        time = t;
        for (k = 0; k < n && !(list_a[k] && strncmp(list_a[k], list_b[i], who) == 0); k++) {}
        if (k == n || strcmp(list_a[k], list_b[i]) != 0) return 0;
        list_a[k] = NULL;
    }
    return 1;
}

static void check_line(const char *id, const char *key, const char *got, int *same, int (*equal)(const char *, const char *)) {
    char our[16];
    const char *want;
    snprintf(our, sizeof our, "our %s", key);
    want = expects(id, our);
    if (!want) want = expects(id, key);
    if (!want) want = "";
    if (equal(want, got)) return;
    *same = 0;
    printf("# %s %s\n#   expected %s\n#   got      %s\n", id, key, want, got);
}

static int same_text(const char *a, const char *b) { return strcmp(a, b) == 0; }

static const char *open_bug(const char *id) {
    const char *const *bug = open_bugs;
    while (*bug && (strncmp(*bug, id, strlen(id)) != 0 || (*bug)[strlen(id)] != ' ')) bug++;
    return *bug;
}

static void check(const char *id) {
    const char *mode = expects(id, "mode"), *bug = open_bug(id);
    int same = 1, by_law = expects(id, "our trace") || expects(id, "our final") || expects(id, "our state");
    check_line(id, "state", state_line, &same, same_set);
    if (mode && strcmp(mode, "state") != 0) {
        check_line(id, "final", final_line, &same, same_set);
        check_line(id, "trace", trace_line, &same, strcmp(mode, "instant") == 0 ? same_instants : same_text);
    }
    if (bug) printf("%sok %d - %s # TODO %s\n", same ? "" : "not ", ++tap_count, id, bug + strlen(id) + 1);
    else ok(mode && same, "%s%s", id, by_law ? ", as DIFFERENCES.md says" : "");
}

/* expected.txt stands beside this file. */
static void read_expected(void) {
    char path[1024];
    const char *slash = strrchr(__FILE__, '/');
    size_t size;
    FILE *f;
    snprintf(path, sizeof path, "%.*sexpected.txt", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__);
    if (!(f = fopen(path, "r"))) {
        printf("Bail out! %s: %s\n", path, strerror(errno));
        exit(1);
    }
    expected = (char *)calloc(1, 1 << 18);
    expected[0] = '\n';
    size = fread(expected + 1, 1, (1 << 18) - 2, f);
    expected[size + 1] = 0;
    fclose(f);
}

int main(int argc, char **argv) {
    int print = argc > 1 && strcmp(argv[1], "--print") == 0, first = 1 + print, k;
    size_t i;
    signal(SIGINT, SIG_DFL); /* a shell starts background jobs with it ignored, which AX_RUN respects */
    if (!print) read_expected();
    for (i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        char id[32], *c;
        strcpy(id, scenarios[i].id);
        for (c = id; *c; c++)
            if (*c == '_') *c = '-';
        for (k = first; k < argc && strncmp(argv[k], id, strlen(argv[k])) != 0; k++) {}
        if (argc > first && k == argc) continue;
        play(&scenarios[i]);
        if (print) {
            printf("%s trace: %s\n%s final: %s\n", id, trace_line, id, final_line);
            if (*state_line) printf("%s state: %s\n", id, state_line);
            fflush(stdout);
        } else {
            check(id);
        }
    }
    for (i = 0; argc == first && i < sizeof missing / sizeof *missing; i++) printf("# missing %s\n", missing[i]);
    free(expected);
    return print ? 0 : tap_end();
}
