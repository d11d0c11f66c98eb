#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char detail[256];

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
    return detail;
}

void para__set_detail(const char *format, ...)
{
    const int saved = errno;
    detail[0] = '\0';
    if (format) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(detail, sizeof detail, format, arguments);
        va_end(arguments);
    }
    errno = saved;
}
