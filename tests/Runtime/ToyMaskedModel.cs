using System.Runtime.CompilerServices;
using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Runtime;

/// <summary>
/// A masked model of closed-form logits that depend on prompt, position and every code of the image's canvas, and count the work asked for.
/// </summary>
internal sealed class ToyMaskedModel(IBackend backend, int codes = 16, int vocabulary = 21) : IMaskedModel
{
    private readonly int[] _canvas = new int[64 * codes];
    private readonly int[] _rows = new int[64 * codes];
    private readonly float[] _logits = new float[64 * codes * vocabulary];
    private readonly float[] _features = new float[64 * 4 * 3];
    private readonly int[] _prompts = new int[64];
    private readonly float[] _fractions = new float[64];

    public IBackend Backend => backend;

    public int Codes => codes;

    public int Vocabulary => vocabulary;

    public int MaskToken => vocabulary + 5;

    public Shape FeatureShape => new(4, 3);

    public ElementType Storage => ElementType.Float32;

    public Tensor Head => default;

    public int RecordingVersion => IRecording.Never;

    /// <summary>Images forwarded with a prompt.</summary>
    public int ConditionalImages { get; private set; }

    /// <summary>Images forwarded with the empty prompt.</summary>
    public int UnconditionalImages { get; private set; }

    public void Predict(in MaskedBatch batch, Tensor logits, Tensor features)
    {
        int images = (int)batch.Prompts.Shape.Count;
        int rows = backend.LiveRowsOf(batch.Rows);
        Span<int> canvas = _canvas.AsSpan(0, images * codes);
        backend.Download(batch.Canvas, canvas);
        backend.Download(batch.Rows, _rows.AsSpan(0, (int)batch.Rows.Shape.Count));
        backend.Download(batch.Prompts, _prompts.AsSpan(0, images));
        backend.Download(batch.MaskedFractions, _fractions.AsSpan(0, images));
        Check(images * codes == batch.Canvas.Shape.Count);
        Check(batch.Rows.Shape.Count == logits.Rows);
        Check(batch.Rows.LiveRows == logits.LiveRows);
        for (int b = 0; b < images; b++)
        {
            ReadOnlySpan<int> own = canvas.Slice(b * codes, codes);
            Check(own.Count(MaskToken) / (float)codes == _fractions[b]);
            if (_prompts[b] == 0)
            {
                UnconditionalImages++;
            }
            else
            {
                ConditionalImages++;
            }

            for (int f = 0; f < 12 && !features.IsNone; f++)
            {
                _features[(b * 12) + f] = State(own) + f + (100 * _prompts[b]);
            }
        }

        for (int r = 0; r < rows; r++)
        {
            int b = _rows[r] / codes;
            int i = _rows[r] % codes;
            Check(r == 0 || _rows[r] > _rows[r - 1]);
            Check(canvas[_rows[r]] == MaskToken);
            float state = State(canvas.Slice(b * codes, codes));
            for (int v = 0; v < vocabulary; v++)
            {
                _logits[(r * vocabulary) + v] = 2 * MathF.Sin((1.7f * v) + (0.31f * i * (v + 1)) + (2.3f * _prompts[b]) + state);
            }
        }

        backend.Upload<float>(_logits.AsSpan(0, rows * vocabulary), logits.RowRange(0, rows));
        if (!features.IsNone)
        {
            Check(features.Shape.Count == images * 12);
            backend.Upload<float>(_features.AsSpan(0, images * 12), features);
        }
    }

    // Not an assertion of the test framework: those allocate, and a test counts what a warm call allocates.
    private static void Check(bool condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        if (!condition)
        {
            throw new InvalidOperationException($"the sampling loop broke its promise to the model: {what}");
        }
    }

    private static float State(ReadOnlySpan<int> canvas)
    {
        int sum = 0;
        for (int i = 0; i < canvas.Length; i++)
        {
            sum = ((sum * 31) + canvas[i]) % 1009;
        }

        return sum * 0.01f;
    }
}
