// Threads that sleep until there is work. One pool for the process, shared by all engines.
#pragma once

#include <functional>

namespace sparsine {

// Runs `work` on up to `num_threads` threads at once, the calling one among them, and returns when all have returned.
// `work` takes its share from a common counter, so it is right for any number of threads that come, one included:
// a thread that wakes too late finds nothing left, and while another caller has the pool the caller works alone.
void run_on_threads(int num_threads, const std::function<void()>& work);

}  // namespace sparsine
