using System.Runtime.InteropServices;

namespace CoGrpo.Runtime.Cuda;

/// <summary>
/// cuBLASLt in one context: matrix products by NVIDIA's library. What it needs for a shape (descriptors, layouts, the algorithm its heuristic
/// proposes) is made at the first product of that shape and kept; later ones allocate nothing. Driven by one thread.
/// </summary>
public sealed unsafe class CublasLt : IDisposable
{
    /// <summary>Workspace that the algorithms may use: what NVIDIA recommends for Hopper.</summary>
    public const long WorkspaceBytes = 32 << 20;

    // cublasLt.h and library_types.h.
    private const int Compute32F = 68;
    private const int Real32F = 0;
    private const int RealBFloat16 = 14;
    private const int DescriptorTransposeA = 3;
    private const int DescriptorTransposeB = 4;
    private const int DescriptorEpilogue = 7;
    private const int DescriptorBiasPointer = 8;
    private const int EpilogueBias = 4;
    private const int PreferenceWorkspaceBytes = 1;
    private const int PreferenceAlignmentA = 5;
    private const int PreferenceAlignments = 4;

    private readonly CublasLtFunctions _functions;
    private readonly Dictionary<CublasLtProduct, Plan> _plans = [];
    private nint _handle;

    /// <summary>The library over a filled table, for the context that is current.</summary>
    /// <param name="functions">The library's functions.</param>
    /// <param name="source">Where they come from: a library name, or the name of a device that stands in for one.</param>
    /// <exception cref="CudaException">It cannot be initialised.</exception>
    public CublasLt(in CublasLtFunctions functions, string source)
    {
        _functions = functions;
        Source = source;
        Version = (long)functions.cublasLtGetVersion();
        nint handle = 0;
        Check(functions.cublasLtCreate(&handle), "starting the library");
        _handle = handle;
    }

    /// <summary>The library's file name, or the name of the device that stands in for one.</summary>
    public string Source { get; }

    /// <summary>Version in the library's own numbering: 120405 is 12.4.5.</summary>
    public long Version { get; }

    /// <summary>Shapes whose algorithm is known.</summary>
    public int Plans => _plans.Count;

    /// <summary>The system's library.</summary>
    /// <exception cref="CudaException">It is missing, damaged or cannot be initialised; the message says what was tried and what to do.</exception>
    public static CublasLt Load() => Load(CudaLibraries.CublasLt());

    /// <summary>The library that <paramref name="search"/> found.</summary>
    /// <exception cref="CudaException">As <see cref="Load()"/>.</exception>
    public static CublasLt Load(NativeLibrarySearch search)
    {
        ArgumentNullException.ThrowIfNull(search);
        if (search.Found is null)
        {
            throw new CudaException(
                $"cuBLASLt: wanted NVIDIA's matrix library on this machine, tried {string.Join(", ", search.Tried)} and found none; "
                    + $"install it (Debian: libcublas12 of the non-free component), set {CudaLibraries.CublasLtVariable} to its folder, or leave out --gemm cublas"
            );
        }

        return new CublasLt(new CublasLtFunctions(name => NativeLibrary.TryGetExport(search.Handle, name, out nint address)
            ? address
            : throw new CudaException($"cuBLASLt {search.Found}: wanted the function {name}, the library lacks it; install cuBLAS of CUDA 11 or later, or leave out --gemm cublas")),
            search.Found);
    }

    /// <summary>Queues a product on <paramref name="stream"/>. False, with nothing queued, if the library has no algorithm for it.</summary>
    /// <param name="product">Shape and layout.</param>
    /// <param name="a">Device address of A.</param>
    /// <param name="b">Device address of B.</param>
    /// <param name="d">Device address of D.</param>
    /// <param name="bias">Device address of the bias; not read without one.</param>
    /// <param name="workspace">Device address of <see cref="WorkspaceBytes"/> bytes, aligned to 256.</param>
    /// <param name="stream">Where.</param>
    /// <exception cref="CudaException">The library fails.</exception>
    public bool Multiply(in CublasLtProduct product, nint a, nint b, nint d, nint bias, nint workspace, CudaStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!_plans.TryGetValue(product, out Plan? plan))
        {
            plan = MakePlan(in product, bias);
            _plans.Add(product, plan);
        }

        if (!plan.Runs)
        {
            return false;
        }

        if (product.Bias)
        {
            SetDescriptor(plan.Descriptor, DescriptorBiasPointer, bias);
        }

        float one = 1;
        float beta = product.Accumulate ? 1 : 0;

        // The library counts in columns: its D is ours transposed, so our B is its left operand.
        fixed (CublasLtHeuristic.Algorithm* algorithm = &plan.Algorithm)
        {
            CublasStatus status = _functions.cublasLtMatmul(
                _handle,
                plan.Descriptor,
                &one,
                b,
                plan.B,
                a,
                plan.A,
                &beta,
                d,
                plan.D,
                d,
                plan.D,
                algorithm,
                workspace,
                (nuint)WorkspaceBytes,
                stream.Handle
            );
            if (status != CublasStatus.Success)
            {
                Fail(status, $"product {product}");
            }
        }

        return true;
    }

    /// <summary>Frees what was made for shapes and the library's handle; products must have run.</summary>
    public void Dispose()
    {
        if (_handle == 0)
        {
            return;
        }

        foreach (Plan plan in _plans.Values)
        {
            Destroy(plan);
        }

        _plans.Clear();
        nint handle = _handle;
        _handle = 0;
        Check(_functions.cublasLtDestroy(handle), "ending the library");
    }

    private Plan MakePlan(in CublasLtProduct product, nint bias)
    {
        Plan plan = new();
        try
        {
            nint made = 0;
            Check(_functions.cublasLtMatmulDescCreate(&made, Compute32F, Real32F), "describing a product");
            plan.Descriptor = made;
            SetDescriptor(made, DescriptorTransposeA, product.BDeep ? 1 : 0);
            SetDescriptor(made, DescriptorTransposeB, product.ADeep ? 0 : 1);
            if (product.Bias)
            {
                SetDescriptor(made, DescriptorEpilogue, EpilogueBias);
                SetDescriptor(made, DescriptorBiasPointer, bias);
            }

            plan.B = Layout(
                product.Operand,
                product.BDeep ? product.Depth : product.Columns,
                product.BDeep ? product.Columns : product.Depth,
                product.BStride
            );
            plan.A = Layout(
                product.Operand,
                product.ADeep ? product.Depth : product.Rows,
                product.ADeep ? product.Rows : product.Depth,
                product.AStride
            );
            plan.D = Layout(product.Result, product.Columns, product.Rows, product.DStride);
            plan.Runs = Choose(plan, product.Alignment);
            return plan;
        }
        catch
        {
            Destroy(plan);
            throw;
        }
    }

    /// <summary>Asks for the algorithm; false if there is none.</summary>
    private bool Choose(Plan plan, int alignment)
    {
        nint preference = 0;
        Check(_functions.cublasLtMatmulPreferenceCreate(&preference), "stating preferences");
        try
        {
            ulong bytes = WorkspaceBytes;
            Check(
                _functions.cublasLtMatmulPreferenceSetAttribute(preference, PreferenceWorkspaceBytes, &bytes, sizeof(ulong)),
                "stating preferences"
            );
            uint least = (uint)alignment;
            for (int operand = 0; operand < PreferenceAlignments; operand++)
            {
                Check(
                    _functions.cublasLtMatmulPreferenceSetAttribute(preference, PreferenceAlignmentA + operand, &least, sizeof(uint)),
                    "stating preferences"
                );
            }

            CublasLtHeuristic heuristic = default;
            int found = 0;
            CublasStatus status = _functions.cublasLtMatmulAlgoGetHeuristic(
                _handle,
                plan.Descriptor,
                plan.B,
                plan.A,
                plan.D,
                plan.D,
                preference,
                1,
                &heuristic,
                &found
            );
            if (status is not (CublasStatus.Success or CublasStatus.NotSupported))
            {
                Fail(status, "choosing an algorithm");
            }

            plan.Algorithm = heuristic.Choice;
            return status == CublasStatus.Success && found > 0 && heuristic.State == CublasStatus.Success;
        }
        finally
        {
            Check(_functions.cublasLtMatmulPreferenceDestroy(preference), "stating preferences");
        }
    }

    private nint Layout(ElementType type, long rows, long columns, long stride)
    {
        nint made = 0;
        Check(
            _functions.cublasLtMatrixLayoutCreate(&made, type == ElementType.BFloat16 ? RealBFloat16 : Real32F, (ulong)rows, (ulong)columns, stride),
            "describing a matrix"
        );
        return made;
    }

    private void SetDescriptor(nint descriptor, int attribute, int value) =>
        Check(_functions.cublasLtMatmulDescSetAttribute(descriptor, attribute, &value, sizeof(int)), "describing a product");

    private void SetDescriptor(nint descriptor, int attribute, nint value) =>
        Check(_functions.cublasLtMatmulDescSetAttribute(descriptor, attribute, &value, (nuint)sizeof(nint)), "describing a product");

    private void Destroy(Plan plan)
    {
        ReadOnlySpan<nint> layouts = [plan.A, plan.B, plan.D];
        foreach (nint layout in layouts)
        {
            if (layout != 0)
            {
                Check(_functions.cublasLtMatrixLayoutDestroy(layout), "freeing a description");
            }
        }

        if (plan.Descriptor != 0)
        {
            Check(_functions.cublasLtMatmulDescDestroy(plan.Descriptor), "freeing a description");
        }
    }

    private void Check(CublasStatus status, string doing)
    {
        if (status != CublasStatus.Success)
        {
            Fail(status, doing);
        }
    }

    private void Fail(CublasStatus status, string doing) =>
        throw new CudaException(
            $"cuBLASLt {Source}: {doing} failed with {(Enum.IsDefined(status) ? status.ToString() : $"status {(int)status}")}; {Remedy(status)}"
        );

    private static string Remedy(CublasStatus status) => status switch
    {
        CublasStatus.NotInitialized => "install the cuBLAS that belongs to the NVIDIA driver, or leave out --gemm cublas",
        CublasStatus.AllocationFailed => "free the memory other processes hold on this device, or leave out --gemm cublas",
        _ => "leave out --gemm cublas and report what «cogrpo-native doctor» says",
    };

    private sealed class Plan
    {
        public CublasLtHeuristic.Algorithm Algorithm;

        public nint Descriptor { get; set; }

        public nint A { get; set; }

        public nint B { get; set; }

        public nint D { get; set; }

        public bool Runs { get; set; }
    }
}
