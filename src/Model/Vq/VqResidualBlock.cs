using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;

namespace CoGrpo.Model.Vq;

/// <summary>
/// y = conv2(SiLU(GN2(conv1(SiLU(GN1(x)))))) + shortcut(x), where the shortcut is a 1x1 convolution if the number of channels changes, else x itself.
/// Three maps do: a shortcut is made first, then nothing needs x any more and its norm takes its place; without one the result takes the place of x.
/// </summary>
internal sealed class VqResidualBlock
{
    private readonly VqNorm _norm1;
    private readonly VqConv _conv1;
    private readonly VqNorm _norm2;
    private readonly VqConv _conv2;
    private readonly VqPointwise? _shortcut;

    public VqResidualBlock(ParameterStore store, string name, int inputs, int outputs, int groups)
    {
        _norm1 = new VqNorm(store, $"{name}.norm1", inputs, groups);
        _conv1 = new VqConv(store, $"{name}.conv1", inputs, outputs);
        _norm2 = new VqNorm(store, $"{name}.norm2", outputs, groups);
        _conv2 = new VqConv(store, $"{name}.conv2", outputs, outputs);
        _shortcut = inputs == outputs ? null : new VqPointwise(store, $"{name}.conv_shortcut", inputs, outputs);
    }

    /// <summary>The stream := the block's result.</summary>
    public void Run(VqPass pass)
    {
        Tensor x = pass.Stream;
        (int height, int width) = (x.Shape[1], x.Shape[2]);
        Tensor inner = pass.Free(1, height, width, _conv1.Outputs);
        Tensor normed, result;
        if (_shortcut is null)
        {
            (normed, result) = (pass.Free(0, height, width, x.Columns), x);
        }
        else
        {
            (normed, result) = (x, pass.Free(0, height, width, _conv1.Outputs));
            _shortcut.Run(pass.Backend, x, result);
        }

        _norm1.Run(pass.Backend, x, normed);
        _conv1.Run(pass.Backend, normed, inner);
        _norm2.Run(pass.Backend, inner, inner);
        _conv2.Run(pass.Backend, inner, result, residual: result);
        if (_shortcut is not null)
        {
            pass.Memory.MoveTo(0, result);
        }
    }
}
