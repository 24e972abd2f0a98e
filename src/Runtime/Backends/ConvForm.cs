namespace CoGrpo.Runtime.Backends;

/// <summary>How the outputs of a 3x3 convolution lie on its input.</summary>
public enum ConvForm : byte
{
    /// <summary>Stride 1, zero padding 1: as many outputs as pixels.</summary>
    Same,

    /// <summary>
    /// Stride 2, zero padding 1 at the right and bottom alone: output (i, j) sees pixels (2i, 2j) to (2i + 2, 2j + 2); half the height and width,
    /// rounded down.
    /// </summary>
    Halved,

    /// <summary>
    /// Stride 1, zero padding 1 on the input enlarged to twice its height and width by repeating every pixel: twice the height and width.
    /// </summary>
    Doubled,
}
