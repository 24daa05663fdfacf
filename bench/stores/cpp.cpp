// What the machine itself can do: an exact scan of float32 vectors in memory, and how fast plain
// reading is. One thread, compiled for this very processor when the bench starts.
//
//   scan VECTORS COUNT DIMENSION QUERIES QUERY_COUNT
//
// VECTORS and QUERIES are files of float32 rows of length 1, so that a dot product is the cosine.
// Each line of standard input asks for one thing; each answer is one line of JSON:
//
//   search FIRST LAST K    the K nearest of queries FIRST up to LAST, and the time of each
//   read BYTES TIMES       the times of reading BYTES bytes in four streams
#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr size_t LANES = 8;
constexpr size_t ACCUMULATORS = 4;
constexpr size_t STREAMS = 4;
constexpr size_t CACHE_LINE = 64;
constexpr size_t LARGE_PAGE = 2 * 1024 * 1024;
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef uint64_t Words __attribute__((vector_size(32)));

double millisecondsSince(std::chrono::steady_clock::time_point start) {
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count();
}

template <typename Vector, typename Element>
inline Vector load(const Element *from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

/**
 * Memory aligned to a large page, and in large pages where the system has them: a scan takes up to
 * half as long again in small ones, and how long differs from run to run.
 */
template <typename Element>
Element *allocate(size_t count) {
  const size_t bytes = (count * sizeof(Element) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  void *memory = std::aligned_alloc(LARGE_PAGE, bytes);
  if (memory == nullptr) std::exit(EXIT_FAILURE);
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<Element *>(memory);
}

float *readFloats(const char *path, size_t count) {
  float *floats = allocate<float>(count);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(count * sizeof(float));
  if (!file.read(reinterpret_cast<char *>(floats), bytes)) std::exit(EXIT_FAILURE);
  return floats;
}

inline float dot(const float *left, const float *right, size_t dimension) {
  Lanes sums[ACCUMULATORS] = {};
  size_t at = 0;
  for (; at + LANES * ACCUMULATORS <= dimension; at += LANES * ACCUMULATORS) {
    for (size_t part = 0; part < ACCUMULATORS; part += 1) {
      const size_t from = at + part * LANES;
      sums[part] += load<Lanes>(left + from) * load<Lanes>(right + from);
    }
  }
  for (; at + LANES <= dimension; at += LANES) {
    sums[0] += load<Lanes>(left + at) * load<Lanes>(right + at);
  }
  const Lanes all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float total = 0;
  for (size_t lane = 0; lane < LANES; lane += 1) total += all[lane];
  for (; at < dimension; at += 1) total += left[at] * right[at];
  return total;
}

struct Hit {
  float similarity;
  uint32_t index;
};

/** Puts a hit in its place among the nearest, which stay sorted; the last one falls out. */
void insert(std::vector<Hit> &nearest, Hit hit) {
  size_t at = nearest.size() - 1;
  for (; at > 0 && nearest[at - 1].similarity < hit.similarity; at -= 1) {
    nearest[at] = nearest[at - 1];
  }
  nearest[at] = hit;
}

std::vector<Hit> search(const float *vectors, size_t count, size_t dimension, const float *query,
                        size_t k) {
  std::vector<Hit> nearest(std::min(k, count), Hit{-2, 0});
  for (size_t row = 0; row < count; row += 1) {
    const float similarity = dot(vectors + row * dimension, query, dimension);
    if (similarity > nearest.back().similarity) {
      insert(nearest, Hit{similarity, static_cast<uint32_t>(row)});
    }
  }
  return nearest;
}

/** Reads every word once, a quarter in each stream, a cache line of each stream at a time. */
uint64_t readOnce(const uint64_t *words, size_t wordCount) {
  constexpr size_t LINE = CACHE_LINE / sizeof(uint64_t);
  constexpr size_t HALF = sizeof(Words) / sizeof(uint64_t);
  const size_t quarter = wordCount / STREAMS / LINE * LINE;
  Words sums[STREAMS * 2] = {};
  for (size_t at = 0; at < quarter; at += LINE) {
    for (size_t stream = 0; stream < STREAMS; stream += 1) {
      const uint64_t *line = words + stream * quarter + at;
      sums[stream * 2] += load<Words>(line);
      sums[stream * 2 + 1] += load<Words>(line + HALF);
    }
  }
  Words all = {};
  for (const Words &sum : sums) all += sum;
  return all[0] + all[1] + all[2] + all[3];
}

void answerSearch(const float *vectors, size_t count, size_t dimension, const float *queries) {
  size_t first = 0, last = 0, k = 0;
  std::cin >> first >> last >> k;
  std::string times, lists;
  for (size_t query = first; query < last; query += 1) {
    const auto start = std::chrono::steady_clock::now();
    const auto nearest = search(vectors, count, dimension, queries + query * dimension, k);
    times += (times.empty() ? "" : ",") + std::to_string(millisecondsSince(start));
    std::string list;
    for (const Hit &hit : nearest) list += (list.empty() ? "" : ",") + std::to_string(hit.index);
    lists += (lists.empty() ? "[" : ",[") + list + "]";
  }
  std::cout << "{\"milliseconds\":[" << times << "],\"nearest\":[" << lists << "]}" << std::endl;
}

void answerRead() {
  size_t bytes = 0, times = 0;
  std::cin >> bytes >> times;
  const size_t wordCount = bytes / sizeof(uint64_t);
  uint64_t *words = allocate<uint64_t>(wordCount);
  std::fill(words, words + wordCount, 1);
  std::string list;
  // Part of the answer, so that no compiler may skip the reading.
  uint64_t sum = readOnce(words, wordCount);
  for (size_t turn = 0; turn < times; turn += 1) {
    const auto start = std::chrono::steady_clock::now();
    sum += readOnce(words, wordCount);
    list += (list.empty() ? "" : ",") + std::to_string(millisecondsSince(start));
  }
  std::free(words);
  std::cout << "{\"milliseconds\":[" << list << "],\"sum\":\"" << sum << "\"}" << std::endl;
}

}  // namespace

int main(int argumentCount, char **arguments) {
  if (argumentCount != 6) return EXIT_FAILURE;
  const size_t count = std::strtoull(arguments[2], nullptr, 10);
  const size_t dimension = std::strtoull(arguments[3], nullptr, 10);
  const size_t queryCount = std::strtoull(arguments[5], nullptr, 10);
  const float *vectors = readFloats(arguments[1], count * dimension);
  const float *queries = readFloats(arguments[4], queryCount * dimension);
  std::string command;
  while (std::cin >> command) {
    if (command == "search") answerSearch(vectors, count, dimension, queries);
    else if (command == "read") answerRead();
    else return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
