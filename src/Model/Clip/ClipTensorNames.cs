namespace CoGrpo.Model.Clip;

/// <summary>What open_clip and Hugging Face call the tensors of CLIP (specs/reward-models.md 2.3).</summary>
internal static class ClipTensorNames
{
    /// <summary>
    /// The text tower outside its blocks, without the projection into the joint embedding, which the two libraries store transposed.
    /// </summary>
    public static readonly (string OpenClip, string HuggingFace)[] Text =
    [
        ("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
        ("positional_embedding", "text_model.embeddings.position_embedding.weight"),
        ("ln_final.weight", "text_model.final_layer_norm.weight"),
        ("ln_final.bias", "text_model.final_layer_norm.bias"),
    ];

    /// <summary>Layers of a block of either tower, without the input projection of attention.</summary>
    public static readonly (string OpenClip, string HuggingFace)[] InBlock =
    [
        ("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2"),
    ];

    /// <summary>Hugging Face's parts of open_clip's one input projection, in its order.</summary>
    public static readonly string[] InputProjections = ["q_proj", "k_proj", "v_proj"];
}
