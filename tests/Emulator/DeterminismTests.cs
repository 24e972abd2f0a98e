using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>The same bits and the same counts whatever the number of workers, and reports of whole launches.</summary>
public class DeterminismTests
{
    private const string Source = """
        extern "C" __global__ void mix(const float* in, float* out, int n)
        {
            __shared__ float s[128];
            int t = threadIdx.x, i = blockIdx.x * 128 + t;
            float v = i < n ? in[i] : 0;
            for (int k = 0; k < 20; k++) {
                s[t] = v;
                __syncthreads();
                v = fmaf(s[(t * 17 + k) % 128], 0.37f, sinf(v) * expf(-v * v));
                __syncthreads();
                if (v > 0.3f) v -= 0.1f * k; else v += rsqrtf(1.0f + v * v);
            }
            if (i < n) out[i] = v;
        }

        extern "C" __global__ void rows(const float4* in, float4* out, const float* unaligned, float* strided, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= n) return;
            float4 v = in[i];
            out[i] = v;
            strided[8 * i] = unaligned[i + 1] + v.x;
        }
        """;

    [Fact]
    public void BitsAndCountsDoNotDependOnWorkers()
    {
        const int Count = 10_000;
        float[] values = [.. Enumerable.Range(0, Count).Select(i => MathF.Sin(i) * 2)];
        float[]? expected = null;
        LaunchCounters? counters = null;
        foreach (int workers in (int[])[1, 2, 3, 5])
        {
            using DeviceProgram program = new(Source, options: new EmulatorOptions { Workers = workers });
            CudaDeviceMemory output = program.Allocate<float>(Count);
            program.Launch("mix", (Count + 127) / 128, 128, program.Upload(values), output, Count);
            float[] got = program.Read<float>(output);
            Assert.Equal(expected ??= got, got);
            Assert.Equal(counters ??= program.Launches[0].Counters, program.Launches[0].Counters);
        }

        Assert.All(expected!, value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void SectorsAndBytes()
    {
        using DeviceProgram program = new(
            Source,
            options: new EmulatorOptions { CountUniqueSectors = true, CountLines = kernel => kernel == "rows" }
        );
        const int Count = 1000;
        CudaDeviceMemory input = program.Upload(new float[4 * Count]);
        CudaDeviceMemory output = program.Allocate<float>(4 * Count);
        CudaDeviceMemory unaligned = program.Upload(new float[Count + 1]);
        CudaDeviceMemory strided = program.Allocate<float>(8 * Count);
        program.Launch("rows", 8, 128, input, output, unaligned, strided, Count);
        LaunchReport report = program.Launches[0];

        // 16 bytes per thread in and out; one float in from an odd place, one out to a sector of its own.
        Assert.Equal(20 * Count, report.Counters.GlobalBytesRead);
        Assert.Equal(20 * Count, report.Counters.GlobalBytesWritten);
        int accesses = (Count + 31) / 32;
        Assert.Equal((Count / 2) + (5 * (accesses - 1)) + 2, report.Counters.GlobalSectorsRead);
        Assert.Equal((Count / 2) + (4 * (accesses - 1)) + 1, report.Counters.IdealSectorsRead);
        Assert.Equal((Count / 2) + Count, report.Counters.GlobalSectorsWritten);
        Assert.Equal((Count / 2) + ((Count + 8) / 8), report.UniqueSectorsRead);
        Assert.Equal((Count / 2) + Count, report.UniqueSectorsWritten);
        Assert.Equal(Count / 2, report.Lines["test.cu:21"].GlobalSectorsWritten);
        Assert.Equal(accesses, report.Lines["test.cu:21"].WarpInstructions);
        Assert.Equal(0, report.Lines["test.cu:21"].GlobalSectorsRead);
        Assert.True(report.Counters.WarpInstructions == report.Mix.Values.Sum());
        Assert.Equal(4 * accesses, report.Mix[InstructionClass.Global]);
        Assert.Contains("kernel                 rows, grid (8,1,1), block (128,1,1)", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void RecordingsBeginAndEnd()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory output = program.Allocate<float>(128);
        CudaDeviceMemory input = program.Upload(new float[128]);
        program.Launch("mix", 1, 128, input, output, 128);
        using (LaunchRecording recording = program.Emulated.Record())
        {
            Assert.Empty(recording.Launches);
            program.Launch("mix", 1, 128, input, output, 100);
            Assert.Single(recording.Launches);
        }

        program.Launch("mix", 1, 128, input, output, 100);
        Assert.Equal(3, program.Launches.Count);
    }
}
