/* The options of the example programs: one table says name, kind, where the value goes, its limits and its meaning, and --help
   prints that table with the defaults. Wrong usage says what is wrong and exits with 2. */
#ifndef EXAMPLE_ARGS_H
#define EXAMPLE_ARGS_H
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum arg_kind { ARG_FLAG, ARG_NUMBER, ARG_SECONDS, ARG_TEXT }; /* int, int, double, const char * */
struct arg {
    const char *name;
    enum arg_kind kind;
    void *value;   /* holds the default */
    int min, max;
    const char *meaning;
};

static const char *args_program = "?";

/* "program: what failed", a line on stderr. */
static inline __attribute__((format(printf, 1, 2), unused)) void complain(const char *format, ...) {
    va_list ap;
    fprintf(stderr, "%s: ", args_program);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static inline __attribute__((unused)) void args_wrong(const char *what, const char *which, const char *why) {
    complain("%s%s%s; see %s --help", what, which, why, args_program);
    exit(2);
}

/* A whole number of digits, for hosts and ports as for options: it, or -1. */
static inline __attribute__((unused)) int args_number(const char *text, int max) {
    long n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && n <= max; p++) n = n * 10 + (*p - '0');
    return p == text || *p || n > max ? -1 : (int)n;
}

static inline void args_help(const char *usage, const struct arg *args, int count) {
    int i;
    printf("usage: %s %s\n", args_program, usage);
    for (i = 0; i < count; i++) {
        const struct arg *a = &args[i];
        static const char *const kinds[] = {"", " N", " S", " TEXT"};
        int width = printf("  %s%s", a->name, kinds[a->kind]);
        printf("%*s%s", width < 20 ? 20 - width : 1, "", a->meaning);
        if (a->kind == ARG_NUMBER) printf(" (%d; %d to %d)", *(int *)a->value, a->min, a->max);
        if (a->kind == ARG_SECONDS) printf(" (%g; %d to %d seconds)", *(double *)a->value, a->min, a->max);
        if (a->kind == ARG_TEXT && *(const char **)a->value) printf(" (%s)", *(const char **)a->value);
        putchar('\n');
    }
}

/* Reads the options, as `--name value` or `--name=value`, up to the first word that is none, or past a `--`: the place of that
   word in argv. `most` and `least` words have to be left. */
static inline __attribute__((unused)) int args_read(int argc, char **argv, const char *usage, const struct arg *args, int count,
                                                    int least, int most) {
    int i, k;
    args_program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const struct arg *a = NULL;
        const char *equals = strchr(argv[i], '='), *value, *name = argv[i];
        size_t length = equals ? (size_t)(equals - name) : strlen(name);
        char *end;
        if (!strcmp(name, "--") && i++) break;
        if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
            args_help(usage, args, count);
            exit(0);
        }
        for (k = 0; k < count; k++)
            if (strlen(args[k].name) == length && !strncmp(args[k].name, name, length)) a = &args[k];
        if (!a || (equals && a->kind == ARG_FLAG)) args_wrong("unknown option ", name, "");
        if (a->kind == ARG_FLAG) {
            *(int *)a->value = 1;
            continue;
        }
        if (!(value = equals ? equals + 1 : argv[++i])) args_wrong(name, " needs a value", "");
        if (a->kind == ARG_TEXT) {
            *(const char **)a->value = value;
        } else if (a->kind == ARG_NUMBER) {
            if ((*(int *)a->value = args_number(value, a->max)) < a->min) args_wrong(a->name, ": not possible: ", value);
        } else {
            double s = strtod(value, &end);
            if (end == value || *end || !(s >= a->min && s <= a->max)) args_wrong(a->name, ": not possible: ", value);
            *(double *)a->value = s;
        }
    }
    if (argc - i < least) args_wrong("something is missing: ", usage, "");
    if (argc - i > most) args_wrong("too much: ", argv[i + most], "");
    return i;
}
/* Takes "host:port" or "[::1]:port" apart, in place: where the port begins, or NULL if there is none. */
static inline __attribute__((unused)) char *args_host(char *text, const char **host) {
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || !colon[1]) return NULL;
    *colon = 0;
    *host = text;
    if (*text == '[' && colon[-1] == ']') colon[-1] = 0, *host = text + 1;
    return colon + 1;
}

#define ARGS_READ(argc, argv, usage, args, least, most) \
    args_read(argc, argv, usage, args, (int)(sizeof(args) / sizeof *(args)), least, most)
#endif
