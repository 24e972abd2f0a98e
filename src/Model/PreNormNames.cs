namespace CoGrpo.Model;

/// <summary>Published names of the parts of a <see cref="PreNormBlock"/>, which is how its users differ.</summary>
internal sealed record PreNormNames(string Norm1, string QkvWeight, string QkvBias, string Out, string Norm2, string Fc1, string Fc2)
{
    /// <summary>As in open_clip's <c>ResidualAttentionBlock</c>.</summary>
    public static PreNormNames OpenClip { get; } =
        new("ln_1", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj");

    /// <summary>As in BLIP's <c>Block</c>.</summary>
    public static PreNormNames Blip { get; } = new("norm1", "attn.qkv.weight", "attn.qkv.bias", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2");
}
