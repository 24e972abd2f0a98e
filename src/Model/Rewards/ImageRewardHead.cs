using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// The head of ImageReward: five linear layers with nothing but dropout between them (specs/reward-models.md 1.2), hence one vector and one number,
/// which they are folded into in fp64.
/// </summary>
internal sealed class ImageRewardHead
{
    // Where the dropouts are left out of the numbering.
    private static readonly int[] Places = [0, 2, 4, 6, 7];

    private readonly Parameter[] _weights;
    private readonly Parameter[] _biases;
    private double[] _vector = [];
    private double _constant;

    public ImageRewardHead(ParameterStore store, IReadOnlyList<int> widths)
    {
        _weights = [.. Places.Select((place, i) => store.Declare($"mlp.layers.{place}.weight", new Shape(widths[i + 1], widths[i])))];
        _biases = [.. Places.Select((place, i) => store.Declare($"mlp.layers.{place}.bias", new Shape(widths[i + 1])))];
    }

    /// <summary>What the layers make of a feature of as many elements as the first has inputs. The first call folds them.</summary>
    public double Apply(IBackend backend, ReadOnlySpan<float> feature)
    {
        if (_vector.Length == 0)
        {
            Fold(backend);
        }

        double sum = _constant;
        for (int i = 0; i < feature.Length; i++)
        {
            sum += _vector[i] * feature[i];
        }

        return sum;
    }

    /// <summary>From the last layer back: y = v·(W x + b) + c is (v W)·x + (v·b + c).</summary>
    private void Fold(IBackend backend)
    {
        double[] vector = [1];
        _constant = 0;
        for (int layer = _weights.Length - 1; layer >= 0; layer--)
        {
            Shape shape = _weights[layer].Shape;
            float[] weight = new float[shape.Count], bias = new float[shape[0]];
            backend.Download<float>(_weights[layer].Value, weight);
            backend.Download<float>(_biases[layer].Value, bias);
            double[] folded = new double[shape[1]];
            for (int row = 0; row < shape[0]; row++)
            {
                _constant += vector[row] * bias[row];
                for (int column = 0; column < folded.Length; column++)
                {
                    folded[column] += vector[row] * weight[(row * folded.Length) + column];
                }
            }

            vector = folded;
        }

        _vector = vector;
    }
}
