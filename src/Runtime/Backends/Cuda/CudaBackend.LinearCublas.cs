using CoGrpo.Runtime.Cuda;
using CoGrpo.Runtime.Cuda.Kernels;

namespace CoGrpo.Runtime.Backends.Cuda;

public sealed unsafe partial class CudaBackend
{
    private static readonly StorageKernelName<LinearArguments> LinearEpilogueKernel = new("linearepilogue", "linearepilogue");

    /// <summary>
    /// The product by cuBLASLt; false if this library's kernel has to do it: without cuBLASLt, for operands of two types, for rows that the device
    /// counts, and for shapes that cuBLASLt has no algorithm for. A bias of the result's type is fused; all else of an epilogue follows in a
    /// kernel of its own from sums in fp32.
    /// </summary>
    private bool TryCublas(in LinearArguments arguments, ElementType storage)
    {
        bool mixed = storage == ElementType.BFloat16 && (arguments.AFloat | arguments.BFloat) != 0;
        if (_cublas is null || mixed || arguments.Live != 0 || arguments.Rows == 0 || arguments.Columns == 0 || arguments.Depth == 0)
        {
            return false;
        }

        ElementType result = arguments.YFloat != 0 ? ElementType.Float32 : storage;
        bool fusesBias = arguments.Bias != 0 && result == storage;
        bool follows =
            (arguments.Bias != 0 && !fusesBias) || arguments.Activation != 0 || (arguments.PreActivation | arguments.Residual | arguments.Gate) != 0;
        long sums = follows ? (long)arguments.Rows * arguments.Columns * sizeof(float) : 0;
        nint workspace = _workspace.Take(CublasLt.WorkspaceBytes + sums);
        nint product = follows ? workspace + (nint)CublasLt.WorkspaceBytes : arguments.Y;
        nint bias = follows ? 0 : arguments.Bias;
        CublasLtProduct shape = new(
            arguments.Rows,
            arguments.Columns,
            arguments.Depth,
            storage,
            follows ? ElementType.Float32 : result,
            arguments.ADeep != 0,
            arguments.BDeep != 0,
            arguments.AStride,
            arguments.BStride,
            follows ? arguments.Columns : arguments.YStride,
            bias != 0,
            !follows && arguments.Accumulate != 0,
            CublasLtProduct.CommonAlignment(arguments.A, arguments.B, product, bias)
        );
        _context.MakeCurrent();
        if (!_cublas.Multiply(in shape, arguments.A, arguments.B, product, bias, workspace, _stream))
        {
            return false;
        }

        if (follows)
        {
            LinearArguments rest = arguments with { A = product, AStride = arguments.Columns, AVectors = Flag(arguments.Columns % 4 == 0) };
            Launch(LinearEpilogueKernel[storage], Dim3.Of(Blocks(arguments.Columns, 512), Math.Min(arguments.Rows, 65535)), new Dim3(128), in rest);
        }

        return true;
    }
}
