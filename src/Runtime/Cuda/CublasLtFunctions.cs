namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// The functions of cuBLASLt that this library calls, by their exported names. Filled from NVIDIA's library, or by a device that stands in for
/// one in tests. All are plain C calls; handles are <see cref="nint"/>.
/// </summary>
public readonly unsafe struct CublasLtFunctions
{
#pragma warning disable CA1051, IDE1006 // The exported names.
    internal readonly delegate* unmanaged<nint*, CublasStatus> cublasLtCreate;
    internal readonly delegate* unmanaged<nint, CublasStatus> cublasLtDestroy;
    internal readonly delegate* unmanaged<nuint> cublasLtGetVersion;
    internal readonly delegate* unmanaged<nint*, int, int, CublasStatus> cublasLtMatmulDescCreate;
    internal readonly delegate* unmanaged<nint, CublasStatus> cublasLtMatmulDescDestroy;
    internal readonly delegate* unmanaged<nint, int, void*, nuint, CublasStatus> cublasLtMatmulDescSetAttribute;
    internal readonly delegate* unmanaged<nint*, int, ulong, ulong, long, CublasStatus> cublasLtMatrixLayoutCreate;
    internal readonly delegate* unmanaged<nint, CublasStatus> cublasLtMatrixLayoutDestroy;
    internal readonly delegate* unmanaged<nint*, CublasStatus> cublasLtMatmulPreferenceCreate;
    internal readonly delegate* unmanaged<nint, CublasStatus> cublasLtMatmulPreferenceDestroy;
    internal readonly delegate* unmanaged<nint, int, void*, nuint, CublasStatus> cublasLtMatmulPreferenceSetAttribute;
    internal readonly delegate* unmanaged<
        nint,
        nint,
        nint,
        nint,
        nint,
        nint,
        nint,
        int,
        CublasLtHeuristic*,
        int*,
        CublasStatus> cublasLtMatmulAlgoGetHeuristic;
    internal readonly delegate* unmanaged<
        nint,
        nint,
        void*,
        nint,
        nint,
        nint,
        nint,
        void*,
        nint,
        nint,
        nint,
        nint,
        void*,
        nint,
        nuint,
        nint,
        CublasStatus> cublasLtMatmul;
#pragma warning restore CA1051, IDE1006

    /// <summary>The table whose entries are what <paramref name="address"/> answers for each exported name.</summary>
    public CublasLtFunctions(Func<string, nint> address)
    {
        ArgumentNullException.ThrowIfNull(address);
        cublasLtCreate = (delegate* unmanaged<nint*, CublasStatus>)address(nameof(cublasLtCreate));
        cublasLtDestroy = (delegate* unmanaged<nint, CublasStatus>)address(nameof(cublasLtDestroy));
        cublasLtGetVersion = (delegate* unmanaged<nuint>)address(nameof(cublasLtGetVersion));
        cublasLtMatmulDescCreate = (delegate* unmanaged<nint*, int, int, CublasStatus>)address(nameof(cublasLtMatmulDescCreate));
        cublasLtMatmulDescDestroy = (delegate* unmanaged<nint, CublasStatus>)address(nameof(cublasLtMatmulDescDestroy));
        cublasLtMatmulDescSetAttribute = (delegate* unmanaged<nint, int, void*, nuint, CublasStatus>)address(nameof(cublasLtMatmulDescSetAttribute));
        cublasLtMatrixLayoutCreate = (delegate* unmanaged<nint*, int, ulong, ulong, long, CublasStatus>)address(nameof(cublasLtMatrixLayoutCreate));
        cublasLtMatrixLayoutDestroy = (delegate* unmanaged<nint, CublasStatus>)address(nameof(cublasLtMatrixLayoutDestroy));
        cublasLtMatmulPreferenceCreate = (delegate* unmanaged<nint*, CublasStatus>)address(nameof(cublasLtMatmulPreferenceCreate));
        cublasLtMatmulPreferenceDestroy = (delegate* unmanaged<nint, CublasStatus>)address(nameof(cublasLtMatmulPreferenceDestroy));
        cublasLtMatmulPreferenceSetAttribute = (delegate* unmanaged<nint, int, void*, nuint, CublasStatus>)address(
            nameof(cublasLtMatmulPreferenceSetAttribute)
        );
        cublasLtMatmulAlgoGetHeuristic = (delegate* unmanaged<
            nint,
            nint,
            nint,
            nint,
            nint,
            nint,
            nint,
            int,
            CublasLtHeuristic*,
            int*,
            CublasStatus>)address(nameof(cublasLtMatmulAlgoGetHeuristic));
        cublasLtMatmul = (delegate* unmanaged<
            nint,
            nint,
            void*,
            nint,
            nint,
            nint,
            nint,
            void*,
            nint,
            nint,
            nint,
            nint,
            void*,
            nint,
            nuint,
            nint,
            CublasStatus>)address(nameof(cublasLtMatmul));
    }
}
