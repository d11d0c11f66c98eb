/* What the environment asks for. */
#ifndef PARA_ENGINE_SETTINGS_H
#define PARA_ENGINE_SETTINGS_H

#include "base/thread.h"

#include <para/pool.h>

typedef struct para__settings {
    unsigned workers;     /* PARA_NUM_WORKERS, else the first of OMP_NUM_THREADS; 0: not given */
    para_binding binding; /* PARA_PROC_BIND; PARA_BIND_AUTO: not given */
    para__stack stack;    /* PARA_STACKSIZE, else OMP_STACKSIZE, or less; 0: not given */
    bool display;         /* PARA_DISPLAY_ENV: print what is in force, on standard error */
} para__settings;

/* Reads them. Errors: PARA_ERR_ENVIRONMENT, the detail naming variable and value. */
para_status para__settings_read(para__settings *settings);

#endif
