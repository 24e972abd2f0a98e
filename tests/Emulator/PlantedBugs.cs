namespace CoGrpo.Tests.Emulator;

/// <summary>
/// The kernels of <see cref="PlantedBugTests"/>: all take (const float* data, float* out, int n). «//!» marks the line that the report must name.
/// </summary>
internal static class PlantedBugs
{
    /// <summary>Elements of both arrays.</summary>
    public const int Elements = 100;

    private const string Header = """
        #ifndef BUG
        #define BUG 0
        #endif
        typedef unsigned u32; typedef unsigned short u16;

        """;

    public static Dictionary<string, string> Sources { get; } = new(StringComparer.Ordinal)
    {
        ["missing_barrier"] = Kernel("missing_barrier", """
            __shared__ float s[64];
            s[t] = data[t];
            if (!BUG) __syncthreads();
            out[t] = s[63 - t]; //!
            """),
        ["missing_syncwarp"] = Kernel("missing_syncwarp", """
            __shared__ float s[32];
            s[t] = data[t];
            if (!BUG) __syncwarp();
            out[t] = s[t ^ 1]; //!
            """),
        ["off_by_one"] = Kernel("off_by_one", """
            int i = blockIdx.x * blockDim.x + t;
            if (BUG ? i <= n : i < n)
                out[i] = 1; //!
            """),
        ["below_the_start"] = Kernel("below_the_start", """
            float left = 0;
            if (BUG || t > 0)
                left = data[t - 1]; //!
            out[t] = left;
            """),
        ["shared_overrun"] = Kernel("shared_overrun", """
            __shared__ float s[64];
            s[t + BUG] = data[t]; //!
            __syncthreads();
            out[t] = s[(t ^ 1) + BUG];
            """),
        ["local_overrun"] = Kernel("local_overrun", """
            volatile float a[8];
            for (int i = 0; i < 8 + BUG; i++)
                a[(i * (n - 99)) % (8 + BUG)] = data[i]; //!
            float sum = 0;
            for (int i = 0; i < 8; i++)
                sum += a[(i * t) % 4];
            out[t] = sum;
            """),
        ["unwritten_global"] = Kernel("unwritten_global", """
            if (!BUG) out[t] = 0;
            out[t] += data[t]; //!
            """),
        ["unwritten_shared"] = Kernel("unwritten_shared", """
            __shared__ float s[64];
            if (!BUG || t < 60) s[t] = data[t];
            __syncthreads();
            out[t] = s[63 - t]; //!
            """),
        ["unwritten_local"] = Kernel("unwritten_local", """
            volatile float a[8];
            for (int i = BUG; i < 8; i++) a[i] = data[i];
            float sum = 0;
            for (int i = 0; i < 8; i++)
                sum += a[(i * n) & 7]; //!
            out[t] = sum;
            """),
        ["race_between_blocks"] = Kernel("race_between_blocks", """
            int i = blockIdx.x * (BUG ? 8 : 10) + t;
            if (t < 10)
                out[i] = i + 100 * blockIdx.x; //!
            """),
        ["race_in_global"] = Kernel("race_in_global", """
            if (t < n) out[t] = data[t];
            if (!BUG) __syncthreads();
            float v = 0;
            if (t < n)
                v = out[n - 1 - t]; //!
            __syncthreads();
            if (t < n) out[t] = v;
            """),
        ["lost_update"] = Kernel("lost_update", """
            if (t == 0) out[0] = 0;
            __syncthreads();
            if (BUG)
                out[0] += 1; //!
            else
                atomicAdd(out, 1.0f);
            """),
        ["neighbouring_bytes"] = Kernel("neighbouring_bytes", """
            __shared__ unsigned char s[64];
            s[BUG ? (t == 40 ? 7 : t) : t] = (unsigned char)t; //!
            __syncthreads();
            out[t] = s[BUG ? 0 : t];
            """),
        ["unfenced_flag"] = Kernel("unfenced_flag", """
            __shared__ int dummy;
            volatile float* flag = out + 90;
            if (blockIdx.x == 0 && t == 0) {
                out[5] = 42;
                if (!BUG) __threadfence(); else dummy = 1;
                atomicExch(&out[90], 1.0f);
            }
            if (blockIdx.x == 1 && t == 0) {
                while (atomicAdd(&out[90], 0.0f) != 1.0f) { }
                if (!BUG) __threadfence();
                out[6] = out[5]; //!
            }
            """, "out[90] = 0;"),
        ["no_fence_before_ticket"] = "__device__ unsigned ticket = 0;\n" + Kernel("no_fence_before_ticket", """
            __shared__ bool last;
            if (t == 0) {
                out[blockIdx.x] = data[blockIdx.x];
                if (!BUG) __threadfence();
                last = atomicAdd(&ticket, 1) == gridDim.x - 1;
            }
            __syncthreads();
            if (last && t < gridDim.x)
                out[20 + t] = out[t]; //!
            """),
        ["misaligned"] = Kernel("misaligned", """
            float4 v = *(const float4*)(data + 4 * (t % 8) + BUG); //!
            out[t] = v.x + v.w;
            """),
        ["divergent_barrier"] = Kernel("divergent_barrier", """
            out[t] = data[t];
            if (BUG && t < 32)
                __syncthreads(); //!
            __syncthreads(); //!
            """),
        ["half_warp_barrier"] = Kernel("half_warp_barrier", """
            out[t] = data[t];
            if (BUG ? t % 2 == 0 : true)
                __syncthreads(); //!
            else
                out[t] += data[__shfl_sync(0xaaaaaaaau, t, 1)];
            __syncthreads(); //!
            """),
        ["shuffle_without_lane"] = Kernel("shuffle_without_lane", """
            float v = data[t];
            if (BUG && t == 7) return;
            out[t] = __shfl_sync(BUG ? 0xffffff00u : 0xffffffffu, v, (t + 1) % 32); //!
            """),
        ["shuffle_of_stranger"] = Kernel("shuffle_of_stranger", """
            float v = data[t];
            if (t < 16)
                v = __shfl_sync(0xffffu, v, BUG ? 20 : 3); //!
            out[t] = v;
            """),
        ["endless"] = Kernel("endless", """
            int i = t;
            while (i != n) {
                i = (i * 5 + 1) & (BUG ? 63 : 127); //!
            }
            out[t] = i;
            """),
        ["copy_without_wait"] = Kernel("copy_without_wait", """
            __shared__ float s[32];
            u32 to = (u32)__cvta_generic_to_shared(s + t);
            asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(to), "l"(data + t) : "memory");
            if (!BUG) asm volatile("cp.async.wait_all;" ::: "memory");
            out[t] = s[t]; //!
            """),
        ["copy_without_barrier"] = Kernel("copy_without_barrier", """
            __shared__ float s[64];
            u32 to = (u32)__cvta_generic_to_shared(s + t);
            asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(to), "l"(data + t) : "memory");
            asm volatile("cp.async.wait_all;" ::: "memory");
            if (!BUG) __syncthreads();
            out[t] = s[63 - t]; //!
            """),
        ["overwritten_while_copying"] = Kernel("overwritten_while_copying", """
            __shared__ float s[32];
            u32 to = (u32)__cvta_generic_to_shared(s + t);
            asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" :: "r"(to), "l"(data + t) : "memory");
            if (!BUG) asm volatile("cp.async.wait_all;" ::: "memory");
            s[t] = 3; //!
            if (BUG) asm volatile("cp.async.wait_all;" ::: "memory");
            out[t] = s[t];
            """),
        ["stale_read_only"] = Kernel("stale_read_only", """
            out[t] = data[t];
            __syncthreads();
            float v;
            const float* p = BUG ? out + t : data + t;
            asm volatile("ld.global.nc.f32 %0, [%1];" : "=f"(v) : "l"(p)); //!
            out[t] = v + 1;
            """),
        ["trap_when_wrong"] = Kernel("trap_when_wrong", """
            if (BUG ? t == 9 : n < 0)
                __trap(); //!
            out[t] = 1;
            """),
        ["ldmatrix_odd_row"] = Kernel("ldmatrix_odd_row", """
            __shared__ __align__(16) u16 s[8 * 8 + 8];
            for (int i = t; i < 72; i += 32) s[i] = (u16)i;
            __syncthreads();
            u32 r, at = (u32)__cvta_generic_to_shared(s + 8 * (t & 7) + (BUG && (t & 7) == 3 ? 4 : 0));
            asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(r) : "r"(at) : "memory"); //!
            out[t] = r;
            """),
        ["mma_in_half_a_warp"] = Kernel("mma_in_half_a_warp", """
            float c[4] = {};
            if (BUG && t >= 16) { out[t] = 0; return; }
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%4}, {%4}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(t)); //!
            out[t] = c[0];
            """),
        ["double_buffer_too_early"] = Kernel("double_buffer_too_early", """
            __shared__ float s[2][64];
            s[0][t] = data[t];
            __syncthreads();
            float sum = 0;
            for (int i = 0; i < 4; i++) {
                s[BUG ? 0 : (i + 1) & 1][t] = data[(t + i) % n]; //!
                sum += s[i & 1][63 - t]; //!
                __syncthreads();
            }
            out[t] = sum;
            """),
    };

    private static string Kernel(string name, string body, string setup = "")
    {
        string indented = string.Join('\n', body.Split('\n').Select(line => "    " + line));
        string first = setup.Length == 0 ? "" : $"    // {setup}\n";
        return $"{Header}extern \"C\" __global__ void {name}(const float* data, float* out, int n)\n{{\n    int t = threadIdx.x;\n{first}{indented}\n}}\n";
    }
}
