// stop_token.h -- how a long call is asked to end early, without the core knowing who asks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>

namespace fastcal {

// Thrown by parallel_for once every thread has left the job. Outputs that are written at the end stay untouched.
struct Interrupted {};

// `poll` runs on the calling thread only, at most every kPollInterval; returning true asks every thread to stop.
class StopToken {
 public:
  using Poll = std::function<bool()>;
  static constexpr std::chrono::milliseconds kPollInterval{10};

  explicit StopToken(Poll poll = nullptr) : poll_(std::move(poll)) {}
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  // For any thread inside long work: has somebody asked to stop? The calling thread asks `poll` on the way.
  bool check() {
    if (std::this_thread::get_id() == owner_) poll_if_due();
    return stopped();
  }
  void throw_if_stopped() {
    if (check()) throw Interrupted{};
  }

  // For the end of work: asks nobody.
  void throw_if_known() const {
    if (stopped()) throw Interrupted{};
  }

  // The calling thread only.
  void poll_if_due() {
    if (poll_ == nullptr || stopped()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < due_) return;
    if (poll_()) stop();
    due_ = now + kPollInterval;
  }

 private:
  Poll poll_;
  std::thread::id owner_ = std::this_thread::get_id();
  std::chrono::steady_clock::time_point due_ = std::chrono::steady_clock::now() + kPollInterval;
  std::atomic<bool> stopped_{false};
};

// visit(begin, end) over [0, n) on this thread, in pieces short enough (a few milliseconds at most) to stop between them.
template <typename Visit>
void in_stoppable_pieces(std::size_t n, StopToken& stop, const Visit& visit) {
  constexpr std::size_t kPiece = std::size_t{1} << 17;
  for (std::size_t begin = 0; begin < n; begin += kPiece) {
    stop.throw_if_stopped();
    visit(begin, begin + kPiece < n ? begin + kPiece : n);
  }
}

}  // namespace fastcal
