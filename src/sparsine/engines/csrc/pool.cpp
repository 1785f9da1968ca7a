#include "pool.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace sparsine {
namespace {

class Pool {
 public:
  void run(int num_threads, const std::function<void()>& work) {
    if (num_threads <= 1) return work();
    std::unique_lock<std::mutex> mine(callers_, std::try_to_lock);
    if (!mine.owns_lock()) return work();
    open(num_threads - 1, work);
    work();
    close();
  }

 private:
  void open(int helpers, const std::function<void()>& work) {
    std::lock_guard<std::mutex> lock(state_);
    while (num_workers_ < helpers) {
      try {
        std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        break;  // the system gives no more threads: those that are there do the work
      }
      ++num_workers_;
    }
    work_ = &work;
    seats_ = helpers;
    for (int i = 0; i < helpers; ++i) wake_.notify_one();
  }

  void close() {
    std::unique_lock<std::mutex> lock(state_);
    seats_ = 0;
    done_.wait(lock, [this] { return active_ == 0; });
    work_ = nullptr;
  }

  void serve() {
    std::unique_lock<std::mutex> lock(state_);
    for (;;) {
      wake_.wait(lock, [this] { return seats_ > 0; });
      --seats_;
      ++active_;
      const std::function<void()>& work = *work_;
      lock.unlock();
      work();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::mutex callers_, state_;
  std::condition_variable wake_, done_;
  const std::function<void()>* work_ = nullptr;
  int num_workers_ = 0, seats_ = 0, active_ = 0;
};

// Never destroyed: its threads may outlive main.
Pool* pool = new Pool();

#if defined(__unix__) || defined(__APPLE__)
// A forked child has none of the threads: it starts with a new pool.
const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool = new Pool(); });
#endif

}  // namespace

void run_on_threads(int num_threads, const std::function<void()>& work) { pool->run(num_threads, work); }

}  // namespace sparsine
