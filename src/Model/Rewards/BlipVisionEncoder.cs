using CoGrpo.Runtime;
using CoGrpo.Runtime.Autograd;
using CoGrpo.Runtime.Backends;

namespace CoGrpo.Model.Rewards;

/// <summary>
/// BLIP's picture encoder (specs/reward-models.md 1.2): patches with bias, class token, pre-LN blocks, a layer norm on all tokens. Forward only.
/// </summary>
internal sealed class BlipVisionEncoder
{
    private const float Epsilon = 1e-6f;

    private readonly PatchEmbedding _patches;
    private readonly PreNormBlock[] _blocks;
    private readonly LayerNormParameters _norm;

    public BlipVisionEncoder(ParameterStore store, string name, BlipVisionConfig config)
    {
        (int width, int patch) = (config.EmbedDim, config.PatchSize);
        Parameter classToken = store.Declare($"{name}.cls_token", new Shape(1, 1, width));
        Parameter positions = store.Declare($"{name}.pos_embed", new Shape(1, config.Tokens, width));
        _patches = new PatchEmbedding(classToken, positions, store.Declare($"{name}.patch_embed.proj.weight", new Shape(width, 3, patch, patch)),
            store.Declare($"{name}.patch_embed.proj.bias", new Shape(width)), config.ImageSize);
        PreNormForm form = new(width, config.NumHeads, config.MlpWidth, Epsilon, Activation.GeluErf);
        _blocks = [.. Enumerable.Range(0, config.Depth).Select(i => new PreNormBlock(store, $"{name}.blocks.{i}", PreNormNames.Blip, form))];
        _norm = new LayerNormParameters(store, $"{name}.norm", width, Epsilon);
    }

    /// <summary>Called with the name and value of each intermediate of the golden fixtures.</summary>
    public Action<string, Var>? Trace { get; set; }

    /// <summary>Normalised pictures, fp32 [B,3,S,S], to tokens [B,1 + patches,C].</summary>
    public Var Forward(Tape tape, Tensor pixels)
    {
        Var x = _patches.Apply(tape, pixels);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].Run(tape, x);
            Trace?.Invoke($"vision.block.{i}", x);
        }

        x = _norm.Apply(tape, x);
        Trace?.Invoke("image_embeds", x);
        return x;
    }
}
