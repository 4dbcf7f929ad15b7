// parallel.h -- one small thread pool. Tasks are numbered and their boundaries do not depend on the number of
// threads, so neither do results.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

#include "core/stop_token.h"

namespace fastcal {

// What every long-running entry point of the core is told about its call.
struct CallContext {
  int num_threads;
  StopToken& stop;
};

// A borrowed callable: task number and worker number (0 is the calling thread, < num_threads).
class TaskRef {
 public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, TaskRef>)
  TaskRef(F&& f)  // NOLINT(google-explicit-constructor): a reference, like std::function_ref
      : object_(std::addressof(f)), call_([](const void* object, std::size_t task, std::size_t worker) {
          (*static_cast<std::remove_reference_t<F>*>(const_cast<void*>(object)))(task, worker);
        }) {}
  void operator()(std::size_t task, std::size_t worker) const { call_(object_, task, worker); }

 private:
  const void* object_;
  void (*call_)(const void*, std::size_t, std::size_t);
};

// Runs run(task, worker) for every task. The caller takes part; a pool that is busy with another call means that the
// caller does everything itself. Throws what a task threw, or Interrupted.
// Tasks should take well under 50 ms each: stop requests are seen between tasks.
void parallel_for(std::size_t n_tasks, const CallContext& context, TaskRef run);

// Waking a thread costs tens of microseconds, one that still looks out for work less than one. Threads worth using for
// `nanoseconds` of work: one per 20 us.
int worthwhile_threads(double nanoseconds, int num_threads);

}  // namespace fastcal
