/* What the environment asks for. */
#ifndef PARA_POOL_SETTINGS_H
#define PARA_POOL_SETTINGS_H

#include "base/thread.h"
#include "pool/place.h"

#include <para/pool.h>

typedef struct para__settings {
    unsigned workers;      /* PARA_NUM_WORKERS, else the first of OMP_NUM_THREADS if that can be
                             read; 0: not given */
    bool has_workers;      /* PARA_NUM_WORKERS */
    bool is_default_size;  /* nobody says how many */
    para_binding binding;  /* PARA_PROC_BIND; PARA_BIND_AUTO: not given */
    bool places_memory;    /* binding is not turned off */
    para__filling filling; /* of its workers, likewise */
    const char *places;    /* PARA_PLACES, as the environment has it; NULL: not given */
    bool gives_up_pins;    /* nobody says where workers are bound */
    para__stack stack;     /* PARA_STACKSIZE, else OMP_STACKSIZE, or less; 0: not given */
    para_wait_policy wait_policy; /* PARA_WAIT_POLICY, else OMP_WAIT_POLICY if that is passive;
                                     PARA_WAIT_AUTO: not given */
    bool display;                 /* PARA_DISPLAY_ENV: print what is in force, on standard error */
} para__settings;

/* Reads them. Variables of OpenMP are never an error. Errors: PARA_ERR_ENVIRONMENT, the detail
 * naming variable and value. */
para_status para__settings_read(para__settings *settings);

/* The same for the default pool: a malformed variable is ignored, and one line on standard error
 * says so, once in a process. Under the default pool's mutex. */
void para__settings_take(para__settings *settings);

#endif
