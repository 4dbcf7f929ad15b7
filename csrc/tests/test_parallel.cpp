// test_parallel.cpp -- the pool: every task once, exceptions, stop requests, nested and concurrent calls, fork.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "core/float_env.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

bool runs_every_task_once(std::size_t n_tasks, int threads) {
  std::vector<std::atomic<int>> seen(n_tasks);
  Uninterrupted call;
  parallel_for(n_tasks, call.with(threads), [&](std::size_t task, std::size_t worker) {
    if (worker < static_cast<std::size_t>(threads)) seen[task].fetch_add(1);
  });
  for (const auto& count : seen)
    if (count.load() != 1) return false;
  return true;
}

void check_exceptions() {
  Uninterrupted call;
  bool caught = false;
  try {
    parallel_for(1000, call.with(4), [](std::size_t task, std::size_t) {
      if (task == 500) throw std::runtime_error("task 500");
    });
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
  CHECK(runs_every_task_once(100, 4));
}

void check_stop() {
  const auto start = std::chrono::steady_clock::now();
  StopToken stop([] { return true; });
  bool interrupted = false;
  try {
    parallel_for(100'000, {2, stop}, [](std::size_t, std::size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  } catch (const Interrupted&) {
    interrupted = true;
  }
  CHECK(interrupted);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));  // 100,000 tasks would take 50
}

void check_nested_and_concurrent() {
  std::atomic<int> wrong{0};
  Uninterrupted call;
  parallel_for(8, call.with(4), [&](std::size_t, std::size_t) { wrong += !runs_every_task_once(50, 4); });
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c)
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) wrong += !runs_every_task_once(20, 3);
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong.load() == 0);
}

// The caller polls every 10 ms while it works and while it waits: 300 ms of work must see well over 10 polls.
void check_polling() {
  static int polls;
  for (const int threads : {1, 2}) {
    polls = 0;
    StopToken stop([] {
      ++polls;
      return false;
    });
    parallel_for(static_cast<std::size_t>(60 * threads), {threads, stop},
                 [](std::size_t, std::size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
    CHECK(polls >= 10);
    polls = 0;
    // One short task for the caller, one long one for the other worker.
    parallel_for(2, {2, stop},
                 [](std::size_t, std::size_t worker) { std::this_thread::sleep_for(std::chrono::milliseconds(worker == 0 ? 40 : 300)); });
    CHECK(polls >= 3);
  }
}

#if !defined(__SANITIZE_THREAD__)  // ThreadSanitizer does not follow threads across fork
// Tasks long enough for every invited worker to wake up and take one.
std::size_t workers_taking_part(int threads) {
  std::atomic<unsigned> seen{0};
  Uninterrupted call;
  parallel_for(20, call.with(threads), [&](std::size_t, std::size_t worker) {
    seen.fetch_or(1u << worker);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  return static_cast<std::size_t>(std::popcount(seen.load()));
}

void check_fork() {
  if (std::getenv("FASTCAL_EMULATED") != nullptr) {
    std::printf("skipped: user-mode emulation cannot fork a process that has threads\n");
    return;
  }
  CHECK(runs_every_task_once(100, 4));
  const pid_t child = fork();
  if (child == 0) _exit(runs_every_task_once(100, 4) && workers_taking_part(3) == 3 ? 0 : 1);
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

#if defined(__x86_64__)
// The host's DAZ and FTZ are switched off inside tasks and found again afterwards.
void check_float_environment() {
  const unsigned host = _mm_getcsr() | 0x8040u;
  _mm_setcsr(host);
  std::atomic<int> flushed{0};
  Uninterrupted call;
  parallel_for(64, call.with(4), [&](std::size_t, std::size_t) {
    volatile float denormal = 1e-40f;
    flushed += static_cast<double>(denormal) == 0.0;
  });
  const bool kept = (_mm_getcsr() & ~0x3fu) == (host & ~0x3fu);
  _mm_setcsr(host & ~0x8040u);
  CHECK(flushed.load() == 0);
  CHECK(kept);
}
#endif

}  // namespace

int main() {
  for (const std::size_t n_tasks : {0u, 1u, 2u, 7u, 1000u})
    for (const int threads : {1, 2, 3, 8}) CHECK(runs_every_task_once(n_tasks, threads));
  check_exceptions();
  check_stop();
  check_polling();
  check_nested_and_concurrent();
#if !defined(__SANITIZE_THREAD__)
  check_fork();
#endif
#if defined(__x86_64__)
  check_float_environment();
#endif
  CHECK(worthwhile_threads(1'000.0, 8) == 1 && worthwhile_threads(1e9, 8) == 8 && worthwhile_threads(40'000.0, 8) == 3);
  return finish();
}
