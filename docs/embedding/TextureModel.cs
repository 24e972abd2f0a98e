using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace MaskedSampling;

/// <summary>
/// A masked model without a network: it counts which character stands left of, right of, above and below which in one sample picture.
/// The logit of a code at a masked position is the sum of the log-frequencies given each neighbour that is already decoded.
/// </summary>
internal sealed class TextureModel : IMaskedModel
{
    private static readonly (int Row, int Column)[] Neighbours = [(0, -1), (0, 1), (-1, 0), (1, 0)];

    private readonly string _letters;
    private readonly int _height;
    private readonly int _width;
    private readonly float[] _logFrequency;
    private int[] _canvas = [];
    private int[] _rows = [];
    private float[] _logits = [];

    public TextureModel(string[] sample, int height, int width, IBackend backend)
    {
        Backend = backend;
        (_height, _width) = (height, width);
        _letters = new string([.. string.Concat(sample).Distinct().Order()]);
        _logFrequency = Count(sample);
    }

    public IBackend Backend { get; }

    public int Codes => _height * _width;

    public int Vocabulary => _letters.Length;

    public int MaskToken => _letters.Length;

    public Shape FeatureShape => new(1, 1);

    public ElementType Storage => ElementType.Float32;

    public Tensor Head => default;

    public int RecordingVersion => IRecording.Never;

    public void Predict(in MaskedBatch batch, Tensor output, Tensor features)
    {
        // Tables on the host: fine on the CPU backend, whose memory is host memory. On a GPU a model queues operations instead.
        int room = (int)batch.Rows.Shape.Count;
        int count = Backend.LiveRowsOf(batch.Rows);
        Array.Resize(ref _canvas, (int)batch.Canvas.Shape.Count);
        Array.Resize(ref _rows, room);
        Array.Resize(ref _logits, room * Vocabulary);
        Backend.Download(batch.Canvas, _canvas.AsSpan());
        Backend.Download(batch.Rows, _rows.AsSpan());
        Array.Clear(_logits);
        for (int r = 0; r < count; r++)
        {
            AddNeighbours(_rows[r] / Codes * Codes, _rows[r] % Codes, _logits.AsSpan(r * Vocabulary, Vocabulary));
        }

        Backend.Upload<float>(_logits, output);
    }

    /// <summary>The picture of N codes as lines of text.</summary>
    public string Draw(ReadOnlySpan<int> codes)
    {
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < codes.Length; i++)
        {
            text.Append(_letters[codes[i]]);
            if (i % _width == _width - 1)
            {
                text.Append('\n');
            }
        }

        return text.ToString();
    }

    private void AddNeighbours(int image, int position, Span<float> logits)
    {
        for (int d = 0; d < Neighbours.Length; d++)
        {
            int row = (position / _width) + Neighbours[d].Row;
            int column = (position % _width) + Neighbours[d].Column;
            if (
                row < 0
                || row >= _height
                || column < 0
                || column >= _width
                || _canvas[image + (row * _width) + column] is var known && known == MaskToken
            )
            {
                continue;
            }

            for (int v = 0; v < Vocabulary; v++)
            {
                logits[v] += _logFrequency[(((d * Vocabulary) + known) * Vocabulary) + v];
            }
        }
    }

    /// <summary>log P(code | neighbour in direction d), with a small count for pairs never seen.</summary>
    private float[] Count(string[] sample)
    {
        int v = Vocabulary;
        float[] table = new float[Neighbours.Length * v * v];
        Array.Fill(table, 0.01f);
        for (int row = 0; row < sample.Length; row++)
        {
            for (int column = 0; column < sample[row].Length; column++)
            {
                for (int d = 0; d < Neighbours.Length; d++)
                {
                    // The sample repeats in both directions, so that every position has four neighbours.
                    string line = sample[(row + Neighbours[d].Row + sample.Length) % sample.Length];
                    int known = _letters.IndexOf(line[(column + Neighbours[d].Column + line.Length) % line.Length]);
                    table[(((d * v) + known) * v) + _letters.IndexOf(sample[row][column])]++;
                }
            }
        }

        for (int known = 0; known < Neighbours.Length * v; known++)
        {
            Span<float> counts = table.AsSpan(known * v, v);
            float sum = 0;
            foreach (float count in counts)
            {
                sum += count;
            }

            foreach (ref float count in counts)
            {
                count = MathF.Log(count / sum);
            }
        }

        return table;
    }
}
