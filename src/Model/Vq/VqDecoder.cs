using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Vq;

/// <summary>
/// Codes' vectors to pictures (specs/meissonic.md 5): two blocks in the middle, then levels of residual blocks, each but the last followed by a
/// convolution of the map enlarged twice.
/// </summary>
internal sealed class VqDecoder
{
    private readonly VqPointwise _unquantise;
    private readonly VqConv _in;
    private readonly VqResidualBlock[] _middle;
    private readonly VqResidualBlock[][] _levels;
    private readonly VqConv[] _doubles;
    private readonly VqNorm _normOut;
    private readonly VqConv _out;

    public VqDecoder(ParameterStore store, VqConfig config)
    {
        int[] channels = [.. config.BlockOutChannels.Reverse()];
        int groups = config.NormNumGroups;
        _unquantise = new VqPointwise(store, "post_quant_conv", config.CodeWidth, config.LatentChannels);
        _in = new VqConv(store, "decoder.conv_in", config.LatentChannels, channels[0]);
        _middle =
        [
            .. Enumerable.Range(0, 2).Select(r => new VqResidualBlock(store, $"decoder.mid_block.resnets.{r}", channels[0], channels[0], groups)),
        ];
        _levels = new VqResidualBlock[channels.Length][];
        _doubles = new VqConv[channels.Length - 1];
        for (int level = 0; level < _levels.Length; level++)
        {
            int inputs = channels[Math.Max(0, level - 1)];
            _levels[level] = [.. Enumerable.Range(0, config.LayersPerBlock + 1).Select(r =>
                new VqResidualBlock(store, $"decoder.up_blocks.{level}.resnets.{r}", r == 0 ? inputs : channels[level], channels[level], groups))];
            if (level < _doubles.Length)
            {
                _doubles[level] = new VqConv(store, $"decoder.up_blocks.{level}.upsamplers.0.conv", channels[level], channels[level]);
            }
        }

        _normOut = new VqNorm(store, "decoder.conv_norm_out", channels[^1], groups);
        _out = new VqConv(store, "decoder.conv_out", channels[^1], config.OutChannels);
    }

    /// <summary>The stream, vectors of codes [B,h,w,D], := pictures [B,H,W,3] in fp32, about [0,1] and not cut to it.</summary>
    public void Run(VqPass pass)
    {
        pass.Project(_unquantise, pass.Stream.Type);
        pass.Show("decoder.in");
        pass.Convolve(_in);
        pass.Show("decoder.conv_in");
        foreach (VqResidualBlock block in _middle)
        {
            block.Run(pass);
        }

        pass.Show("decoder.mid");
        for (int level = 0; level < _levels.Length; level++)
        {
            foreach (VqResidualBlock block in _levels[level])
            {
                block.Run(pass);
            }

            if (level < _doubles.Length)
            {
                pass.Convolve(_doubles[level], ConvForm.Doubled);
            }

            pass.Show($"decoder.up.{level}");
        }

        _normOut.Run(pass.Backend, pass.Stream, pass.Stream);
        pass.ConvolveWide(_out);
    }
}
