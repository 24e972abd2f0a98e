using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Cuda;

/// <summary>An algorithm that cuBLASLt proposes for a product (cublasLt.h, cublasLtMatmulHeuristicResult_t).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CublasLtHeuristic
{
    /// <summary>The algorithm, opaque.</summary>
    public Algorithm Choice;

    /// <summary>Workspace it needs.</summary>
    public nuint WorkspaceBytes;

    /// <summary>Whether it can run.</summary>
    public CublasStatus State;

    /// <summary>Waves of blocks on the device.</summary>
    public float Waves;

    private readonly Reserved _reserved;

    /// <summary>cublasLtMatmulAlgo_t: 64 bytes that only the library reads.</summary>
    [InlineArray(8)]
    internal struct Algorithm
    {
        private ulong _first;
    }

    [InlineArray(4)]
    private struct Reserved
    {
        private int _first;
    }
}
