/* The life of a worker process: it works at boards, and between calls keeps its memory small. */
#ifndef PARA_PROCESS_LIVE_H
#define PARA_PROCESS_LIVE_H

#include "process/board.h"

#include <para/process.h>
#include <para/status.h>

typedef struct para__living {
    para__hall *hall;
    para__board *boards; /* as many as the hall says, */
    unsigned desks;      /* but no more than there are */
    const para_processes *processes;
    /* Binds the worker, and tells the kind of its core. */
    para_status (*enter)(void *of, unsigned worker, unsigned *kind);
    void *of;
} para__living;

/* As in para__birth; of: a para__living. */
void para__live_enter(void *of, unsigned worker);
void para__live_run(void *of, unsigned worker);

#endif
