using CoGrpo.CudaEmulator;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.Tests.Emulator;

/// <summary>Recording streams into graphs and launching them, and what breaks a recording.</summary>
public unsafe class GraphTests
{
    private const string Source = """
        extern "C" __global__ void scale(float* p, float f, int n) { int i = threadIdx.x; if (i < n) p[i] *= f; }
        extern "C" __global__ void add(float* p, const float* q, int n) { int i = threadIdx.x; if (i < n) p[i] += q[i]; }
        """;

    [Fact]
    public void RecordedWorkRunsAtEveryLaunch()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory a = program.Upload([.. Enumerable.Range(0, 8).Select(i => (float)i)]);
        CudaDeviceMemory b = program.Allocate<float>(8);
        using CudaHostMemory host = new(program.Context, 32);
        program.Stream.Synchronize();
        program.Stream.BeginCapture();
        program.Stream.Copy(a.Address, b.Address, 32);
        program.Launch("scale", 1, 32, b, 2f, 8);
        program.Launch("add", 1, 32, a, b, 8);
        program.Stream.CopyToHost(a.Address, host.Address, 32);
        using CudaGraph graph = program.Stream.EndCapture();
        Assert.Equal(4, graph.NodeCount);
        Assert.Empty(program.Launches);
        using CudaGraphExec executable = graph.Instantiate();
        for (int launch = 1; launch <= 3; launch++)
        {
            executable.Launch(program.Stream);
            program.Stream.Synchronize();
            Assert.Equal(5f * MathF.Pow(3, launch), ((float*)host.Address)[5]);
        }

        Assert.Equal(6, program.Launches.Count);
    }

    [Fact]
    public void WhatCannotBeRecordedBreaksTheRecording()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory a = program.Upload(new float[8]);
        (string, Action)[] illegal =
        [
            ("waiting", program.Stream.Synchronize), ("waiting for the context", program.Context.Synchronize), ("allocating", () => new CudaDeviceMemory(program.Context, 4)),
            ("page-locked", () => program.Read<float>(a)), ("allocating page-locked", () => new CudaHostMemory(program.Context, 4)),
            ("page-locked", () =>
            {
                fixed (float* from = new float[8])
                {
                    program.Stream.CopyToDevice((nint)from, a.Address, 32);
                }
            }),
        ];
        foreach ((string said, Action call) in illegal)
        {
            program.Stream.BeginCapture();
            program.Launch("scale", 1, 32, a, 2f, 8);
            CudaException error = Assert.Throws<CudaException>(call);
            Assert.Equal(CudaResult.StreamCaptureUnsupported, error.Result);
            Assert.Contains(said, error.Message, StringComparison.Ordinal);
            Assert.Equal(CudaResult.StreamCaptureInvalidated, Assert.Throws<CudaException>(() => program.Stream.EndCapture()).Result);
        }

        // Afterwards the stream is as before.
        program.Launch("scale", 1, 32, a, 2f, 8);
        program.Stream.Synchronize();
        Assert.Throws<CudaException>(() => program.Stream.EndCapture());
    }

    [Fact]
    public void StreamsJoinThroughEvents()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory a = program.Upload([1f, 2, 3, 4]);
        CudaDeviceMemory b = program.Upload([1f, 1, 1, 1]);
        using CudaStream side = new(program.Context);
        using CudaEvent fork = new(program.Context);
        using CudaEvent join = new(program.Context);
        program.Stream.Synchronize();
        program.Stream.BeginCapture();
        fork.Record(program.Stream);
        side.Wait(fork);
        side.Fill(b.Address, 0x40000000, 4);
        join.Record(side);
        program.Launch("scale", 1, 32, a, 3f, 4);
        program.Stream.Wait(join);
        program.Launch("add", 1, 32, a, b, 4);
        using CudaGraph graph = program.Stream.EndCapture();
        Assert.Equal(3, graph.NodeCount);
        using CudaGraphExec executable = graph.Instantiate();
        executable.Launch(program.Stream);
        Assert.Equal([5f, 8, 11, 14], program.Read<float>(a));

        // What the side stream gets after the mark the first stream waits for is not joined.
        program.Stream.BeginCapture();
        fork.Record(program.Stream);
        side.Wait(fork);
        join.Record(side);
        program.Stream.Wait(join);
        side.Fill(b.Address, 0, 4);
        Assert.Equal(904, (int)Assert.Throws<CudaException>(() => program.Stream.EndCapture()).Result);

        // The failed recording is over for both streams: they work, and its events mean nothing outside it.
        Assert.Equal(907, (int)Assert.Throws<CudaException>(() => program.Stream.Wait(join)).Result);
        side.Fill(b.Address, 0x3f800000, 4);
        join.Record(side);
        program.Stream.Wait(join);
        program.Launch("add", 1, 32, a, b, 4);
        Assert.Equal([6f, 9, 12, 15], program.Read<float>(a));
    }

    [Fact]
    public void RecordingsDoNotWaitForWorkOutside()
    {
        using DeviceProgram program = new(Source);
        using CudaStream side = new(program.Context);
        using CudaEvent outside = new(program.Context);
        outside.Record(side);
        program.Stream.BeginCapture();
        Assert.Equal(905, (int)Assert.Throws<CudaException>(() => program.Stream.Wait(outside)).Result);
        Assert.Equal(901, (int)Assert.Throws<CudaException>(() => program.Stream.EndCapture()).Result);
    }

    [Fact]
    public void AFaultInAGraphIsReportedLikeAnyOther()
    {
        using DeviceProgram program = new(Source);
        CudaDeviceMemory a = program.Upload([1f, 2, 3, 4]);
        program.Stream.Synchronize();
        program.Stream.BeginCapture();
        program.Launch("scale", 1, 32, a, 3f, 5);
        using CudaGraph graph = program.Stream.EndCapture();
        using CudaGraphExec executable = graph.Instantiate();
        Violation violation = program.Fails(() => executable.Launch(program.Stream));
        Assert.Equal((ViolationKind.OutOfBounds, 4u), (violation.Kind, violation.Thread.X));
    }
}
