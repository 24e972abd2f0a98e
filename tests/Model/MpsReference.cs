using CoGrpo.Model.Rewards;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Tests.Model;

/// <summary>
/// The cross model and the score of MPS in plain fp64, one head and one key at a time as the original's code has them, from the tokens of both
/// towers.
/// </summary>
internal sealed class MpsReference(MpsModel model, IBackend backend)
{
    private readonly int _width = model.Config.Clip.EmbedDim;

    /// <summary>Score of a picture's tokens [N,D] for a prompt's tokens [L,D], those of the condition and the place of the prompt's end.</summary>
    public double Score(double[] picture, double[] text, double[] condition, int end)
    {
        double[][] x = [.. picture.Chunk(_width)], t = [.. text.Chunk(_width)], c = [.. condition.Chunk(_width)];
        double[] match = [.. t.Select(token => c.Max(other => Dot(token, other)))];
        bool[] seen = [.. match.Select(m => m / match.Max() > model.Config.MaskThreshold)];
        for (int layer = 0; layer < model.Config.Layers; layer++)
        {
            Cross($"cross_model.layers.{layer}.0.fn", x, t, seen);
            Parallel($"cross_model.layers.{layer}.1.fn", x);
        }

        double cosine = Dot(x[0], t[end]) / Math.Sqrt(Dot(x[0], x[0]) * Dot(t[end], t[end]));
        return Math.Exp(Weight("model.logit_scale")[0]) * cosine;
    }

    /// <summary>Tokens of the prompt that the mask lets through.</summary>
    public int Seen(double[] text, double[] condition)
    {
        double[] match = [.. text.Chunk(_width).Select(token => condition.Chunk(_width).Max(other => Dot(token, other)))];
        return match.Count(m => m / match.Max() > model.Config.MaskThreshold);
    }

    private void Cross(string name, double[][] x, double[][] text, bool[] seen)
    {
        double[][] n = Norm(x, Weight($"{name}.norm.weight"));
        int head = model.Config.HeadWidth;
        double[][] q = Multiply(n, Weight($"{name}.to_q.weight")), kv = Multiply(text, Weight($"{name}.to_kv.weight"));
        double[][] o = Attend(q, [.. kv.Select(row => row[..head])], [.. kv.Select(row => row[head..])], seen);
        Add(x, Multiply(o, Weight($"{name}.to_out.weight")));
        Add(x, Multiply(Gated(Multiply(n, Weight($"{name}.ff.0.weight"))), Weight($"{name}.ff.2.weight")));
    }

    private void Parallel(string name, double[][] x)
    {
        (int head, int inner) = (model.Config.HeadWidth, model.Config.Heads * model.Config.HeadWidth);
        double[][] fused = Multiply(Norm(x, Weight($"{name}.norm.weight")), Weight($"{name}.fused_attn_ff_proj.weight"));
        double[][] q = Turned(fused.Select(row => row[..inner])), k = Turned(fused.Select(row => row[inner..(inner + head)]));
        double[][] o = Attend(q, k, [.. fused.Select(row => row[(inner + head)..(inner + (2 * head))])], [.. x.Select(_ => true)]);
        Add(x, Multiply(o, Weight($"{name}.attn_out.weight")));
        Add(x, Multiply(Gated([.. fused.Select(row => row[(inner + (2 * head))..])]), Weight($"{name}.ff_out.1.weight")));
    }

    private double[][] Turned(IEnumerable<double[]> rows)
    {
        int head = model.Config.HeadWidth, half = head / 2;
        return [.. rows.Select((row, place) => row.Select((value, i) =>
        {
            int d = i % head;
            double angle = place / Math.Pow(10000, 2 * (d % half) / (double)head);
            double other = d < half ? -row[i + half] : row[i - half];
            return (value * Math.Cos(angle)) + (other * Math.Sin(angle));
        }).ToArray())];
    }

    private double[][] Attend(double[][] q, double[][] k, double[][] v, bool[] seen)
    {
        int head = model.Config.HeadWidth;
        return [.. q.Select(row => row.Chunk(head).SelectMany(part =>
        {
            double[] p = [.. k.Select((key, j) => seen[j] ? Math.Exp(Dot(part, key) / Math.Sqrt(head)) : 0)];
            return Enumerable.Range(0, head).Select(d => p.Zip(v).Sum(pair => pair.First * pair.Second[d]) / p.Sum());
        }).ToArray())];
    }

    private static double[][] Gated(double[][] rows) => [.. rows.Select(row =>
    {
        int half = row.Length / 2;
        return Enumerable.Range(0, half).Select(i => row[i] * row[i + half] / (1 + Math.Exp(-row[i + half]))).ToArray();
    })];

    private static double[][] Norm(double[][] rows, double[] weight) => [.. rows.Select(row =>
    {
        double mean = row.Average(), variance = row.Average(v => (v - mean) * (v - mean));
        return row.Select((v, i) => (v - mean) / Math.Sqrt(variance + 1e-5) * weight[i]).ToArray();
    })];

    private static double[][] Multiply(double[][] rows, double[] weight) =>
        [.. rows.Select(row => weight.Chunk(row.Length).Select(w => Dot(row, w)).ToArray())];

    private static void Add(double[][] x, double[][] y)
    {
        foreach ((double[] row, double[] more) in x.Zip(y))
        {
            for (int i = 0; i < row.Length; i++)
            {
                row[i] += more[i];
            }
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b).Sum(pair => pair.First * pair.Second);

    private double[] Weight(string name)
    {
        Parameter parameter = model.Parameters.Find(name)!;
        float[] values = new float[parameter.Shape.Count];
        backend.Download<float>(parameter.Value, values);
        return Array.ConvertAll(values, v => (double)v);
    }
}
