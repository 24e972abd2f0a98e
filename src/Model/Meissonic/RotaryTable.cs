using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Meissonic;

/// <summary>
/// cos and sin of the 3-axis rotary embedding for [text, image] tokens (specs/meissonic.md 2.3): text at (0,0,0), image at (0,row,column).
/// Angles in fp64, rounded to fp32 once. Interleaved pairs: one entry per pair.
/// </summary>
internal sealed class RotaryTable
{
    private readonly IBackend _backend;
    private readonly Arena _arena;
    private readonly TransformerConfig _config;
    private (int Text, int Height, int Width) _grid;

    public RotaryTable(IBackend backend, Arena arena, TransformerConfig config)
    {
        _backend = backend;
        _arena = arena;
        _config = config;
    }

    /// <summary>[S,D/2].</summary>
    public Tensor Cos { get; private set; }

    /// <summary>[S,D/2].</summary>
    public Tensor Sin { get; private set; }

    /// <summary>Makes the tables for this many text tokens and this transformer grid; keeps them when nothing changed.</summary>
    public void Prepare(int text, int height, int width)
    {
        if (_grid == (text, height, width))
        {
            return;
        }

        int half = _config.AttentionHeadDim / 2;
        int tokens = text + (height * width);
        float[] cos = new float[tokens * half];
        float[] sin = new float[tokens * half];
        for (int token = 0; token < tokens; token++)
        {
            int image = token - text;
            int pair = 0;
            for (int axis = 0; axis < 3; axis++)
            {
                int position = image < 0 || axis == 0 ? 0 : axis == 1 ? image / width : image % width;
                int dims = _config.AxesDimsRope[axis];
                for (int j = 0; j < dims / 2; j++, pair++)
                {
                    (double s, double c) = Math.SinCos(position * Math.Pow(10000, -2.0 * j / dims));
                    cos[(token * half) + pair] = (float)c;
                    sin[(token * half) + pair] = (float)s;
                }
            }
        }

        Cos = _arena.Allocate(new Shape(tokens, half));
        Sin = _arena.Allocate(new Shape(tokens, half));
        _backend.Upload<float>(cos, Cos);
        _backend.Upload<float>(sin, Sin);
        _grid = (text, height, width);
    }
}
