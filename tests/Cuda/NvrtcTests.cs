using System.Text;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Cuda;

/// <summary>The run-time compiler: its messages and what it hands back.</summary>
public sealed class NvrtcTests
{
    private static readonly CudaArchitecture Architecture = new(8, 0);

    [Fact]
    public void MissingLibraryNamesEverythingTriedAndEveryWayOut()
    {
        string message = Assert
            .Throws<CudaException>(() => Nvrtc.Load(NativeLibrarySearch.For("NVRTC", ["libnvrtc-nine.so"], [], "/nowhere")))
            .Message;
        Assert.Equal(
            "NVRTC: wanted NVIDIA's run-time compiler on this machine, tried /nowhere, libnvrtc-nine.so and found none; install it (Debian: libnvrtc12 of the non-free component), "
                + "set COGRPO_NVRTC to its folder, or build the kernels elsewhere with «cogrpo-native kernels build»",
            message
        );
    }

    [Fact]
    public void LibraryThatIsNoCompilerIsSaidToBeNone()
    {
        string message = Assert
            .Throws<CudaException>(() => Nvrtc.Load(NativeLibrarySearch.For("NVRTC", ["libc.so.6", "kernel32.dll", "libSystem.dylib"], [])))
            .Message;
        Assert.Contains("nvrtc", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void ErrorInASourceNamesFileLineAndCause()
    {
        foreach (Nvrtc nvrtc in TestCompilers.All)
        {
            string message = Assert
                .Throws<CudaException>(() =>
                    nvrtc.Compile("bad.cu", "__global__ void k() { x = 1; }", new Dictionary<string, string>(), Architecture)
                )
                .Message;
            Assert.Contains("compiling bad.cu for sm_80 failed", message, StringComparison.Ordinal);
            Assert.Contains("bad.cu(1): error: identifier \"x\" is undefined", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void InlinePtxIsCheckedByTheAssembler()
    {
        string message = Assert
            .Throws<CudaException>(() =>
                TestCompilers
                    .All[0]
                    .Compile("bad.cu", "__global__ void k() { asm(\"no.such.op;\"); }", new Dictionary<string, string>(), Architecture)
            )
            .Message;
        Assert.Contains("bad.cu", message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownArchitectureNamesTheKnownOnes()
    {
        string message = Assert
            .Throws<CudaException>(() => TestCompilers.All[0].Compile("k.cu", "", new Dictionary<string, string>(), new CudaArchitecture(1, 3)))
            .Message;
        Assert.Contains("got sm_13", message, StringComparison.Ordinal);
        Assert.Contains("sm_80", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OutputHasLinesResourcesAndWarnings()
    {
        const string Source = """
            #include "one.h"
            extern "C" __global__ void __launch_bounds__(64) kernel(float* x) { __shared__ float s[64]; int unused; s[threadIdx.x] = x[threadIdx.x]; __syncthreads(); x[threadIdx.x] = ONE + s[63 - threadIdx.x]; }
            """;
        foreach (Nvrtc nvrtc in TestCompilers.All)
        {
            NvrtcOutput output = nvrtc.Compile("kernel.cu", Source, new Dictionary<string, string> { ["one.h"] = "#define ONE 1.0f" }, Architecture);
            Assert.Contains(".loc", Encoding.UTF8.GetString(output.Ptx), StringComparison.Ordinal);
            Assert.NotEmpty(output.Cubin);
            KernelResources kernel = Assert.Single(output.Resources());
            Assert.Equal(("kernel", 256, 0), (kernel.Kernel, kernel.SharedBytes, kernel.SpillStoreBytes));
            Assert.InRange(kernel.Registers, 2, 64);
            Assert.Contains(
                "unused",
                Assert.Single(output.Warnings(), line => line.Contains("): warning", StringComparison.Ordinal)),
                StringComparison.Ordinal
            );
        }
    }
}
