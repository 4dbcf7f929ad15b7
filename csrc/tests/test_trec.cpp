// test_trec.cpp -- the same numbers however the text is cut and whoever reads it; malformed lines; names; scores in decimal.
#include "core/trec.h"

#include <limits>
#include <map>
#include <random>
#include <string>

#include "core/fields.h"
#include "core/trec_writer.h"
#include "testing.h"

using namespace fastcal;
using namespace fastcal::testing;

namespace {

struct Result {
  std::vector<std::int64_t> ids, query, start;
  std::vector<std::uint32_t> values;
  std::string queries, documents;
  bool operator==(const Result&) const = default;
};

std::string joined(const NameTable& names) {
  std::string text;
  NameTexts::Cursor cursor;
  for (std::size_t i = 0; i < names.size(); ++i) text += std::string(cursor.next(names.texts())) + "\n";
  return text;
}

// Fed in pieces of `step` bytes, each in memory of its own that ends with it.
Result read(const std::string& text, std::size_t step, int num_threads) {
  TrecReader reader(kTrecRun);
  Uninterrupted call;
  std::vector<std::unique_ptr<char[]>> alive;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::size_t n = std::min(step, text.size() - at);
    alive.push_back(std::make_unique<char[]>(n));
    std::copy_n(text.data() + at, n, alive.back().get());
    CHECK(reader.feed({alive.back().get(), n}, call.with(num_threads)));
    if (alive.size() > 2) alive.erase(alive.begin());
  }
  CHECK(reader.finish(call.with(num_threads)));
  Result out;
  out.ids.resize(reader.lines());
  out.values.resize(reader.lines());
  out.query.resize(reader.stretches());
  out.start.resize(reader.stretches());
  reader.write(out.ids, out.values, out.query, out.start, call.with(num_threads));
  out.queries = joined(reader.queries());
  out.documents = joined(reader.documents());
  return out;
}

void check_cuts(std::mt19937& random) {
  std::string text, queries, documents;
  std::map<std::string, std::int64_t> number_of, query_of;
  std::vector<std::int64_t> ids;
  for (int line = 0; line < 60'000; ++line) {
    const std::string query = std::to_string(line / 500 % 7).append("q"), name(1 + random() % 40, static_cast<char>('a' + random() % 3));
    const std::string document = name + std::to_string(random() % 3000);
    if (query_of.emplace(query, query_of.size()).second) queries += query + "\n";
    const auto [place, is_new] = number_of.emplace(document, number_of.size());
    if (is_new) documents += document + "\n";
    ids.push_back(place->second);
    text +=
        query + " Q0 " + document + "\t" + std::to_string(line) + "  " + std::to_string(line * 0.25) + (line % 3 == 0 ? " t\r\n" : " t\n");
  }
  text.pop_back();
  const Result whole = read(text, text.size(), 1);
  CHECK(whole.ids == ids);
  CHECK(whole.queries == queries && whole.documents == documents);
  for (std::size_t line = 0; line < ids.size(); ++line) CHECK(whole.values[line] == bits(static_cast<float>(line) * 0.25f));
  for (const std::size_t step : {std::size_t{977}, std::size_t{100'000}, std::size_t{1'000'000}, text.size()})
    for (const int num_threads : {1, 3}) CHECK(read(text, step, num_threads) == whole);
  const std::string beginning = text.substr(0, 2000);
  const Result few = read(beginning.substr(0, beginning.rfind('\n')), 2000, 1);
  for (std::size_t step = 1; step < 150; ++step) CHECK(read(beginning.substr(0, beginning.rfind('\n')), step, 2) == few);
}

void check_malformed() {
  const std::string good = "q Q0 d 1 1.0 t\n";
  for (const char* bad :
       {"", " ", "q Q0 d 1 1.0", "q Q0 d 1 1.0 t t", "q Q0 d 1 nan t", "q Q0 d 1 1e39 t", "q Q0 d\x80 1 1 t", "q Q0 d 1 +-1 t"}) {
    TrecReader reader(kTrecRun);
    Uninterrupted call;
    const std::string text = good + good + bad + "\n" + good;
    CHECK(!(reader.feed(text, call.with(2)) && reader.finish(call.with(2))));
    CHECK(reader.lines() == 2 && reader.malformed() == bad);
  }
}

void check_numbers() {
  const auto as_float = [](std::string_view field) {
    float value = -77.0f;
    return read_float32(field, value) ? value : std::numeric_limits<float>::quiet_NaN();
  };
  CHECK(as_float("+1.5") == 1.5f && as_float("-.5") == -0.5f && as_float("5.") == 5.0f && as_float("1e-3") == 1e-3f &&
        as_float("1E2") == 100.0f);
  CHECK(as_float("1e-400") == 0.0f && std::signbit(as_float("-1e-400")) && as_float("0.000000000000000000000000000000000001e-310") == 0.0f);
  CHECK(as_float("-Infinity") == -std::numeric_limits<float>::infinity() && as_float("0e999999999999999999999") == 0.0f);
  CHECK(as_float("16777217.0000000000000000001") == 16777216.0f);  // through float64
  for (const char* bad :
       {"", "+", ".", "e5", "1e", "1e+", "--1", "+-1", "1_0", "0x1", "nan", "-nan", "in", "infin", "1e400", "3.4028236e38", "1 "})
    CHECK(std::isnan(as_float(bad)));
  std::int32_t value = 0;
  CHECK(read_int32("-2147483648", value) && value == std::numeric_limits<std::int32_t>::min());
  CHECK(!read_int32("2147483648", value) && !read_int32("1.0", value) && !read_int32("", value) && !read_int32("-", value));
  CHECK(is_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80") && !is_utf8("\xc0\xaf") && !is_utf8("\xed\xa0\x80") &&
        !is_utf8("\xf4\x90\x80\x80") && !is_utf8("12345678\xc3"));
}

void check_scores(std::mt19937& random) {
  const auto written = [](float score) {
    char text[kScoreBytes];
    return std::string(text, write_score(score, text));
  };
  CHECK(written(0.0f) == "0.0" && written(-0.0f) == "-0.0" && written(2.0f) == "2.0" && written(0.1f) == "0.1" &&
        written(1e-30f) == "1e-30");
  CHECK(written(-12.5f) == "-12.5" && written(1e16f) == "1e+16" && written(1e-4f) == "0.0001" && written(123456789.0f) == "123456790.0");
  for (int i = 0; i < 200'000; ++i) {
    const float score = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    float back = 0.0f;
    if (score == score) CHECK(read_float32(written(score), back) && bits(back) == bits(score));
  }
}

}  // namespace

int main() {
  std::mt19937 random(1);
  check_cuts(random);
  check_malformed();
  check_numbers();
  check_scores(random);
  return finish();
}
