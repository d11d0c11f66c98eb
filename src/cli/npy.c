#include "cli/npy.h"

#include "base/bounds.h"

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

/* Longer headers are not an array's of numbers. NumPy itself stops at 10000 bytes. */
static const size_t header_most = (size_t)1 << 20;

/* What is left of the header, and the fault found in it, if any. */
typedef struct reader {
    const char *at, *end;
    unsigned version;
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

/* ---- Python's literals, as far as headers have them ----------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* White space and comments. */
static void skip_space(reader *r)
{
    while (r->at < r->end && (is_space(*r->at) || *r->at == '#')) {
        if (*r->at == '#')
            while (r->at < r->end && *r->at != '\n' && *r->at != '\0')
                r->at++;
        else
            r->at++;
    }
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

/* Takes the word if it comes next and is not the beginning of a longer one. */
static bool take_word(reader *r, const char *word)
{
    const size_t length = strlen(word);
    skip_space(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    const char *after = r->at + length;
    if (after < r->end && (isalnum((unsigned char)*after) || *after == '_'))
        return false;
    r->at = after;
    return true;
}

/* A string without escapes, which none of the format's has. Python 2 wrote some as u'...'. Adjacent
 * strings, which Python joins, are not supported. */
static bool take_string(reader *r, const char **text, size_t *length)
{
    skip_space(r);
    const char *start = r->at;
    if (start < r->end && *start && strchr("uUrR", *start))
        start++;
    if (start == r->end || (*start != '\'' && *start != '"'))
        return false;
    const char quote = *start++;
    const char *close = memchr(start, quote, (size_t)(r->end - start));
    if (!close || memchr(start, '\\', (size_t)(close - start)))
        return false;
    *text = start;
    *length = (size_t)(close - start);
    r->at = close + 1;
    return true;
}

/* The value of a digit in that base; the base itself if it is none. */
static size_t digit(char c, size_t base)
{
    const size_t value = isdigit((unsigned char)c)                ? (size_t)(c - '0')
                         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (size_t)((c | 0x20) - 'a') + 10
                                                                  : base;
    return para__min(value, base);
}

/* The base that 0x, 0o or 0b announces; 10 without one. */
static size_t take_base(reader *r)
{
    if (r->end - r->at < 3 || *r->at != '0')
        return 10;
    const char letter = (char)(r->at[1] | 0x20);
    const size_t base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    r->at += base == 10 ? 0 : 2;
    return base;
}

/* A whole number as Python writes it: 12, 1_000, 0xff, or Python 2's 12L. *fits: whether a
 * size_t holds it. */
static bool take_number(reader *r, size_t *number, bool *fits)
{
    *fits = true;
    *number = 0;
    (void)take(r, '+');
    skip_space(r);
    const size_t base = take_base(r);
    const char *start = r->at;
    bool zero_first = false;
    for (bool separated = base == 10; r->at < r->end; r->at++) {
        if (*r->at == '_') {
            if (separated)
                return false;
            separated = true;
            continue;
        }
        const size_t value = digit(*r->at, base);
        if (value == base)
            break;
        zero_first |= r->at == start && value == 0;
        separated = false;
        *fits = *fits && !__builtin_mul_overflow(*number, base, number) &&
                !__builtin_add_overflow(*number, value, number);
    }
    if (r->at == start || r->at[-1] == '_' || (base == 10 && zero_first && *number))
        return false;
    if (r->version < 3)
        (void)take_word(r, "L");
    return r->at == r->end || !(isalnum((unsigned char)*r->at) || *r->at == '.');
}

static bool is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* ---- The dictionary ------------------------------------------------------------------- */

/* The names that NumPy has for a type: with a byte order or without. */
static bool find_type(const char *text, size_t length, para_dtype *type)
{
    static const struct {
        const char *name;
        bool takes_order;
        para_dtype type;
    } names[] = {{"f4", true, PARA_FLOAT32},       {"f8", true, PARA_FLOAT64},
                 {"f", true, PARA_FLOAT32},        {"d", true, PARA_FLOAT64},
                 {"float32", false, PARA_FLOAT32}, {"float64", false, PARA_FLOAT64},
                 {"single", false, PARA_FLOAT32},  {"double", false, PARA_FLOAT64},
                 {"float", false, PARA_FLOAT64},   {"float_", false, PARA_FLOAT64}};
    const size_t order = length > 0 && (*text == '<' || *text == '=' || *text == '|');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((names[i].takes_order || !order) && is(text + order, length - order, names[i].name)) {
            *type = names[i].type;
            return true;
        }
    return false;
}

static bool read_descr(reader *r, para__npy *npy)
{
    const char *text;
    size_t length;
    para_dtype other;
    if (!take_string(r, &text, &length)) {
        skip_space(r);
        if (r->at < r->end && *r->at == '[')
            return refuse(r,
                          "a structured element type is not supported: it must be '<f4' or '<f8'");
        return refuse(r, "malformed header: 'descr' is not a string");
    }
    if (find_type(text, length, &npy->type)) {
        npy->element_bytes = types[npy->type].bytes;
        return true;
    }
    const char *swapped =
        length > 1 && *text == '>' && find_type(text + 1, length - 1, &other)
            ? " (big-endian numbers): save x.astype(x.dtype.newbyteorder('<')) with NumPy"
            : ": it must be '<f4' or '<f8'";
    return refuse(r, "element type '%.*s' is not supported%s", length < 20 ? (int)length : 20, text,
                  swapped);
}

static bool read_order(reader *r, para__npy *npy)
{
    npy->fortran = take_word(r, "True");
    return npy->fortran || take_word(r, "False") ||
           refuse(r, "malformed header: 'fortran_order' is neither True nor False");
}

/* A tuple of numbers: (), (3,), (3, 4), (3, 4,). */
static bool read_shape(reader *r, para__npy *npy)
{
    bool comma = true;
    npy->rank = 0;
    if (!take(r, '('))
        return refuse(r, "malformed header: 'shape' is not a tuple");
    while (!take(r, ')')) {
        size_t length;
        bool fits;
        if (!comma || !take_number(r, &length, &fits))
            return refuse(r, "malformed header: 'shape' is not a tuple of numbers");
        if (!fits)
            return refuse(r, "a number in 'shape' exceeds the address space");
        if (npy->rank == PARA__NPY_RANK_MAX)
            return refuse(r, "more than %d dimensions", PARA__NPY_RANK_MAX);
        npy->shape[npy->rank++] = length;
        comma = take(r, ',');
    }
    if (npy->rank == 1 && !comma) /* (3) is a number */
        return refuse(r, "malformed header: 'shape' is not a tuple");
    return true;
}

/* The dictionary: the three keys in any order, and nothing else. As in Python, the last of two
 * equal ones counts. */
static bool read_dictionary(reader *r, para__npy *npy)
{
    static const struct {
        const char *name;
        bool (*read)(reader *r, para__npy *npy);
    } keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
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
        while (key < 3 && !is(text, length, keys[key].name))
            key++;
        if (key == 3)
            return refuse(r, "malformed header: key '%.*s' is not part of the format",
                          length < 20 ? (int)length : 20, text);
        if (!keys[key].read(r, npy))
            return false;
        seen |= 1U << key;
        comma = take(r, ',');
    }
    for (unsigned key = 0; key < 3; key++)
        if (!(seen & 1U << key))
            return refuse(r, "malformed header: key '%s' is missing", keys[key].name);
    skip_space(r);
    return r->at == r->end || refuse(r, "malformed header: text after the dictionary");
}

/* The product of the shape, and whether that many elements fit into memory at all. */
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

/* Whether the order of the indices makes a difference. */
static bool has_order(const para__npy *npy)
{
    unsigned longer = 0;
    for (unsigned d = 0; d < npy->rank; d++)
        longer += npy->shape[d] > 1;
    return npy->count > 0 && longer > 1;
}

/* ---- The file ------------------------------------------------------------------------- */

/* What the first bytes tell of a file that is not a .npy file. */
static const char *other_format(const unsigned char *bytes, size_t count)
{
    static const struct {
        const char *magic;
        size_t length;
        const char *name;
    } formats[] = {
        {"PK\x03\x04", 4,
         "a zip archive, such as .npz: unpack it, as in 'unzip -p FILE.npz NAME.npy | para ... -'"},
        {"PK\x05\x06", 4, "an empty zip archive"},
        {"\x1f\x8b", 2, "compressed by gzip: unpack it, as in 'gzip -dc FILE.gz | para ... -'"},
        {"BZh", 3, "compressed by bzip2: unpack it, as in 'bzip2 -dc FILE.bz2 | para ... -'"},
        {"\xfd"
         "7zXZ",
         5, "compressed by xz: unpack it, as in 'xz -dc FILE.xz | para ... -'"},
        {"\x28\xb5\x2f\xfd", 4,
         "compressed by zstd: unpack it, as in 'zstd -dc FILE.zst | para ... -'"},
        {"\x04\x22\x4d\x18", 4,
         "compressed by lz4: unpack it, as in 'lz4 -dc FILE.lz4 | para ... -'"},
        {"\x89HDF", 4, "an HDF5 file: save the array with numpy.save"},
        {"MATLAB", 6, "a MATLAB file: save the array with numpy.save"},
        {"CDF", 3, "a NetCDF file: save the array with numpy.save"},
        {"PAR1", 4, "a Parquet file: save the array with numpy.save"},
        {"SIMPLE  =", 9, "a FITS file: save the array with numpy.save"},
        {"\x80\x02", 2, "a pickle of Python: save the array with numpy.save"},
        {"\x80\x03", 2, "a pickle of Python: save the array with numpy.save"},
        {"\x80\x04", 2, "a pickle of Python: save the array with numpy.save"},
        {"\x80\x05", 2, "a pickle of Python: save the array with numpy.save"},
        {"\x7f"
         "ELF",
         4, "a program or a shared object"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (count >= formats[i].length && memcmp(bytes, formats[i].magic, formats[i].length) == 0)
            return formats[i].name;
    for (size_t i = 0; i < count; i++)
        if (!isprint(bytes[i]) && !isspace(bytes[i]))
            return NULL;
    return count ? "text: save numpy.loadtxt of it with numpy.save" : NULL;
}

size_t para__npy_header_bytes(const void *file, size_t bytes, char fault[PARA__NPY_FAULT_MAX])
{
    const unsigned char *b = file;
    const reader r = {.fault = fault};
    if (bytes < 6 || memcmp(b, "\x93NUMPY", 6) != 0) {
        const char *other = other_format(b, para__min(bytes, PARA__NPY_PREFIX_MAX));
        return refuse(&r, "not a .npy file%s%s", other ? ", but " : "", other ? other : "");
    }
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
    if (length > header_most)
        return refuse(&r, "the header has %zu bytes: that is not an array of numbers", length);
    return prefix + length;
}

bool para__npy_parse_header(para__npy *npy, const void *header, size_t bytes,
                            char fault[PARA__NPY_FAULT_MAX])
{
    const size_t length = para__npy_header_bytes(header, bytes, fault);
    const char *start = header;
    if (!length)
        return false;
    reader r = {.fault = fault, .version = (unsigned char)start[6]};
    if (length > bytes)
        return refuse(&r, "truncated: the header has %zu bytes, the file %zu", length, bytes);
    r.at = start + (r.version == 1 ? 10 : 12);
    r.end = start + length;
    npy->data_offset = length;
    if (!read_dictionary(&r, npy))
        return false;
    if (!count_elements(npy))
        return refuse(&r, "the shape exceeds the address space");
    npy->fortran = npy->fortran && has_order(npy);
    return true;
}

bool para__npy_check_data(const para__npy *npy, size_t bytes, char fault[PARA__NPY_FAULT_MAX])
{
    const reader r = {.fault = fault};
    const size_t needed = npy->count * npy->element_bytes;
    return bytes >= needed ||
           refuse(&r, "truncated: header says %zu bytes of data, file has %zu", needed, bytes);
}

bool para__npy_parse(para__npy *npy, const void *file, size_t bytes,
                     char fault[PARA__NPY_FAULT_MAX])
{
    return para__npy_parse_header(npy, file, bytes, fault) &&
           para__npy_check_data(npy, bytes - npy->data_offset, fault);
}

bool para__npy_format(para__npy *npy, char header[PARA__NPY_HEADER_MAX])
{
    char shape[PARA__NPY_RANK_MAX * 22 + 3];
    size_t used = 0;
    npy->element_bytes = types[npy->type].bytes;
    npy->fortran = false;
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
