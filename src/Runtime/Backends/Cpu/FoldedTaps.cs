using System.Runtime.Intrinsics;

namespace CoGrpo.Runtime.Backends.Cpu;

/// <summary>
/// The weights of a 3x3 convolution of a map enlarged twice, for the outputs of one parity: taps that fall on the same pixel of the map are added. Of
/// three taps in a direction an even output sees pixels -1, 0, 0 from its own and an odd one 0, 0, 1.
/// </summary>
internal unsafe struct FoldedTaps
{
    /// <summary>[O,3,3,C] and, folded, [O,2,2,C].</summary>
    public float* Weight, Folded;

    public int Channels;

    /// <summary>Parity of the outputs' rows and columns.</summary>
    public int RowPhase, ColumnPhase;

    /// <summary>Loop body over O.</summary>
    public static void Fold(void* state, int start, int end, int worker)
    {
        FoldedTaps f = *(FoldedTaps*)state;
        int channels = f.Channels;
        for (nint item = 4 * (nint)start; item < 4 * (nint)end; item++)
        {
            (int firstRow, int lastRow) = Taps((int)(item % 4 / 2), f.RowPhase);
            (int firstColumn, int lastColumn) = Taps((int)(item % 2), f.ColumnPhase);
            float* weight = f.Weight + (item / 4 * 9 * channels);
            float* folded = f.Folded + (item * channels);
            for (int c = 0; c < channels; c += Lanes.Count)
            {
                Vector512<float> sum = Vector512<float>.Zero;
                for (int row = firstRow; row <= lastRow; row++)
                {
                    for (int column = firstColumn; column <= lastColumn; column++)
                    {
                        sum += Lanes.Load(weight + (((row * 3) + column) * channels) + c, channels - c);
                    }
                }

                Lanes.Store(sum, folded + c, channels - c);
            }
        }
    }

    /// <summary>The first and last tap that fall on pixel <paramref name="place"/> of the two that outputs of a parity see.</summary>
    private static (int First, int Last) Taps(int place, int phase) => place == 0 ? (0, phase) : (phase + 1, 2);
}
