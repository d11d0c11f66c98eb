// para-models: runs the models, or those that are named, perhaps with one operation weakened.
#include "calls.h"
#include "model.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern "C" model_site *__start_model_sites[], *__stop_model_sites[];

namespace
{

const char *const order_names[] = {"relaxed", "consume", "acquire",
                                   "release", "acq_rel", "seq_cst"};

// Operations by name: the edge, the operation, the function that it stands in, and, where there are
// several of these, which.
struct operation {
    std::string name;
    std::vector<model_site *> sites; // a header's are in each source that includes it
};

// Operations in public headers are builtins without a label.
std::string edge_of(const model_site *site)
{
    const std::string file = site->file;
    if (strcmp(site->label, "public") != 0)
        return site->label;
    return file.find("para/mutex.h") != std::string::npos       ? "E9"
           : file.find("para/semaphore.h") != std::string::npos ? "E11"
                                                                : "E12";
}

bool earlier(const model_site *a, const model_site *b)
{
    const int order = strcmp(a->file, b->file);
    return order ? order < 0 : a->line < b->line;
}

std::vector<operation> list_operations()
{
    std::vector<model_site *> sites(__start_model_sites, __stop_model_sites);
    std::sort(sites.begin(), sites.end(), earlier);
    std::vector<operation> operations;
    for (model_site *site : sites) {
        if (site->order == rl::mo_relaxed)
            continue;
        const std::string name = edge_of(site) + ":" + site->function + ":" + site->operation;
        unsigned others = 0;
        operation *same = nullptr;
        for (operation &known : operations) {
            const model_site *first = known.sites[0];
            if (first->line == site->line && !strcmp(first->file, site->file) &&
                known.name.compare(0, name.size(), name) == 0)
                same = &known;
            else
                others += known.name.compare(0, name.size(), name) == 0;
        }
        if (same)
            same->sites.push_back(site);
        else
            operations.push_back({others ? name + std::to_string(others + 1) : name, {site}});
    }
    return operations;
}

// Each order that is a step weaker, for that operation.
std::vector<int> weaker(const model_site *site)
{
    const bool is_load = !strcmp(site->operation, "load");
    const bool is_store = !strcmp(site->operation, "store");
    switch (site->order) {
    case rl::mo_seq_cst:
        return {is_load    ? rl::mo_acquire
                : is_store ? rl::mo_release
                           : rl::mo_acq_rel,
                rl::mo_relaxed};
    case rl::mo_acq_rel:
        return {rl::mo_acquire, rl::mo_release};
    default:
        return {rl::mo_relaxed};
    }
}

void print_weakenings()
{
    for (const operation &o : list_operations())
        for (const int order : weaker(o.sites[0]))
            std::cout << o.name << "=" << order_names[order] << " " << o.sites[0]->file << "\n";
}

bool weaken(const std::string &what)
{
    const size_t at = what.find('=');
    if (at == std::string::npos)
        return false;
    const auto *order =
        std::find(std::begin(order_names), std::end(order_names), what.substr(at + 1));
    for (const operation &o : list_operations())
        if (o.name == what.substr(0, at) && order != std::end(order_names)) {
            for (model_site *site : o.sites) {
                site->order = static_cast<int>(order - std::begin(order_names));
                site->is_weakened = true;
            }
            return true;
        }
    return false;
}

// Models whose first executions do not come to a weakened operation have no more of them.
outcome outcome_of(const model_entry *m, uint64_t last, bool is_weakened)
{
    constexpr uint64_t FIRST = 200;
    if (!is_weakened || last <= FIRST)
        return m->run(1, last, false);
    model_reached = false;
    const outcome first = m->run(1, FIRST, false);
    return first.failed || !model_reached ? first : m->run(1, last, false);
}

int misused()
{
    std::cerr
        << "usage: para-models [--list] [--times FACTOR] [--weaken OPERATION=ORDER] [--trace] "
           "[MODEL...]\n";
    return 2;
}

} // namespace

int main(int argc, char **argv)
{
    double factor = 1;
    bool trace = false;
    bool is_weakened = false;
    std::vector<std::string> chosen;
    for (int i = 1; i < argc; i++) {
        const std::string word = argv[i];
        if (word == "--list") {
            print_weakenings();
            return 0;
        }
        if (word == "--trace")
            trace = true;
        else if (word == "--times" && i + 1 < argc)
            factor = atof(argv[++i]);
        else if (word == "--weaken" && i + 1 < argc && weaken(argv[i + 1])) {
            is_weakened = true;
            i++;
        } else if (word[0] == '-')
            return misused();
        else
            chosen.push_back(word);
    }
    unsigned run = 0, failed = 0;
    for (const model_entry *m = models; m; m = m->next) {
        if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), m->name) == chosen.end())
            continue;
        const auto last = static_cast<uint64_t>(static_cast<double>(m->executions) * factor);
        const outcome o = outcome_of(m, last, is_weakened);
        std::cout << m->name << ": " << rl::test_result_str(o.result) << ", seeds 1 to " << o.seed
                  << std::endl;
        if (o.failed && trace)
            std::cout << m->run(o.seed, o.seed, true).text;
        run++;
        failed += o.failed;
    }
    return failed != 0 || run == 0;
}
