using CoGrpo.Runtime.Files;

namespace CoGrpo.Model.Clip;

/// <summary>Reads a matrix that another library stores transposed.</summary>
internal static class TransposedTensor
{
    /// <summary>The bytes of <paramref name="tensor"/> [R,C] as those of [C,R].</summary>
    public static byte[] Read(ITensorSource source, SafetensorsTensor tensor)
    {
        int rows = checked((int)tensor.Shape[0]), columns = checked((int)tensor.Shape[1]), size = tensor.Type.Size();
        byte[] from = new byte[tensor.ByteCount], to = new byte[tensor.ByteCount];
        source.ReadBytes(tensor.Name, 0, from);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                from.AsSpan(((row * columns) + column) * size, size).CopyTo(to.AsSpan(((column * rows) + row) * size));
            }
        }

        return to;
    }
}
