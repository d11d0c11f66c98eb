#include "cli/npy.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *descr;
    size_t bytes;
} types[PARA_DTYPE_COUNT] = {{"float32", "<f4", 4}, {"float64", "<f8", 8}};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "elements are used as they lie in the file");

const char *para__dtype_name(para_dtype type)
{
    return types[type].name;
}

size_t para__dtype_bytes(para_dtype type)
{
    return types[type].bytes;
}

/* What is left of the header, and the fault found in it, if any. */
typedef struct reader {
    const char *at, *end;
    char *fault;
} reader;

__attribute__((format(printf, 2, 3))) static bool refuse(const reader *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->fault, PARA__NPY_FAULT_MAX, format, arguments);
    va_end(arguments);
    /* Bytes of the file may stand in the sentence, which is going to a terminal. */
    for (char *p = r->fault; *p; p++)
        if (!isprint((unsigned char)*p))
            *p = '?';
    return false;
}

static void skip_space(reader *r)
{
    while (r->at < r->end && strchr(" \t\n", *r->at) && *r->at)
        r->at++;
}

/* Takes the character if it comes next, white space aside. */
static bool take(reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(reader *r, const char *word)
{
    const size_t length = strlen(word);
    skip_space(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* A string without escapes, which none of the format's has. */
static bool take_string(reader *r, const char **text, size_t *length)
{
    skip_space(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return false;
    const char *start = r->at + 1;
    const char *close = memchr(start, *r->at, (size_t)(r->end - start));
    if (!close || memchr(start, '\\', (size_t)(close - start)))
        return false;
    *text = start;
    *length = (size_t)(close - start);
    r->at = close + 1;
    return true;
}

static bool is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

static bool read_descr(reader *r, para__npy *npy)
{
    const char *text;
    size_t length;
    if (!take_string(r, &text, &length)) {
        skip_space(r);
        if (r->at < r->end && *r->at == '[')
            return refuse(r,
                          "a structured element type is not supported: it must be '<f4' or '<f8'");
        return refuse(r, "malformed header: 'descr' is not a string");
    }
    for (int t = 0; t < PARA_DTYPE_COUNT; t++) {
        if (length == 3 && (text[0] == '<' || text[0] == '=') &&
            memcmp(text + 1, types[t].descr + 1, 2) == 0) {
            npy->type = (para_dtype)t;
            npy->element_bytes = types[t].bytes;
            return true;
        }
    }
    return refuse(r, "element type '%.*s' is not supported: it must be '<f4' or '<f8'",
                  length < 20 ? (int)length : 20, text);
}

static bool read_order(reader *r, bool *fortran)
{
    *fortran = take_word(r, "True");
    return *fortran || take_word(r, "False") ||
           refuse(r, "malformed header: 'fortran_order' is neither True nor False");
}

/* A tuple of numbers: (), (3,), (3, 4), (3, 4,). Python 2 wrote some of them as 3L. */
static bool read_shape(reader *r, para__npy *npy)
{
    bool comma = true;
    npy->rank = 0;
    if (!take(r, '('))
        return refuse(r, "malformed header: 'shape' is not a tuple");
    while (!take(r, ')')) {
        size_t length = 0;
        if (!comma || r->at == r->end || !isdigit((unsigned char)*r->at))
            return refuse(r, "malformed header: 'shape' is not a tuple of numbers");
        for (; r->at < r->end && isdigit((unsigned char)*r->at); r->at++)
            if (__builtin_mul_overflow(length, 10, &length) ||
                __builtin_add_overflow(length, (size_t)(*r->at - '0'), &length))
                return refuse(r, "a number in 'shape' exceeds the address space");
        if (r->at < r->end && *r->at == 'L')
            r->at++;
        if (npy->rank == PARA__NPY_RANK_MAX)
            return refuse(r, "more than %d dimensions", PARA__NPY_RANK_MAX);
        npy->shape[npy->rank++] = length;
        comma = take(r, ',');
    }
    if (npy->rank == 1 && !comma) /* (3) is a number */
        return refuse(r, "malformed header: 'shape' is not a tuple");
    return true;
}

/* The dictionary: each of the three keys once, in any order, and nothing else. */
static bool read_dictionary(reader *r, para__npy *npy, bool *fortran)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    unsigned seen = 0;
    bool comma = true;
    if (!take(r, '{'))
        return refuse(r, "malformed header: it is not a dictionary");
    while (!take(r, '}')) {
        const char *text;
        size_t length;
        unsigned key = 0;
        if (!comma || !take_string(r, &text, &length) || !take(r, ':'))
            return refuse(r, "malformed header: it is not a dictionary");
        while (key < 3 && !is(text, length, keys[key]))
            key++;
        if (key == 3 || seen & 1U << key)
            return refuse(r, "malformed header: key '%.*s' is %s", length < 20 ? (int)length : 20,
                          text, key == 3 ? "not part of the format" : "there twice");
        seen |= 1U << key;
        if (!(key == 0   ? read_descr(r, npy)
              : key == 1 ? read_order(r, fortran)
                         : read_shape(r, npy)))
            return false;
        comma = take(r, ',');
    }
    for (unsigned key = 0; key < 3; key++)
        if (!(seen & 1U << key))
            return refuse(r, "malformed header: key '%s' is missing", keys[key]);
    skip_space(r);
    return r->at == r->end || refuse(r, "malformed header: text after the dictionary");
}

/* The product of the shape, and whether so many elements fit into memory at all. */
static bool count_elements(para__npy *npy)
{
    size_t bytes = npy->element_bytes;
    npy->count = 1;
    for (unsigned d = 0; d < npy->rank; d++)
        if (npy->shape[d] == 0)
            npy->count = 0;
    for (unsigned d = 0; d < npy->rank && npy->count; d++)
        if (__builtin_mul_overflow(npy->count, npy->shape[d], &npy->count))
            return false;
    return !__builtin_mul_overflow(npy->count, bytes, &bytes) && bytes <= PTRDIFF_MAX;
}

bool para__npy_parse(para__npy *npy, const void *file, size_t bytes,
                     char fault[PARA__NPY_FAULT_MAX])
{
    const unsigned char *b = file;
    reader r = {.fault = fault};
    bool fortran = false;
    if (bytes < 6 || memcmp(b, "\x93NUMPY", 6) != 0)
        return refuse(&r, "not a .npy file");
    if (bytes < 10)
        return refuse(&r, "truncated: the file ends within the header");
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return refuse(&r, "version %u.%u of the .npy format is not supported", b[6], b[7]);
    const size_t prefix = b[6] == 1 ? 10 : 12;
    if (bytes < prefix)
        return refuse(&r, "truncated: the file ends within the header");
    size_t length = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (length > bytes - prefix)
        return refuse(&r, "truncated: the header has %zu bytes, the file %zu", prefix + length,
                      bytes);
    r.at = (const char *)file + prefix;
    r.end = r.at + length;
    npy->data_offset = prefix + length;
    if (!read_dictionary(&r, npy, &fortran))
        return false;
    if (!count_elements(npy))
        return refuse(&r, "the shape exceeds the address space");
    if (fortran && npy->rank > 1)
        return refuse(&r, "Fortran order is not supported: save numpy.ascontiguousarray of it");
    const size_t there = bytes - npy->data_offset;
    const size_t needed = npy->count * npy->element_bytes;
    if (there < needed)
        return refuse(&r, "truncated: header says %zu bytes of data, file has %zu", needed, there);
    if (npy->data_offset % npy->element_bytes != 0)
        return refuse(
            &r, "data begin at byte %zu, which is not aligned for %s: save it with NumPy again",
            npy->data_offset, types[npy->type].name);
    return true;
}

bool para__npy_format(para__npy *npy, char header[PARA__NPY_HEADER_MAX])
{
    char shape[PARA__NPY_RANK_MAX * 22 + 3];
    size_t used = 0;
    npy->element_bytes = types[npy->type].bytes;
    if (!count_elements(npy))
        return false;
    for (unsigned d = 0; d < npy->rank; d++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", d ? ", " : "",
                                 npy->shape[d]);
    snprintf(shape + used, sizeof shape - used, "%s", npy->rank == 1 ? "," : "");
    const int text = snprintf(header + 10, PARA__NPY_HEADER_MAX - 10,
                              "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                              types[npy->type].descr, shape);
    /* Data begin at a multiple of 64: spaces up to there, and a newline as the last byte. */
    const size_t total = (10 + (size_t)text + 1 + 63) / 64 * 64;
    memset(header + 10 + text, ' ', total - 10 - (size_t)text);
    header[total - 1] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((total - 10) & 255);
    header[9] = (char)((total - 10) >> 8);
    npy->data_offset = total;
    return true;
}
