using System.Runtime.InteropServices;
using CoGrpo.CudaEmulator.Driver;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Cublas;

/// <summary>
/// cuBLASLt on an emulated device: the same table as NVIDIA's library fills, every product computed on emulated memory in stream order, with the
/// emulator's bounds and initialisation checks and fp32 sums. Stricter than the library: it has algorithms only for operands whose rows and
/// addresses are multiples of 16 bytes, refuses attributes it does not know, and everything that was made must be freed.
/// </summary>
public static unsafe class EmulatedCublasLt
{
    /// <summary>What <see cref="CublasLt.Source"/> says of it.</summary>
    public const string Source = "emulated cuBLASLt";

    internal const int Float32 = 0;
    internal const int BFloat16 = 14;

    private const nuint VersionNumber = 120405;
    private const int Compute32F = 68;
    private const int EpilogueDefault = 1;
    private const int EpilogueBias = 4;
    private const ulong AlgorithmMark = 0xC0B1A5;

    private static int _live;

    /// <summary>The filled table.</summary>
    public static CublasLtFunctions Functions { get; } = new(Address);

    /// <summary>Handles, descriptors, layouts and preferences that were made and not freed.</summary>
    public static int Live => Volatile.Read(ref _live);

    /// <summary>The library over the table, for the context that is current.</summary>
    public static CublasLt Create() => new(Functions, Source);

    private static nint Address(string name) =>
        name switch
        {
            nameof(CublasLtFunctions.cublasLtCreate) => (nint)(delegate* unmanaged<nint*, CublasStatus>)&CreateHandle,
            nameof(CublasLtFunctions.cublasLtDestroy) => (nint)(delegate* unmanaged<nint, CublasStatus>)&DestroyHandle,
            nameof(CublasLtFunctions.cublasLtGetVersion) => (nint)(delegate* unmanaged<nuint>)&Version,
            nameof(CublasLtFunctions.cublasLtMatmulDescCreate) => (nint)(delegate* unmanaged<nint*, int, int, CublasStatus>)&CreateDescriptor,
            nameof(CublasLtFunctions.cublasLtMatmulDescDestroy) => (nint)(delegate* unmanaged<nint, CublasStatus>)&DestroyDescriptor,
            nameof(CublasLtFunctions.cublasLtMatmulDescSetAttribute) => (nint)
                (delegate* unmanaged<nint, int, void*, nuint, CublasStatus>)&SetDescriptor,
            nameof(CublasLtFunctions.cublasLtMatrixLayoutCreate) => (nint)
                (delegate* unmanaged<nint*, int, ulong, ulong, long, CublasStatus>)&CreateLayout,
            nameof(CublasLtFunctions.cublasLtMatrixLayoutDestroy) => (nint)(delegate* unmanaged<nint, CublasStatus>)&DestroyLayout,
            nameof(CublasLtFunctions.cublasLtMatmulPreferenceCreate) => (nint)(delegate* unmanaged<nint*, CublasStatus>)&CreatePreference,
            nameof(CublasLtFunctions.cublasLtMatmulPreferenceDestroy) => (nint)(delegate* unmanaged<nint, CublasStatus>)&DestroyPreference,
            nameof(CublasLtFunctions.cublasLtMatmulPreferenceSetAttribute) => (nint)
                (delegate* unmanaged<nint, int, void*, nuint, CublasStatus>)&SetPreference,
            nameof(CublasLtFunctions.cublasLtMatmulAlgoGetHeuristic) => (nint)
                (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint, int, CublasLtHeuristic*, int*, CublasStatus>)&Choose,
            nameof(CublasLtFunctions.cublasLtMatmul) => (nint)
                (delegate* unmanaged<
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
                    CublasStatus>)
                    &Multiply,
            _ => throw new ArgumentException(
                $"cuBLASLt function: wanted one of {nameof(CublasLtFunctions)}, got {name}; add it to the emulated library",
                nameof(name)
            ),
        };

    [UnmanagedCallersOnly]
    private static CublasStatus CreateHandle(nint* handle) =>
        DriverCall.Current is null ? CublasStatus.NotInitialized : Add(new LibraryHandle(), handle);

    [UnmanagedCallersOnly]
    private static CublasStatus DestroyHandle(nint handle) => Remove<LibraryHandle>(handle);

    [UnmanagedCallersOnly]
    private static nuint Version() => VersionNumber;

    [UnmanagedCallersOnly]
    private static CublasStatus CreateDescriptor(nint* descriptor, int compute, int scale) =>
        compute == Compute32F && scale == Float32 ? Add(new ProductDescriptor(), descriptor) : CublasStatus.NotSupported;

    [UnmanagedCallersOnly]
    private static CublasStatus DestroyDescriptor(nint descriptor) => Remove<ProductDescriptor>(descriptor);

    [UnmanagedCallersOnly]
    private static CublasStatus SetDescriptor(nint handle, int attribute, void* value, nuint bytes)
    {
        if (Handles.Get<ProductDescriptor>(handle) is not { } descriptor)
        {
            return CublasStatus.InvalidValue;
        }

        // cublasLt.h: CUBLASLT_MATMUL_DESC_TRANSA, _TRANSB, _EPILOGUE, _BIAS_POINTER.
        switch (attribute)
        {
            case 3 when bytes == sizeof(int) && *(int*)value is 0 or 1:
                descriptor.TransposeA = *(int*)value == 1;
                return CublasStatus.Success;
            case 4 when bytes == sizeof(int) && *(int*)value is 0 or 1:
                descriptor.TransposeB = *(int*)value == 1;
                return CublasStatus.Success;
            case 7 when bytes == sizeof(int) && *(int*)value is EpilogueDefault or EpilogueBias:
                descriptor.HasBias = *(int*)value == EpilogueBias;
                return CublasStatus.Success;
            case 8 when bytes == (nuint)sizeof(nint):
                descriptor.Bias = *(ulong*)value;
                return CublasStatus.Success;
            default:
                return CublasStatus.InvalidValue;
        }
    }

    [UnmanagedCallersOnly]
    private static CublasStatus CreateLayout(nint* layout, int type, ulong rows, ulong columns, long stride) =>
        type is not (Float32 or BFloat16) ? CublasStatus.NotSupported
        : rows == 0 || columns == 0 || stride < (long)rows ? CublasStatus.InvalidValue
        : Add(new MatrixLayout(type, (int)rows, (int)columns, stride), layout);

    [UnmanagedCallersOnly]
    private static CublasStatus DestroyLayout(nint layout) => Remove<MatrixLayout>(layout);

    [UnmanagedCallersOnly]
    private static CublasStatus CreatePreference(nint* preference) => Add(new Preference(), preference);

    [UnmanagedCallersOnly]
    private static CublasStatus DestroyPreference(nint preference) => Remove<Preference>(preference);

    [UnmanagedCallersOnly]
    private static CublasStatus SetPreference(nint handle, int attribute, void* value, nuint bytes)
    {
        if (Handles.Get<Preference>(handle) is not { } preference)
        {
            return CublasStatus.InvalidValue;
        }

        // cublasLt.h: CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, and _MIN_ALIGNMENT_A_BYTES to _D_BYTES.
        switch (attribute)
        {
            case 1 when bytes == sizeof(ulong):
                return CublasStatus.Success;
            case >= 5 and <= 8 when bytes == sizeof(uint):
                preference.Alignment = Math.Min(preference.Alignment, *(uint*)value);
                return CublasStatus.Success;
            default:
                return CublasStatus.InvalidValue;
        }
    }

    [UnmanagedCallersOnly]
    private static CublasStatus Choose(
        nint handle,
        nint descriptor,
        nint a,
        nint b,
        nint c,
        nint d,
        nint preference,
        int wanted,
        CublasLtHeuristic* found,
        int* count
    )
    {
        *count = 0;
        if (Handles.Get<LibraryHandle>(handle) is null || wanted < 1 || Handles.Get<Preference>(preference) is not { } limits
            || Shape(descriptor, a, b, c, d) is not { } product)
        {
            return CublasStatus.InvalidValue;
        }

        if (limits.Alignment < 16 || !product.A.HasRuns || !product.B.HasRuns || !product.D.HasRuns || product.A.Type != product.B.Type)
        {
            return CublasStatus.NotSupported;
        }

        *found = default;
        found->Choice[0] = AlgorithmMark;
        *count = 1;
        return CublasStatus.Success;
    }

    [UnmanagedCallersOnly]
    private static CublasStatus Multiply(
        nint handle,
        nint descriptor,
        void* alpha,
        nint a,
        nint aLayout,
        nint b,
        nint bLayout,
        void* beta,
        nint c,
        nint cLayout,
        nint d,
        nint dLayout,
        void* algorithm,
        nint workspace,
        nuint workspaceBytes,
        nint stream
    )
    {
        if (
            Handles.Get<LibraryHandle>(handle) is null
            || *(ulong*)algorithm != AlgorithmMark
            || c != d
            || Handles.Get<EmulatedStream>(stream) is not { } queue
            || Shape(descriptor, aLayout, bLayout, cLayout, dLayout) is not { } product
            || (workspaceBytes > 0 && workspace % 256 != 0)
        )
        {
            return CublasStatus.InvalidValue;
        }

        ulong bias = product.Descriptor.HasBias ? product.Descriptor.Bias : 0;
        CudaResult queued = DriverCall.InContext(_ =>
            queue.Add(new ProductCommand(product, (ulong)a, (ulong)b, (ulong)d, bias, *(float*)alpha, *(float*)beta))
        );
        return queued == CudaResult.Success ? CublasStatus.Success : CublasStatus.ExecutionFailed;
    }

    private static Product? Shape(nint descriptor, nint a, nint b, nint c, nint d)
    {
        if (
            Handles.Get<ProductDescriptor>(descriptor) is not { } what
            || Handles.Get<MatrixLayout>(a) is not { } left
            || Handles.Get<MatrixLayout>(b) is not { } right
            || Handles.Get<MatrixLayout>(c) is null
            || Handles.Get<MatrixLayout>(d) is not { } result
            || c != d
        )
        {
            return null;
        }

        Product product = new(what, left, right, result);
        (int rows, int depth) = what.TransposeA ? (left.Columns, left.Rows) : (left.Rows, left.Columns);
        (int depthB, int columns) = what.TransposeB ? (right.Columns, right.Rows) : (right.Rows, right.Columns);
        return depth == depthB && rows == result.Rows && columns == result.Columns ? product : null;
    }

    private static CublasStatus Add(object value, nint* handle)
    {
        *handle = Handles.Add(value);
        Interlocked.Increment(ref _live);
        return CublasStatus.Success;
    }

    private static CublasStatus Remove<T>(nint handle)
        where T : class
    {
        if (Handles.Get<T>(handle) is null)
        {
            return CublasStatus.InvalidValue;
        }

        Handles.Remove(handle);
        Interlocked.Decrement(ref _live);
        return CublasStatus.Success;
    }

    private sealed class LibraryHandle;

    private sealed class Preference
    {
        public uint Alignment { get; set; } = 256;
    }
}
