#include "doing.h"

#include "base/backtrace.h"
#include "base/doing.h"
#include "calls.h"
#include "sync/event.h"

#include <string.h>

static para__doing doing;
static uint64_t pushed;

void doing_make(void)
{
    memset(&doing, 0, sizeof doing);
    pushed = 0;
    (void)para__load_relaxed(&doing.depth);
    for (unsigned l = 0; l < PARA__DOING_DEPTH; l++) {
        (void)para__load_relaxed(&doing.level[l].since);
        for (unsigned w = 0; w < PARA__DOING_WORDS; w++)
            (void)para__load_relaxed(&doing.level[l].word[w]);
    }
}

void doing_push(bool within)
{
    const uint64_t since = ++pushed;
    uint64_t word[PARA__DOING_WORDS];
    if (!within)
        para__doing_pop(&doing, 1);
    for (unsigned w = 0; w < PARA__DOING_WORDS; w++)
        word[w] = since;
    para__doing_push(&doing, since, 1000 - (uintptr_t)since, word);
}

bool doing_look(unsigned level)
{
    uint64_t since, word[PARA__DOING_WORDS];
    bool is_whole = true;
    if (!para__doing_read(&doing, level, &since, word))
        return true;
    for (unsigned w = 0; w < PARA__DOING_WORDS; w++)
        is_whole &= word[w] == since;
    return is_whole;
}

static para__frames frames;
static para__atomic_u32 writer;
static uint32_t question;

void frames_make(void)
{
    memset(&frames, 0, sizeof frames);
    (void)para__load_relaxed(&frames.asked);
    (void)para__load_relaxed(&frames.thread);
    (void)para__load_relaxed(&frames.answered);
    para__store_relaxed(&writer, 0);
}

bool frames_answer(void)
{
    uint32_t asked;
    if (!para__frames_are_asked(&frames, 1, &asked))
        return false;
    model_watch(&frames.count);
    para__frames_answer(&frames, asked);
    return true;
}

bool frames_write(void)
{
    if (!para__frames_begin(&writer, 1))
        return false;
    model_watch(&frames.count);
    para__frames_end(&writer);
    return true;
}

void frames_ask(void)
{
    question = para__frames_ask(&frames, 1);
}

bool frames_read(void)
{
    if (!para__frames_are_answered(&frames, question))
        return false;
    model_see(&frames.count);
    return true;
}

static para__event sleeper;

void word_make(void)
{
    memset(&sleeper, 0, sizeof sleeper);
    (void)para__load_relaxed(&sleeper.state);
}

bool word_leave(void)
{
    return para__event_wake_with(&sleeper, PARA__WORD);
}

bool word_await(void)
{
    para__event_prepare(&sleeper);
    para__event_wait(&sleeper);
    return para__event_end(&sleeper) == PARA__WORD;
}
