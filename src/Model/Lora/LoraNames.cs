namespace CoGrpo.Model.Lora;

/// <summary>Endings and prefixes of tensor names in adapter files.</summary>
internal static class LoraNames
{
    public const string A = ".lora_A.weight";
    public const string B = ".lora_B.weight";
    public const string Down = ".lora_down.weight";
    public const string Up = ".lora_up.weight";
    public const string Alpha = ".alpha";

    /// <summary>What diffusers puts before the names of a transformer's modules.</summary>
    public const string Prefix = "transformer.";

    private static readonly string[] Prefixes = [Prefix, "base_model.model.", "lora_transformer_", "lora_unet_"];

    /// <summary>
    /// The published name with dots as underlines, without the prefixes of the common writers: what two spellings of one module share.
    /// </summary>
    public static string Canonical(string module)
    {
        foreach (string prefix in Prefixes)
        {
            if (module.StartsWith(prefix, StringComparison.Ordinal))
            {
                module = module[prefix.Length..];
            }
        }

        return module.Replace('.', '_');
    }
}
