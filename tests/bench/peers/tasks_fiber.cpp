// Boost.Fiber: tasks with stacks of their own, on one thread. Of the jobs of cost.h it has those that need no million of them.
#include "cost.h"
#include <boost/fiber/all.hpp>
#include <boost/version.hpp>
#include <vector>

namespace fibers = boost::fibers;

static void switches() {
    auto yields = [] { for (int i = 0; i < SWITCHES / 2; i++) boost::this_fiber::yield(); };
    double start = cpu();
    fibers::fiber a(yields), b(yields);
    a.join();
    b.join();
    std::printf("ns %.3f\n", (cpu() - start) * 1e9 / SWITCHES);
}

static void spawn() {
    const int spawns = SPAWNS / 5;
    std::vector<fibers::fiber> all(100);
    fibers::pooled_fixedsize_stack stacks(16 * 1024); // the default maps and unmaps memory for each
    double start = cpu();
    for (int n = 0; n < spawns; n += 100) {
        for (auto &f : all) f = fibers::fiber(std::allocator_arg, stacks, [] {});
        for (auto &f : all) f.join();
    }
    std::printf("ns %.2f\n", (cpu() - start) * 1e9 / spawns);
}

static void queue(std::size_t capacity) {
    fibers::buffered_channel<long> channel(capacity < 2 ? 2 : capacity); // it holds one less
    long sum = 0, item = 0;
    double start = cpu();
    fibers::fiber gives([&channel] {
        for (long i = 1; i <= ITEMS; i++) channel.push(i);
        channel.close();
    });
    while (channel.pop(item) == fibers::channel_op_status::success) sum += item;
    gives.join();
    std::printf("ns %.2f\n", (cpu() - start) * 1e9 / ITEMS);
    if (sum != (long)ITEMS * (ITEMS + 1) / 2) std::exit(1);
}

int main(int argc, char **argv) {
    const char *job = argc > 1 ? argv[1] : "";
    if (!std::strcmp(job, "switch")) switches();
    else if (!std::strcmp(job, "spawn")) spawn();
    else if (!std::strcmp(job, "queue") && argc > 2) queue((std::size_t)std::atoi(argv[2]));
    else if (!std::strcmp(job, "version")) std::printf("Boost.Fiber %d.%d\n", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000);
}
