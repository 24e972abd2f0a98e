using CoGrpo.Model.Clip;
using CoGrpo.Model.Meissonic;

namespace CoGrpo.Tests.Model;

/// <summary>The operation counts against the published sizes worked out in specs/meissonic.md 8.</summary>
public sealed class ForwardCostTests
{
    [Fact]
    public void Transformer_of_the_published_size_at_1024_pixels_costs_740_GMAC() =>
        Assert.Equal(740.2, TransformerCost.ForwardMacs(new TransformerConfig(), 77, 64, 64, 4096) / 1e9, 1);

    [Theory]
    [InlineData(true, 0.399)]
    [InlineData(false, 1.399)]
    public void Transformer_at_512_pixels(bool downsample, double teraflops)
    {
        var config = new TransformerConfig { Downsample = downsample, Upsample = downsample };
        Assert.Equal(teraflops, 2 * TransformerCost.ForwardMacs(config, 77, 32, 32, 1024) / 1e12, 3);
    }

    [Fact]
    public void Rows_without_logits_save_exactly_the_head()
    {
        var config = new TransformerConfig { Downsample = false, Upsample = false };
        double saved = TransformerCost.ForwardMacs(config, 77, 32, 32, 1024) - TransformerCost.ForwardMacs(config, 77, 32, 32, 24);
        Assert.Equal(1000.0 * ((2 * 1024 * 1024) + (1024 * 8192)), saved);
    }

    [Fact]
    public void Text_encoder_of_the_published_size_costs_23_5_GMAC() =>
        Assert.Equal(23.5, ClipTextCost.ForwardMacs(new ClipTextConfig()) / 1e9, 1);
}
