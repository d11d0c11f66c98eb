#include "base/status.h"

#include "base/module.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A thread's text is allocated when it first has one: thread-local memory is scarce in a library
 * that is loaded late. Without memory there is no text. */
static para__key detail_key;

__attribute__((constructor(101))) static void make_detail_key(void)
{
    para__key_make(&detail_key, free);
}

static char *make_detail(void)
{
    char *made = calloc(1, PARA__DETAIL_BYTES);
    if (made && !para__key_set(&detail_key, made)) {
        free(made);
        made = NULL;
    }
    return made;
}

static const struct {
    para_status status;
    const char *name, *text;
} entries[] = {
#define ENTRY(name, value, text) {name, #name, text},
    PARA_STATUS_LIST(ENTRY)
#undef ENTRY
};

const char *para_version(void)
{
    return PARA_VERSION_STRING;
}

const char *para_status_name(para_status status)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].status == status)
            return entries[i].name;
    return "unknown status";
}

const char *para_status_text(para_status status)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].status == status)
            return entries[i].text;
    return "unknown status";
}

const char *para_status_detail(void)
{
    const char *detail = para__key_value(&detail_key);
    return detail ? detail : "";
}

void para__set_detail(const char *format, ...)
{
    const int saved = errno;
    char *detail = para__key_value(&detail_key);
    if (!detail && format)
        detail = make_detail();
    if (detail)
        detail[0] = '\0';
    if (detail && format) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(detail, PARA__DETAIL_BYTES, format, arguments);
        va_end(arguments);
    }
    errno = saved;
}

void para__detail_save(para__detail *detail)
{
    const char *text = para_status_detail();
    memcpy(detail->text, text, strlen(text) + 1);
}

void para__detail_restore(const para__detail *detail)
{
    if (strcmp(detail->text, para_status_detail()) != 0)
        para__set_detail("%s", detail->text);
}
