using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>
/// Pictures to latents (specs/meissonic.md 5): levels of residual blocks, each but the last followed by a convolution of stride 2, and two blocks in
/// the middle.
/// </summary>
internal sealed class VqEncoder
{
    private readonly VqConv _in;
    private readonly VqResidualBlock[][] _levels;
    private readonly VqConv[] _halves;
    private readonly VqResidualBlock[] _middle;
    private readonly VqNorm _normOut;
    private readonly VqConv _out;
    private readonly VqPointwise _quantise;

    public VqEncoder(ParameterStore store, VqConfig config)
    {
        IReadOnlyList<int> channels = config.BlockOutChannels;
        int groups = config.NormNumGroups, last = channels[^1];
        _in = new VqConv(store, "encoder.conv_in", config.InChannels, channels[0]);
        _levels = new VqResidualBlock[channels.Count][];
        _halves = new VqConv[channels.Count - 1];
        for (int level = 0; level < _levels.Length; level++)
        {
            int inputs = channels[Math.Max(0, level - 1)];
            _levels[level] = [.. Enumerable.Range(0, config.LayersPerBlock).Select(r =>
                new VqResidualBlock(store, $"encoder.down_blocks.{level}.resnets.{r}", r == 0 ? inputs : channels[level], channels[level], groups))];
            if (level < _halves.Length)
            {
                _halves[level] = new VqConv(store, $"encoder.down_blocks.{level}.downsamplers.0.conv", channels[level], channels[level]);
            }
        }

        _middle = [.. Enumerable.Range(0, 2).Select(r => new VqResidualBlock(store, $"encoder.mid_block.resnets.{r}", last, last, groups))];
        _normOut = new VqNorm(store, "encoder.conv_norm_out", last, groups);
        _out = new VqConv(store, "encoder.conv_out", last, config.LatentChannels);
        _quantise = new VqPointwise(store, "quant_conv", config.LatentChannels, config.CodeWidth);
    }

    /// <summary>The stream, pictures [B,H,W,3] in [0,1], := latents [B,h,w,D] in fp32.</summary>
    public void Run(VqPass pass)
    {
        pass.Convolve(_in);
        pass.Show("encoder.conv_in");
        for (int level = 0; level < _levels.Length; level++)
        {
            foreach (VqResidualBlock block in _levels[level])
            {
                block.Run(pass);
            }

            if (level < _halves.Length)
            {
                pass.Convolve(_halves[level], ConvForm.Halved);
            }

            pass.Show($"encoder.down.{level}");
        }

        foreach (VqResidualBlock block in _middle)
        {
            block.Run(pass);
        }

        pass.Show("encoder.mid");
        _normOut.Run(pass.Backend, pass.Stream, pass.Stream);
        pass.Convolve(_out);
        pass.Show("encoder.out");
        pass.Project(_quantise, ElementType.Float32);
        pass.Show("latents");
    }
}
