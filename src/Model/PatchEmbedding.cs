using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model;

/// <summary>
/// Pictures to the tokens of a vision transformer: a class token, then a projection of every patch in row order, all with learned positions. The
/// convolution whose stride is its size is a matrix product: a patch is gathered as rows of strips, a strip being as many adjacent pixels of one line
/// and channel as a patch is wide.
/// </summary>
internal sealed class PatchEmbedding
{
    private const int Channels = 3;

    private readonly Parameter _classToken;
    private readonly Parameter _positions;
    private readonly Parameter _weight;
    private readonly Parameter? _bias;
    private readonly int _imageSize;
    private readonly int _width;
    private readonly int _patch;
    private int[] _strips = [];
    private int[] _places = [];

    /// <param name="classToken">C elements.</param>
    /// <param name="positions">(1 + patches)·C elements.</param>
    /// <param name="weight">[C,3,P,P].</param>
    /// <param name="bias">[C], or null.</param>
    /// <param name="imageSize">Side of a picture, a multiple of P.</param>
    public PatchEmbedding(Parameter classToken, Parameter positions, Parameter weight, Parameter? bias, int imageSize)
    {
        (_classToken, _positions, _weight, _bias, _imageSize) = (classToken, positions, weight, bias, imageSize);
        (_width, _patch) = (weight.Shape[0], weight.Shape[2]);
    }

    private int PatchesAcross => _imageSize / _patch;

    private int Patches => PatchesAcross * PatchesAcross;

    /// <summary>Normalised pictures, fp32 [B,3,S,S] on the tape's device, to tokens [B,1 + patches,C].</summary>
    /// <exception cref="ModelException">The pictures have another shape.</exception>
    public Var Apply(Tape tape, Tensor pixels)
    {
        Shape s = pixels.Shape;
        if (
            s.Rank != 4
            || s.Count == 0
            || s != new Shape(s[0], Channels, _imageSize, _imageSize)
            || pixels.Type != ElementType.Float32
            || !pixels.IsContiguous
        )
        {
            throw new ModelException($"picture encoder input: wanted Float32 [images,{Channels},{_imageSize},{_imageSize}], got {pixels}; resize and normalise the pictures for this model first");
        }

        int images = s[0];
        Var x = tape.Buffer(new Shape(images, 1 + Patches, _width));
        ArenaMark mark = tape.Activations.Mark();
        int columns = Channels * _patch * _patch;
        Var strips = tape.InStorage(tape.Constant(pixels.Reshape(new Shape(pixels.Rows * PatchesAcross, _patch))));
        Var gathered = tape.GatherRows(strips, Upload(tape, Strips(images), new Shape(images * Patches * Channels * _patch)));
        Var projected = tape.Linear(tape.Reshape(gathered, new Shape(images, Patches, columns)), tape.Parameter(_weight, new Shape(_width, columns)),
            _bias is null ? default : tape.Parameter(_bias));
        Var tokens = tape.Buffer(new Shape(images, 1 + Patches, _width));
        tape.CopyTokens(
            tape.Embedding(Upload(tape, new int[images], new Shape(images, 1)), tape.Parameter(_classToken, new Shape(1, _width))),
            0,
            tokens,
            0,
            1
        );
        tape.CopyTokens(projected, 0, tokens, 1, Patches);
        Var positions = tape.Embedding(
            Upload(tape, Places(images), new Shape(images, 1 + Patches)),
            tape.Parameter(_positions, new Shape(1 + Patches, _width))
        );
        tape.Add(tokens, positions, into: x);
        tape.Scope(mark);
        return x;
    }

    /// <summary>The rows of strips of every patch in the order of the weight: channel, then line.</summary>
    private ReadOnlySpan<int> Strips(int images)
    {
        int across = PatchesAcross, perImage = Patches * Channels * _patch;
        if (_strips.Length < images * perImage)
        {
            _strips = new int[images * perImage];
            for (int i = 0; i < _strips.Length; i++)
            {
                (int rest, int line) = Math.DivRem(i, _patch);
                (rest, int channel) = Math.DivRem(rest, Channels);
                (rest, int column) = Math.DivRem(rest, across);
                (int image, int row) = Math.DivRem(rest, across);
                _strips[i] = ((((((image * Channels) + channel) * across) + row) * _patch) + line) * across + column;
            }
        }

        return _strips.AsSpan(0, images * perImage);
    }

    /// <summary>0, 1, … for every picture.</summary>
    private ReadOnlySpan<int> Places(int images)
    {
        int tokens = 1 + Patches;
        if (_places.Length < images * tokens)
        {
            _places = [.. Enumerable.Range(0, images * tokens).Select(i => i % tokens)];
        }

        return _places.AsSpan(0, images * tokens);
    }

    private static Tensor Upload(Tape tape, ReadOnlySpan<int> values, Shape shape)
    {
        Tensor tensor = tape.Activations.Allocate(shape, ElementType.Int32);
        tape.Backend.Upload(values, tensor);
        return tensor;
    }
}
