using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>
/// Many small blocks on several workers that touch the same pages with accesses of every width: results, and that nothing is blamed.
/// </summary>
public class ConcurrencyTests
{
    private const string Source = """
        extern "C" __global__ void widths(const float4* in, float* words, unsigned short* halves, unsigned char* bytes, double* wide, int n)
        {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i >= n) return;
            float4 v = in[i];
            words[i] = v.x + v.y + v.z + v.w;
            halves[i] = (unsigned short)v.x;
            bytes[i] = (unsigned char)v.y;
            wide[i] = v.z;
        }
        """;

    [Fact]
    public void NeighbouringBlocksOnOnePage()
    {
        const int Count = 9001;
        for (int repetition = 0; repetition < 20; repetition++)
        {
            using DeviceProgram program = new(Source, options: new EmulatorOptions { Workers = 4 });
            float[] values = [.. Enumerable.Range(0, 4 * Count).Select(i => (float)(i % 200))];
            CudaDeviceMemory words = program.Allocate<float>(Count);
            CudaDeviceMemory halves = program.Allocate<ushort>(Count);
            CudaDeviceMemory bytes = program.Allocate<byte>(Count);
            CudaDeviceMemory wide = program.Allocate<double>(Count);
            program.Launch("widths", (Count + 31) / 32, 32, program.Upload(values), words, halves, bytes, wide, Count);
            float[] sums = program.Read<float>(words);
            ushort[] shorts = program.Read<ushort>(halves);
            for (int i = 0; i < Count; i++)
            {
                Assert.Equal(values[4 * i] + values[(4 * i) + 1] + values[(4 * i) + 2] + values[(4 * i) + 3], sums[i]);
                Assert.Equal((ushort)values[4 * i], shorts[i]);
            }
        }
    }
}
