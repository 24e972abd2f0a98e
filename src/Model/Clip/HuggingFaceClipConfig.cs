using System.Text.Json.Serialization;

namespace CoGrpo.Model.Clip;

/// <summary>
/// A CLIP configuration as Hugging Face's library writes it; what it leaves out has that library's defaults, which are those of ViT-B-32.
/// </summary>
internal sealed record HuggingFaceClipConfig
{
    /// <summary>Width of the joint embedding.</summary>
    [JsonPropertyName("projection_dim")]
    public int ProjectionDim { get; init; } = 512;

    /// <summary>Picture tower; null in a file of another kind.</summary>
    [JsonPropertyName("vision_config")]
    public Tower? Vision { get; init; }

    /// <summary>Text tower; null in a file of another kind.</summary>
    [JsonPropertyName("text_config")]
    public Tower? Text { get; init; }

    /// <summary>The architecture under open_clip's keys, or null for a file of another kind.</summary>
    /// <exception cref="ModelException">The towers have different activations, or one that no CLIP has.</exception>
    public ClipModelConfig? ToOpenClip()
    {
        if (Vision is not { } vision || Text is not { } text)
        {
            return null;
        }

        if (vision.HiddenAct != text.HiddenAct || vision.HiddenAct is not ("gelu" or "quick_gelu"))
        {
            throw new ModelException($"CLIP configuration: wanted hidden_act gelu or quick_gelu, the same in both towers, got {vision.HiddenAct} and {text.HiddenAct}; use the configuration that belongs to the weights");
        }

        int width = vision.HiddenSize ?? 768, heads = vision.NumAttentionHeads ?? 12;
        return new ClipModelConfig
        {
            EmbedDim = ProjectionDim,
            QuickGelu = vision.HiddenAct == "quick_gelu",
            Vision = new()
            {
                ImageSize = vision.ImageSize,
                PatchSize = vision.PatchSize,
                Layers = vision.NumHiddenLayers,
                Width = width,
                HeadWidth = heads > 0 && width % heads == 0 ? width / heads : 0,
                MlpRatio = width > 0 ? (vision.IntermediateSize ?? 3072) / (double)width : 0,
            },
            Text = new()
            {
                ContextLength = text.MaxPositionEmbeddings,
                VocabSize = text.VocabSize,
                Layers = text.NumHiddenLayers,
                Width = text.HiddenSize ?? 512,
                Heads = text.NumAttentionHeads ?? 8,
            },
        };
    }

    /// <summary>Keys of either tower.</summary>
    internal sealed record Tower
    {
        /// <summary>Model width.</summary>
        [JsonPropertyName("hidden_size")]
        public int? HiddenSize { get; init; }

        /// <summary>Width inside the MLP.</summary>
        [JsonPropertyName("intermediate_size")]
        public int? IntermediateSize { get; init; }

        /// <summary>Attention heads.</summary>
        [JsonPropertyName("num_attention_heads")]
        public int? NumAttentionHeads { get; init; }

        /// <summary>Layers.</summary>
        [JsonPropertyName("num_hidden_layers")]
        public int NumHiddenLayers { get; init; } = 12;

        /// <summary>Activation.</summary>
        [JsonPropertyName("hidden_act")]
        public string HiddenAct { get; init; } = "quick_gelu";

        /// <summary>Pictures: side in pixels.</summary>
        [JsonPropertyName("image_size")]
        public int ImageSize { get; init; } = 224;

        /// <summary>Pictures: side of a patch in pixels.</summary>
        [JsonPropertyName("patch_size")]
        public int PatchSize { get; init; } = 32;

        /// <summary>Text: most tokens.</summary>
        [JsonPropertyName("max_position_embeddings")]
        public int MaxPositionEmbeddings { get; init; } = 77;

        /// <summary>Text: token ids.</summary>
        [JsonPropertyName("vocab_size")]
        public int VocabSize { get; init; } = 49408;
    }
}
