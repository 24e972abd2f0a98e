using CoGrpo.Runtime;
using CoGrpo.Runtime.Backends;
using CoGrpo.Runtime.Sampling;

namespace CoGrpo.Tests.Rl;

/// <summary>Free logits per position, one table with a prompt and one without: the smallest model that can be trained.</summary>
internal sealed class TabularModel(IBackend backend, int codes, int vocabulary) : IMaskedModel
{
    private int[] _rows = [];

    /// <summary>[N,V] logits with the prompt.</summary>
    public float[] Conditional { get; } = new float[codes * vocabulary];

    /// <summary>[N,V] logits without.</summary>
    public float[] Unconditional { get; } = new float[codes * vocabulary];

    public IBackend Backend => backend;

    public int Codes => codes;

    public int Vocabulary => vocabulary;

    public int MaskToken => vocabulary;

    public Shape FeatureShape => new(1, 1);

    public ElementType Storage => ElementType.Float32;

    public Tensor Head => default;

    public int RecordingVersion => IRecording.Never;

    public void Predict(in MaskedBatch batch, Tensor output, Tensor features)
    {
        int[] prompts = new int[batch.Prompts.Shape.Count];
        backend.Download<int>(batch.Prompts, prompts);
        int[] all = new int[batch.Rows.Shape.Count];
        backend.Download<int>(batch.Rows, all);
        _rows = all[..backend.LiveRowsOf(batch.Rows)];
        float[] values = new float[_rows.Length * vocabulary];
        for (int r = 0; r < _rows.Length; r++)
        {
            float[] table = prompts[_rows[r] / codes] == 0 ? Unconditional : Conditional;
            table.AsSpan(_rows[r] % codes * vocabulary, vocabulary).CopyTo(values.AsSpan(r * vocabulary));
        }

        backend.Upload<float>(values, output.RowRange(0, _rows.Length));
    }
}
