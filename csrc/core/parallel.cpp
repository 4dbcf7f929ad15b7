// parallel.cpp -- the pool: workers sleep on one condition variable and take task numbers from one atomic counter.
#include "core/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/check.h"
#include "core/float_env.h"

namespace fastcal {
namespace {

struct Job {
  Job(std::size_t tasks, const CallContext& call, TaskRef task) : n_tasks(tasks), context(call), run(task) {}

  std::size_t n_tasks;
  const CallContext& context;
  TaskRef run;
  std::atomic<std::size_t> next{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;

  bool take(std::size_t& task) {
    if (context.stop.stopped()) return false;
    task = next.fetch_add(1, std::memory_order_relaxed);
    return task < n_tasks;
  }

  // Never throws: the first exception is kept for the caller and stops the others.
  void work(std::size_t worker) noexcept {
    const FloatEnvironment environment;
    try {
      for (std::size_t task = 0; take(task);) {
        run(task, worker);
        if (worker == 0) context.stop.poll_if_due();
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (failure == nullptr) failure = std::current_exception();
      next.store(n_tasks, std::memory_order_relaxed);
    }
  }

  void finish() const {
    if (failure != nullptr) std::rethrow_exception(failure);
    if (context.stop.stopped()) throw Interrupted{};
  }
};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Waits a little without giving up the core; a thread that sleeps takes tens of microseconds to wake up. Returns whether
// ready() came true.
template <typename Ready>
bool spin_until(const Ready& ready) {
  constexpr std::chrono::microseconds kPatience{50};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

class Pool {
 public:
  // Runs the job on the caller and up to `helpers` workers; false if another call holds the pool.
  bool try_run(Job& job, std::size_t helpers) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    start(job, helpers);
    job.work(0);
    wait(job);
    busy_.store(false, std::memory_order_release);
    return true;
  }

 private:
  // Only the holder of busy_ comes here, so workers_ has one writer. A system that refuses more threads is served by
  // those there are.
  void start(Job& job, std::size_t helpers) {
    while (workers_.size() < helpers) {
      try {
        const std::size_t worker = workers_.size() + 1;
        workers_.emplace_back([this, worker] { serve(worker); });
      } catch (const std::system_error&) {
        break;
      }
    }
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      invited_ = std::min(helpers, workers_.size());
      running_.store(0, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
  }

  // Workers that have not taken up the job by now are no longer invited; the others are waited for.
  void wait(Job& job) {
    std::unique_lock lock(mutex_);
    invited_ = 0;
    lock.unlock();
    spin_until([&] { return running_.load(std::memory_order_acquire) == 0; });
    lock.lock();
    while (running_.load(std::memory_order_relaxed) > 0) {
      done_.wait_for(lock, StopToken::kPollInterval);
      lock.unlock();
      job.context.stop.poll_if_due();
      lock.lock();
    }
    job_ = nullptr;
  }

  void serve(std::size_t worker) {
    std::uint64_t seen = 0;
    const auto called = [&] { return generation_.load(std::memory_order_acquire) != seen; };
    for (;;) {
      spin_until(called);
      std::unique_lock lock(mutex_);
      wake_.wait(lock, called);
      seen = generation_.load(std::memory_order_relaxed);
      if (worker > invited_) continue;
      running_.fetch_add(1, std::memory_order_relaxed);
      Job& job = *job_;
      lock.unlock();
      job.work(worker);
      lock.lock();
      if (running_.fetch_sub(1, std::memory_order_release) == 1) done_.notify_one();
    }
  }

  std::atomic<bool> busy_{false};
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Job* job_ = nullptr;
  std::size_t invited_ = 0;
  std::atomic<std::size_t> running_{0};  // changed under the mutex, as generation_ is
  std::atomic<std::uint64_t> generation_{0};
};

// Never destroyed: its threads may be asleep in it when the process ends. A forked child has no threads but its own,
// so it gets a new pool.
std::atomic<Pool*> current_pool{nullptr};

Pool& pool() {
  static std::once_flag once;
  std::call_once(once, [] {
    current_pool.store(new Pool, std::memory_order_release);
    pthread_atfork(nullptr, nullptr, [] { current_pool.store(new Pool, std::memory_order_release); });
  });
  return *current_pool.load(std::memory_order_acquire);
}

}  // namespace

void parallel_for(std::size_t n_tasks, const CallContext& context, TaskRef run) {
  FASTCAL_ASSERT(context.num_threads >= 1);
  if (n_tasks == 1) {  // no other thread, nothing to poll for in between
    const FloatEnvironment environment;
    context.stop.throw_if_known();
    run(0, 0);
    context.stop.throw_if_known();
    return;
  }
  Job job(n_tasks, context, run);
  const std::size_t helpers = std::min(static_cast<std::size_t>(context.num_threads), n_tasks) - (n_tasks > 0 ? 1 : 0);
  if (helpers == 0 || !pool().try_run(job, helpers)) job.work(0);
  job.finish();
}

int worthwhile_threads(double nanoseconds, int num_threads) {
  constexpr double kWorthWaking = 20'000.0;
  const double wanted = 1.0 + nanoseconds / kWorthWaking;
  return wanted >= num_threads ? num_threads : static_cast<int>(wanted);
}

}  // namespace fastcal
