#include "cli/object.h"

#include "base/resembles.h"
#include "cli/say.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file's bytes. */
typedef struct image {
    const char *begin;
    size_t bytes;
} image;

/* Returns the file's bytes from offset on if there are that many, else NULL. */
static const void *part(const image *file, size_t offset, size_t bytes)
{
    return offset <= file->bytes && bytes <= file->bytes - offset ? file->begin + offset : NULL;
}

/* Maps a regular file; false if there is none that could be read. */
static bool map_image(image *file, const char *path)
{
    struct stat facts;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *file = (image){0};
    if (descriptor >= 0 && fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) &&
        facts.st_size > 0) {
        void *data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data != MAP_FAILED)
            *file = (image){data, (size_t)facts.st_size};
    }
    if (descriptor >= 0)
        close(descriptor);
    return file->begin != NULL;
}

static void unmap(const image *file)
{
    if (file->begin)
        munmap((void *)(uintptr_t)file->begin, file->bytes);
}

/* ---- Opening --------------------------------------------------------------------------- */

#define HOW_TO_MAKE "make one with 'cc -O2 -shared -fPIC NAME.c -o NAME.so'"

/* Returns what is wrong with the file; NULL: nothing. A truncated file would crash in dlopen. */
static const char *find_fault(const image *file)
{
    const ElfW(Ehdr) *head = part(file, 0, sizeof *head);
    if (file->bytes < SELFMAG || memcmp(file->begin, ELFMAG, SELFMAG) != 0)
        return "not a shared object: " HOW_TO_MAKE;
    if (!head)
        return "the file is cut short";
    if (head->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return NULL; /* dlopen says so */
    if (head->e_type == ET_REL)
        return "compiled, but not linked: " HOW_TO_MAKE;
    const ElfW(Phdr) *segment = part(file, head->e_phoff, head->e_phnum * sizeof *segment);
    if (!segment || head->e_phentsize != sizeof *segment)
        return "the file is cut short";
    for (unsigned i = 0; i < head->e_phnum; i++) {
        ElfW(Phdr) copy;
        memcpy(&copy, segment + i, sizeof copy);
        if (!part(file, copy.p_offset, copy.p_filesz))
            return "the file is cut short";
    }
    return NULL;
}

void *para__object_open(const char *name)
{
    char *path = NULL;
    image file;
    void *object = NULL;
    if (!strchr(name, '/') && access(name, F_OK) == 0 && asprintf(&path, "./%s", name) < 0)
        path = NULL;
    const char *looked_for = path ? path : name;
    struct stat facts;
    const bool other = stat(looked_for, &facts) == 0 && !S_ISREG(facts.st_mode);
    const bool mapped = strchr(looked_for, '/') && map_image(&file, looked_for);
    const char *fault = mapped ? find_fault(&file) : other ? "not a regular file" : NULL;
    if (mapped)
        unmap(&file);
    if (fault)
        para__say_failed("%s: %s", name, fault);
    else if (!(object = dlopen(looked_for, RTLD_NOW | RTLD_LOCAL)))
        para__say_failed("%s", dlerror());
    free(path);
    return object;
}

bool para__object_has(void *object, const void *address)
{
    struct link_map *own;
    Dl_info ours;
    Dl_info theirs;
    return dlinfo(object, RTLD_DI_LINKMAP, &own) != 0 || !dladdr(own->l_ld, &ours) ||
           !dladdr(address, &theirs) || ours.dli_fbase == theirs.dli_fbase;
}

/* ---- Symbols --------------------------------------------------------------------------- */

/* Names in the file that explain why a symbol is not found. */
typedef struct clue {
    const char *mangled, *hidden, *near; /* NULL: none */
} clue;

/* Whether the name is the C++ mangling of a symbol: "_Z", later its length and the symbol. */
static bool is_mangled(const char *name, const char *symbol)
{
    char wanted[300];
    if (strncmp(name, "_Z", 2) != 0 ||
        snprintf(wanted, sizeof wanted, "%zu%s", strlen(symbol), symbol) >= (int)sizeof wanted)
        return false;
    for (const char *p = strstr(name, wanted); p; p = strstr(p + 1, wanted))
        if (p[-1] < '0' || p[-1] > '9')
            return true;
    return false;
}

static void look_at(clue *found, const char *name, const char *symbol, bool exported)
{
    if (is_mangled(name, symbol))
        found->mangled = name;
    else if (!exported && strcmp(name, symbol) == 0)
        found->hidden = name;
    else if (exported && para__resembles(symbol, name))
        found->near = name;
}

/* Searches one symbol table. */
static void look_through(clue *found, const image *file, const ElfW(Shdr) * sections,
                         unsigned section_count, const ElfW(Shdr) * table, const char *symbol)
{
    if (table->sh_link >= section_count)
        return;
    const ElfW(Shdr) *names = &sections[table->sh_link];
    const char *text = part(file, names->sh_offset, names->sh_size);
    const ElfW(Sym) *entries = part(file, table->sh_offset, table->sh_size);
    if (!text || !entries || names->sh_size == 0 || text[names->sh_size - 1] != '\0' ||
        (uintptr_t)entries % sizeof(void *) != 0)
        return;
    for (size_t i = 0; i < table->sh_size / sizeof *entries; i++) {
        const int type = ELF64_ST_TYPE(entries[i].st_info);
        if (entries[i].st_shndx != SHN_UNDEF && entries[i].st_name < names->sh_size &&
            (type == STT_FUNC || type == STT_OBJECT))
            look_at(found, text + entries[i].st_name, symbol, table->sh_type == SHT_DYNSYM);
    }
}

static clue look_for(const image *file, const char *symbol)
{
    clue found = {0};
    const ElfW(Ehdr) *head = part(file, 0, sizeof *head);
    const ElfW(Shdr) *sections =
        head ? part(file, head->e_shoff, head->e_shnum * sizeof *sections) : NULL;
    if (!sections || head->e_shentsize != sizeof *sections ||
        (uintptr_t)sections % sizeof(void *) != 0)
        return found;
    for (unsigned i = 0; i < head->e_shnum; i++)
        if (sections[i].sh_type == SHT_DYNSYM || sections[i].sh_type == SHT_SYMTAB)
            look_through(&found, file, sections, head->e_shnum, &sections[i], symbol);
    return found;
}

char *para__object_explain(void *object, const char *symbol, bool nearby)
{
    struct link_map *own;
    image file;
    char *sentence = NULL;
    const char *colon = strrchr(symbol, ':'); /* of a name in a namespace of C++ */
    if (dlinfo(object, RTLD_DI_LINKMAP, &own) != 0 || !map_image(&file, own->l_name))
        return NULL;
    const clue found = look_for(&file, colon ? colon + 1 : symbol);
    int length = 0;
    if (found.mangled)
        length = asprintf(&sentence,
                          ", but '%s', which is what C++ makes of it: declare it extern \"C\"",
                          found.mangled);
    else if (found.hidden)
        length =
            asprintf(&sentence, " that can be seen from outside: it must be neither static, as "
                                "the PARA_ macros and const in C++ make it, nor hidden");
    else if (found.near && nearby)
        length = asprintf(&sentence, ", but '%s'", found.near);
    unmap(&file);
    return length < 0 ? NULL : sentence;
}
