using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Sorting, selecting and looking up as samples do them: global bitonic steps, radix passes, merges, compaction, a hash table, a queue of graph
/// nodes.
/// </summary>
public class SampleSortTests
{
    private const string Source = """
        typedef unsigned u32; typedef unsigned long long u64;

        extern "C" __global__ void bitonic_step(u32* keys, u32* values, u32 j, u32 k)
        {
            u32 i = blockIdx.x * blockDim.x + threadIdx.x, other = i ^ j;
            if (other > i) {
                bool up = (i & k) == 0;
                if ((keys[i] > keys[other]) == up) {
                    u32 t = keys[i]; keys[i] = keys[other]; keys[other] = t;
                    t = values[i]; values[i] = values[other]; values[other] = t;
                }
            }
        }

        // Four bits a pass: digits are counted per block, the counts scanned digit by digit, and each key goes to its place. Stable.
        extern "C" __global__ void radix_count(const u32* in, u32* counts, u32 n, u32 shift)
        {
            __shared__ u32 h[16];
            u32 t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
            if (t < 16) h[t] = 0;
            __syncthreads();
            if (i < n) atomicAdd(&h[(in[i] >> shift) & 15], 1u);
            __syncthreads();
            if (t < 16) counts[t * gridDim.x + blockIdx.x] = h[t];
        }
        extern "C" __global__ void radix_scan(u32* counts, u32 n)
        {
            __shared__ u32 s[256];
            u32 t = threadIdx.x, carry = 0;
            for (u32 base = 0; base < n; base += blockDim.x) {
                u32 i = base + t, v = i < n ? counts[i] : 0;
                s[t] = v;
                __syncthreads();
                for (u32 k = 1; k < blockDim.x; k <<= 1) { u32 w = t >= k ? s[t - k] : 0; __syncthreads(); s[t] += w; __syncthreads(); }
                if (i < n) counts[i] = carry + s[t] - v;
                carry += s[blockDim.x - 1];
                __syncthreads();
            }
        }
        extern "C" __global__ void radix_scatter(const u32* in, u32* out, const u32* starts, u32 n, u32 shift)
        {
            __shared__ u32 before[8][16];
            u32 t = threadIdx.x, lane = t & 31, warp = t >> 5, i = blockIdx.x * blockDim.x + t;
            u32 key = i < n ? in[i] : 0xffffffffu, digit = i < n ? (key >> shift) & 15 : 16, rank = 0;
            for (u32 d = 0; d < 16; d++) {
                u32 has = __ballot_sync(0xffffffffu, digit == d);
                if (digit == d) rank = __popc(has & ((1u << lane) - 1));
                if (lane == d) before[warp][d] = __popc(has);
            }
            __syncthreads();
            if (digit < 16) {
                u32 at = starts[digit * gridDim.x + blockIdx.x] + rank;
                for (u32 w = 0; w < warp; w++) at += before[w][digit];
                out[at] = key;
            }
        }

        // Each output finds itself on the diagonal of the merge matrix.
        extern "C" __global__ void merge_path(const int* a, int na, const int* b, int nb, int* out)
        {
            int per = (na + nb + gridDim.x * blockDim.x - 1) / (gridDim.x * blockDim.x), d = (blockIdx.x * blockDim.x + threadIdx.x) * per;
            if (d >= na + nb) return;
            int low = max(0, d - nb), high = min(d, na);
            while (low < high) { int m = (low + high) >> 1; if (a[m] <= b[d - 1 - m]) low = m + 1; else high = m; }
            int i = low, j = d - low;
            for (int k = 0; k < per && d + k < na + nb; k++) out[d + k] = j >= nb || (i < na && a[i] <= b[j]) ? a[i++] : b[j++];
        }

        extern "C" __global__ void compact(const float* in, float* out, int* total, int n, float least)
        {
            __shared__ int sums[32], base;
            int t = threadIdx.x, lane = t & 31, warp = t >> 5, i = blockIdx.x * blockDim.x + t;
            bool keep = i < n && in[i] > least;
            unsigned mask = __ballot_sync(0xffffffffu, keep);
            if (lane == 0) sums[warp] = __popc(mask);
            __syncthreads();
            if (warp == 0) {
                int v = lane < blockDim.x / 32 ? sums[lane] : 0, sum = v;
                #pragma unroll
                for (int k = 1; k < 32; k <<= 1) { int u = __shfl_up_sync(0xffffffffu, sum, k); if (lane >= k) sum += u; }
                sums[lane] = sum - v;
                if (lane == 31) base = atomicAdd(total, sum);
            }
            __syncthreads();
            if (keep) out[base + sums[warp] + __popc(mask & ((1u << lane) - 1))] = in[i];
        }

        extern "C" __global__ void odd_even(int* data, int n)
        {
            extern __shared__ int s[];
            for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = data[i];
            for (int phase = 0; phase < n; phase++) {
                __syncthreads();
                int i = 2 * threadIdx.x + (phase & 1);
                if (i + 1 < n && s[i] > s[i + 1]) { int x = s[i]; s[i] = s[i + 1]; s[i + 1] = x; }
            }
            __syncthreads();
            for (int i = threadIdx.x; i < n; i += blockDim.x) data[i] = s[i];
        }

        // Every thread sorts its own row with an explicit stack.
        extern "C" __global__ void quicksort_rows(int* data, int n)
        {
            int* a = data + threadIdx.x * n; int stack[64], top = 0;
            stack[top++] = 0; stack[top++] = n - 1;
            while (top > 0) {
                int high = stack[--top], low = stack[--top];
                if (low >= high) continue;
                int pivot = a[(low + high) / 2], i = low, j = high;
                while (i <= j) { while (a[i] < pivot) i++; while (a[j] > pivot) j--; if (i <= j) { int x = a[i]; a[i] = a[j]; a[j] = x; i++; j--; } }
                stack[top++] = low; stack[top++] = j; stack[top++] = i; stack[top++] = high;
            }
        }

        #define EMPTY 0xffffffffffffffffull
        extern "C" __global__ void hash_insert(const u32* keys, u64* table, u32 capacity, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= n) return;
            u64 mine = (u64)keys[i] << 32 | 1;
            u32 slot = keys[i] * 2654435761u % capacity;
            while (true) {
                u64 old = atomicCAS(&table[slot], EMPTY, mine);
                if (old == EMPTY) return;
                if ((u32)(old >> 32) == keys[i]) { atomicAdd(&table[slot], 1ull); return; }
                slot = (slot + 1) % capacity;
            }
        }

        extern "C" __global__ void bfs_level(const int* starts, const int* edges, int* distance, const int* queue, int count, int* next, int* next_count, int level)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= count) return;
            int node = queue[i];
            for (int e = starts[node]; e < starts[node + 1]; e++)
                if (atomicCAS(&distance[edges[e]], -1, level) == -1) next[atomicAdd(next_count, 1)] = edges[e];
        }
        """;

    private static uint[] Keys(int n, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, n).Select(_ => (uint)random.NextInt64(1L << 32))];
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void BitonicStepsAndRadixPasses(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        uint[] keys = Keys(1024, 1);
        CudaDeviceMemory sorted = program.Upload(keys);
        CudaDeviceMemory values = program.Upload([.. keys.Select(k => ~k)]);
        for (uint k = 2; k <= 1024; k *= 2)
        {
            for (uint j = k / 2; j > 0; j /= 2)
            {
                program.Launch("bitonic_step", 8, 128, sorted, values, j, k);
            }
        }

        Assert.Equal(keys.Order(), program.Read<uint>(sorted));
        Assert.Equal(keys.Order().Select(k => ~k), program.Read<uint>(values));

        keys = Keys(3001, 2);
        CudaDeviceMemory a = program.Upload(keys);
        CudaDeviceMemory b = program.Allocate<uint>(keys.Length);
        const int Blocks = 12;
        CudaDeviceMemory counts = program.Allocate<uint>(16 * Blocks);
        for (uint shift = 0; shift < 32; shift += 4)
        {
            program.Launch("radix_count", Blocks, 256, a, counts, keys.Length, shift);
            program.Launch("radix_scan", 1, 256, counts, 16 * Blocks);
            program.Launch("radix_scatter", Blocks, 256, a, b, counts, keys.Length, shift);
            (a, b) = (b, a);
        }

        Assert.Equal(keys.Order(), program.Read<uint>(a));
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void MergesAndSmallSorts(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        int[] a = [.. Keys(700, 3).Select(k => (int)(k % 500)).Order()];
        int[] b = [.. Keys(451, 4).Select(k => (int)(k % 700)).Order()];
        CudaDeviceMemory merged = program.Allocate<int>(a.Length + b.Length);
        program.Launch("merge_path", 3, 64, program.Upload(a), a.Length, program.Upload(b), b.Length, merged);
        Assert.Equal(a.Concat(b).Order(), program.Read<int>(merged));

        int[] few = [.. Keys(119, 5).Select(k => (int)k)];
        CudaDeviceMemory data = program.Upload(few);
        program.Launch("odd_even", new Dim3(1), new Dim3(64), 4 * few.Length, data, few.Length);
        Assert.Equal(few.Order(), program.Read<int>(data));

        int[] rows = [.. Keys(32 * 40, 6).Select(k => (int)(k % 100))];
        data = program.Upload(rows);
        program.Launch("quicksort_rows", 1, 32, data, 40);
        Assert.Equal(rows.Chunk(40).SelectMany(r => r.Order()), program.Read<int>(data));
    }

    [Theory]
    [MemberData(nameof(SampleTargets.Some), MemberType = typeof(SampleTargets))]
    public void CompactionTablesAndQueues(string architecture, bool old)
    {
        using DeviceProgram program = new(Source, architecture, old);
        float[] numbers = [.. Keys(1500, 7).Select(k => (k % 1000 / 500f) - 1)];
        CudaDeviceMemory kept = program.Allocate<float>(numbers.Length);
        CudaDeviceMemory total = program.Upload(0);
        program.Launch("compact", 6, 256, program.Upload(numbers), kept, total, numbers.Length, 0.25f);
        float[] wanted = [.. numbers.Where(x => x > 0.25f)];
        Assert.Equal(wanted.Length, program.Read<int>(total)[0]);
        Assert.Equal(wanted.Order(), program.Read<float>(kept, wanted.Length).Order());

        uint[] keys = [.. Keys(2000, 8).Select(k => k % 300)];
        CudaDeviceMemory table = program.Upload([.. Enumerable.Repeat(ulong.MaxValue, 509)]);
        program.Launch("hash_insert", 8, 256, program.Upload(keys), table, 509u, keys.Length);
        Assert.Equal(
            keys.GroupBy(k => k).Select(g => (g.Key, (uint)g.Count())).Order(),
            program.Read<ulong>(table).Where(e => e != ulong.MaxValue).Select(e => ((uint)(e >> 32), (uint)e)).Order()
        );

        // A graph in which every node leads to three others.
        const int Nodes = 900;
        int[] edges = [.. Enumerable.Range(0, Nodes).SelectMany(i => new[] { (i * 7 + 1) % Nodes, (i + 30) % Nodes, i / 2 })];
        int[] distance = [.. Enumerable.Repeat(-1, Nodes)];
        distance[5] = 0;
        CudaDeviceMemory starts = program.Upload([.. Enumerable.Range(0, Nodes + 1).Select(i => 3 * i)]);
        CudaDeviceMemory to = program.Upload(edges);
        CudaDeviceMemory found = program.Upload(distance);
        CudaDeviceMemory queue = program.Upload([5, .. new int[Nodes]]);
        CudaDeviceMemory next = program.Allocate<int>(Nodes);
        List<int> frontier = [5];
        for (int level = 1; frontier.Count > 0; level++)
        {
            CudaDeviceMemory count = program.Upload(0);
            program.Launch("bfs_level", (frontier.Count + 63) / 64, 64, starts, to, found, queue, frontier.Count, next, count, level);
            int n = program.Read<int>(count)[0];
            frontier = [.. frontier.SelectMany(i => edges[(3 * i)..((3 * i) + 3)]).Distinct().Where(i => distance[i] < 0)];
            frontier.ForEach(i => distance[i] = level);
            Assert.Equal(frontier.Count, n);
            (queue, next) = (next, queue);
        }

        Assert.Equal(distance, program.Read<int>(found));
    }
}
