#include "base/symbol.h"

#include "base/module.h"

#include <elf.h>
#include <fcntl.h>
#include <para/kernel.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A loaded program or library. */
typedef struct image {
    uintptr_t wanted; /* an address in it */
    uintptr_t base;
    struct {
        uintptr_t begin, end;
    } loaded[16]; /* what is mapped: a file may have been replaced since */
    unsigned count;
    char path[512];
} image;

static int note_image(struct dl_phdr_info *object, size_t size, void *found)
{
    image *const i = found;
    (void)size;
    if (!para__module_contains(object, i->wanted))
        return 0;
    i->base = object->dlpi_addr;
    snprintf(i->path, sizeof i->path, "%s",
             *object->dlpi_name ? object->dlpi_name : "/proc/self/exe");
    for (int p = 0; p < object->dlpi_phnum && i->count < 16; p++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[p];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_R))
            continue;
        i->loaded[i->count].begin = i->base + segment->p_vaddr;
        i->loaded[i->count++].end = i->base + segment->p_vaddr + segment->p_memsz;
    }
    return 1;
}

static bool is_loaded(const image *i, uintptr_t begin, size_t bytes)
{
    for (unsigned k = 0; k < i->count; k++)
        if (begin >= i->loaded[k].begin && begin < i->loaded[k].end &&
            bytes <= i->loaded[k].end - begin)
            return true;
    return false;
}

static bool read_at(int file, void *to, size_t bytes, uint64_t offset)
{
    return pread(file, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* Reads a string of the section; what is longer is cut. */
static void read_text(int file, const ElfW(Shdr) * strings, uint64_t at, char *to, size_t bytes)
{
    const ssize_t n = pread(file, to, bytes - 1, (off_t)(strings->sh_offset + at));
    to[n > 0 ? n : 0] = '\0';
}

/* Kernels of macros, as they stand in memory. */
static bool find_kernel(const image *i, const ElfW(Shdr) * section, para__symbol *symbol)
{
    const uintptr_t begin = i->base + section->sh_addr;
    if (!is_loaded(i, begin, section->sh_size) || begin % _Alignof(para_origin_) != 0)
        return false;
    const para_origin_ *const origins = (const para_origin_ *)begin;
    for (size_t k = 0; k < section->sh_size / sizeof *origins; k++) {
        const para_origin_ *const o = &origins[k];
        if ((uintptr_t)o->kernel != i->wanted || !is_loaded(i, (uintptr_t)o->name, 1) ||
            !is_loaded(i, (uintptr_t)o->file, 1))
            continue;
        const char *const slash = strrchr(o->file, '/');
        snprintf(symbol->name, sizeof symbol->name, "%s", o->name);
        snprintf(symbol->place, sizeof symbol->place, "%s:%zu", slash ? slash + 1 : o->file,
                 o->line);
        return true;
    }
    return false;
}

static bool find_symbol(int file, const image *i, const ElfW(Shdr) * symbols,
                        const ElfW(Shdr) * strings, para__symbol *symbol)
{
    ElfW(Sym) chunk[64];
    const uintptr_t offset = i->wanted - i->base;
    for (uint64_t at = 0; at < symbols->sh_size; at += sizeof chunk) {
        const uint64_t left = symbols->sh_size - at;
        const size_t bytes = left < sizeof chunk ? (size_t)left : sizeof chunk;
        if (!read_at(file, chunk, bytes, symbols->sh_offset + at))
            return false;
        for (size_t k = 0; k < bytes / sizeof chunk[0]; k++) {
            const ElfW(Sym) *s = &chunk[k];
            if ((s->st_info & 15) != STT_FUNC || s->st_shndx == SHN_UNDEF ||
                offset - s->st_value >= (s->st_size ? s->st_size : 1))
                continue;
            read_text(file, strings, s->st_name, symbol->name, sizeof symbol->name);
            return true;
        }
    }
    return false;
}

/* Reads the image's file: the section of macros first, then the symbols, of which the dynamic ones
 * are a part. */
static void read_image(int file, const image *i, para__symbol *symbol)
{
    enum { MACROS, SYMBOLS, DYNAMIC, PASSES };
    ElfW(Ehdr) head;
    ElfW(Shdr) names;
    if (!read_at(file, &head, sizeof head, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_shentsize != sizeof names ||
        !read_at(file, &names, sizeof names, head.e_shoff + head.e_shstrndx * sizeof names))
        return;
    for (int pass = 0; pass < PASSES; pass++)
        for (unsigned k = 0; k < head.e_shnum; k++) {
            ElfW(Shdr) section, strings;
            char name[sizeof "para_kernels"];
            if (!read_at(file, &section, sizeof section, head.e_shoff + k * sizeof section))
                return;
            if (pass == MACROS && section.sh_flags & SHF_ALLOC) {
                const bool known =
                    read_at(file, name, sizeof name, names.sh_offset + section.sh_name);
                if (known && memcmp(name, "para_kernels", sizeof name) == 0 &&
                    find_kernel(i, &section, symbol))
                    return;
            } else if (section.sh_type == (pass == SYMBOLS ? SHT_SYMTAB : SHT_DYNSYM) &&
                       pass != MACROS && section.sh_link < head.e_shnum &&
                       read_at(file, &strings, sizeof strings,
                               head.e_shoff + section.sh_link * sizeof strings) &&
                       find_symbol(file, i, &section, &strings, symbol))
                return;
        }
}

void para__symbol_find(uintptr_t function, para__symbol *symbol)
{
    image i = {.wanted = function};
    strcpy(symbol->name, "?");
    dl_iterate_phdr(note_image, &i);
    char target[512];
    const char *path = i.path;
    const ssize_t n =
        strcmp(path, "/proc/self/exe") == 0 ? readlink(path, target, sizeof target - 1) : -1;
    if (n > 0) {
        target[n] = '\0';
        path = target;
    }
    const char *const slash = strrchr(path, '/');
    snprintf(symbol->place, sizeof symbol->place, "%.90s+0x%jx", slash ? slash + 1 : path,
             (uintmax_t)(function - i.base));
    const int file = open(i.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return;
    read_image(file, &i, symbol);
    close(file);
}

/* How often objects were loaded and unloaded, where the C library counts it. */
static int note_counts(struct dl_phdr_info *object, size_t size, void *counts)
{
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof object->dlpi_subs)
        memcpy(counts, (const uint64_t[]){object->dlpi_adds, object->dlpi_subs},
               2 * sizeof(uint64_t));
    return 1;
}

uint64_t para__symbol_loads(void)
{
    uint64_t counts[2] = {0, 0};
    dl_iterate_phdr(note_counts, counts);
    return counts[0];
}

uint64_t para__symbol_unloads(void)
{
    uint64_t counts[2] = {0, 0};
    dl_iterate_phdr(note_counts, counts);
    return counts[1];
}
