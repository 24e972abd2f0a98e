using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;
using CoGrpo.Model.Vq;

namespace CoGrpo.Model.Conversion;

/// <summary>Architectures of a synthetic folder: three networks that fit together.</summary>
/// <param name="Transformer">The masked transformer.</param>
/// <param name="Pictures">The picture model.</param>
/// <param name="Text">The text encoder.</param>
public sealed record SyntheticModel(TransformerConfig Transformer, VqConfig Pictures, ClipTextConfig Text)
{
    /// <summary>The published sizes (specs/meissonic.md 0.2): 1,507,223,619 parameters.</summary>
    public static SyntheticModel Full { get; } = new(new TransformerConfig(), new VqConfig(), new ClipTextConfig());

    /// <summary>Every part of the published networks at widths of a few dozen; the text encoder keeps the published vocabulary.</summary>
    public static SyntheticModel Tiny { get; } =
        new(
            new TransformerConfig
            {
                AttentionHeadDim = 16,
                NumAttentionHeads = 2,
                NumLayers = 1,
                NumSingleLayers = 2,
                JointAttentionDim = 16,
                PooledProjectionDim = 32,
                AxesDimsRope = [4, 6, 6],
                CodebookSize = 100,
                VocabSize = 164,
            },
            new VqConfig
            {
                BlockOutChannels = [8, 16, 16],
                DownBlockTypes = [.. Enumerable.Repeat("DownEncoderBlock2D", 3)],
                UpBlockTypes = [.. Enumerable.Repeat("UpDecoderBlock2D", 3)],
                LayersPerBlock = 1,
                NormNumGroups = 4,
                LatentChannels = 4,
                NumVqEmbeddings = 100,
            },
            new ClipTextConfig
            {
                HiddenSize = 16,
                IntermediateSize = 32,
                NumHiddenLayers = 2,
                NumAttentionHeads = 2,
                ProjectionDim = 32,
            }
        );

    /// <summary>The same without the blocks that halve and double the grid: the form of Monetico, for 512 pixels.</summary>
    public SyntheticModel WithoutResampling() => this with { Transformer = Transformer with { Downsample = false, Upsample = false } };
}
