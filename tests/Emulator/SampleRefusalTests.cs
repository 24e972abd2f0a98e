using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>What the emulated device does not have is named: where it is executed, or where the module is loaded, never passed over.</summary>
public class SampleRefusalTests
{
    [Theory]
    [InlineData("tex.2d.v4.f32.f32 {%0, x, x, x}, [%1, {x, x}];", "tex.2d")]
    [InlineData("suld.b.1d.b32.trap {%0}, [%1, {7}];", "suld")]
    [InlineData("wgmma.fence.sync.aligned;", "wgmma.fence")]
    [InlineData("cp.async.bulk.commit_group;", "cp.async.bulk")]
    [InlineData("barrier.cluster.arrive.aligned;", "barrier.cluster")]
    [InlineData("mapa.u64 %1, %1, 0;", "mapa")]
    [InlineData("setmaxnreg.inc.sync.aligned.u32 104;", "setmaxnreg")]
    [InlineData("alloca.u64 %1, 16;", "alloca")]
    [InlineData("vavrg4.u32.u32.u32 %0, %0, %0, %0;", "vavrg4")]
    [InlineData("frobnicate.s32 %0, %0;", "frobnicate")]
    [InlineData("add.rn.f32x2 %1, %1, %1;", "add")]
    [InlineData("mov.u32 %r7, 1;", "%r7")]
    [InlineData("mad.hi.sat.s32 %0, %0, %0, %0;", "sums only")]
    [InlineData("cvt.rn.satfinite.tf32.f32 %0, x;", ".satfinite")]
    [InlineData("max.f32 x, x, x, x;", "three operands")]
    [InlineData("st.bulk.weak.shared::cta [%0], 8, 0;", "st.bulk")]
    [InlineData("red.global.add.v2.f32 [%1], {x, x};", "red.global")]
    public void UnknownInstructions(string instruction, string named)
    {
        string ptx = $$"""
            .version 8.0
            .target sm_90a
            .address_size 64
            .visible .entry refused(.param .u64 p)
            {
                .reg .b32 %r<2>; .reg .b64 %rd<2>; .reg .f32 x; .reg .pred %p1;
                ld.param.u64 %rd1, [p];
                mov.u32 %r1, %tid.x;
                setp.ne.u32 %p1, %r1, 9;
                @%p1 bra after;
                {{instruction.Replace("%0", "%r1", StringComparison.Ordinal).Replace("%1", "%rd1", StringComparison.Ordinal)}}
            after:
                ret;
            }
            """;
        using DeviceProgram program = DeviceProgram.FromPtx(ptx, "sm_90");
        CudaDeviceMemory memory = program.Upload(0);

        // Threads that do not come to it do not mind.
        program.Launch("refused", 1, 9, memory);
        program.Stream.Synchronize();
        Violation violation = program.Fails(() => program.Launch("refused", 1, 32, memory));
        Assert.Equal((ViolationKind.NotSupported, 9u), (violation.Kind, violation.Thread.X));
        Assert.Contains(named, violation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void KernelsThatLaunchKernels()
    {
        // What the compiler makes of k<<<1, 32>>>(p) in device code.
        CudaException error = Assert.Throws<CudaException>(() =>
        {
            using DeviceProgram program = DeviceProgram.FromPtx("""
                .version 7.8
                .target sm_80
                .address_size 64
                .extern .func (.param .b64 r) cudaGetParameterBufferV2 (.param .b64 f, .param .align 4 .b8 grid[12], .param .align 4 .b8 block[12], .param .b32 shared);
                .visible .entry parent()
                {
                    .reg .b64 %rd<2>;
                    mov.u64 %rd1, 0;
                    { .param .b64 f; .param .align 4 .b8 g[12]; .param .align 4 .b8 b[12]; .param .b32 s; .param .b64 r;
                      st.param.b64 [f], %rd1; st.param.b32 [s], 0;
                      call.uni (r), cudaGetParameterBufferV2, (f, g, b, s);
                      ld.param.b64 %rd1, [r]; }
                    ret;
                }
                """);
            program.Launch("parent", 1, 32);
            program.Stream.Synchronize();
        });
        Assert.Contains("cudaGetParameterBufferV2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{ bra nowhere; ret; }", "nowhere")]
    [InlineData(".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k()\n{ mov.u32", "")]
    [InlineData("this is no module", "")]
    [InlineData("", "")]
    public void TextThatIsNoModule(string ptx, string named)
    {
        CudaException error = Assert.Throws<CudaException>(() =>
        {
            using DeviceProgram program = DeviceProgram.FromPtx(ptx);
            program.Launch("k", 1, 32);
            program.Stream.Synchronize();
        });
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.True(error.Result is CudaResult.InvalidPtx or CudaResult.InvalidImage, error.Message);
    }

    [Fact]
    public void CodeForLaterDevicesIsNotLoaded()
    {
        CudaException error = Assert.Throws<CudaException>(() =>
            DeviceProgram.FromPtx(".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry k() { ret; }", "sm_80").Dispose()
        );
        Assert.Contains("sm_90", error.Message, StringComparison.Ordinal);
    }
}
