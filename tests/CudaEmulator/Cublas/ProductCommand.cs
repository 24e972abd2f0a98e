using CoGrpo.CudaEmulator.Driver;
using CoGrpo.CudaEmulator.Memory;
using CoGrpo.Runtime.Cuda;

namespace CoGrpo.CudaEmulator.Cublas;

/// <summary>A matrix product in a stream: plain fp32 sums over k in order, rounded once when they are stored.</summary>
internal sealed unsafe class ProductCommand(Product product, ulong a, ulong b, ulong d, ulong bias, float alpha, float beta) : StreamCommand
{
    // The descriptor may change before the command runs.
    private readonly bool _transposeA = product.Descriptor.TransposeA;
    private readonly bool _transposeB = product.Descriptor.TransposeB;

    public override void Execute(EmulatedContext context)
    {
        (int rows, int columns) = (product.D.Rows, product.D.Columns);
        int depth = _transposeA ? product.A.Rows : product.A.Columns;
        float[] left = Read(context, product.A, a, _transposeA, "left operand");
        float[] right = Read(context, product.B, b, !_transposeB, "right operand");
        float[] old = beta == 0 ? [] : Read(context, product.D, d, true, "result");
        float[] added = bias == 0 ? [] : Read(context, new MatrixLayout(product.D.Type, rows, 1, rows), bias, true, "bias");
        byte* target = Locate(context, product.D, d, "result", out Region* region);
        for (int c = 0; c < columns; c++)
        {
            for (int r = 0; r < rows; r++)
            {
                float sum = 0;
                for (int k = 0; k < depth; k++)
                {
                    sum = MathF.FusedMultiplyAdd(left[(r * depth) + k], right[(c * depth) + k], sum);
                }

                sum *= alpha;
                sum += bias == 0 ? 0 : added[r];
                sum += beta == 0 ? 0 : beta * old[(c * rows) + r];
                Write(target + (((c * product.D.Stride) + r) * product.D.Size), product.D.Type, sum);
            }

            AddressSpace.SetWritten(region, d - region->Start + (ulong)(c * product.D.Stride * product.D.Size), (ulong)(rows * product.D.Size));
        }
    }

    /// <summary>All elements, columns one after the other when <paramref name="byColumns"/>, else rows.</summary>
    private static float[] Read(EmulatedContext context, MatrixLayout matrix, ulong address, bool byColumns, string what)
    {
        byte* source = Locate(context, matrix, address, what, out Region* region);
        float[] values = new float[matrix.Rows * matrix.Columns];
        for (int c = 0; c < matrix.Columns; c++)
        {
            for (int r = 0; r < matrix.Rows; r++)
            {
                long at = ((c * matrix.Stride) + r) * matrix.Size;
                if (region->Written != null && !ByteBits.AllSet(region->Written, address - region->Start + (ulong)at, (uint)matrix.Size))
                {
                    throw new DriverException(
                        CudaResult.LaunchFailed,
                        $"cuBLASLt product: the {what} at 0x{address:x} has an element that nothing has written, row {r} of column {c}"
                    );
                }

                values[byColumns ? (c * matrix.Rows) + r : (r * matrix.Columns) + c] = matrix.Type == EmulatedCublasLt.BFloat16
                    ? BitConverter.UInt32BitsToSingle((uint)*(ushort*)(source + at) << 16)
                    : *(float*)(source + at);
            }
        }

        return values;
    }

    private static byte* Locate(EmulatedContext context, MatrixLayout matrix, ulong address, string what, out Region* region)
    {
        region = context.RegionOf(address, matrix.Bytes, $"cuBLASLt product, {what}");
        return region->Host + (address - region->Start);
    }

    private static void Write(byte* target, int type, float value)
    {
        if (type != EmulatedCublasLt.BFloat16)
        {
            *(float*)target = value;
            return;
        }

        uint bits = BitConverter.SingleToUInt32Bits(value);
        *(ushort*)target = (ushort)(float.IsNaN(value) ? 0x7FFF : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
